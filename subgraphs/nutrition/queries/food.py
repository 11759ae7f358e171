"""Foods as they are read: by id and barcode in batches, their portions, a page by name, and those logged last."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import TextClause, text

from subgraphs.nutrition.domain.food import Portion
from subgraphs.nutrition.domain.food_source import BulkSource
from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.read_pool import Reader, any_of

# The nutrients as text: decoded by `domain.nutrients`, exactly, and only where an answer wants it.
FOOD_COLUMNS = (
    "id, name, brand, gtin, category, source, verified, created_by, CAST(per_100 AS text), version,"
    " deleted_at IS NOT NULL"
)


class FoodRecord(NamedTuple):
    """One food. `per_100` is encoded; most answers never read it. `created_by` is None for the catalogue."""

    id: str
    name: str
    brand: str | None
    gtin: str | None
    category: str
    source: str
    verified: bool
    created_by: str | None
    per_100: str
    version: int
    is_deleted: bool

    def is_visible_to(self, viewer_id: str | None) -> bool:
        return not self.is_deleted and (self.created_by is None or self.created_by == viewer_id)


@dataclass(frozen=True, slots=True)
class FoodFilter:
    """What a list of foods is narrowed to; None narrows nothing. Own foods of `viewer_id` stand beside the catalogue."""

    viewer_id: str | None
    category: str | None = None
    verified: bool | None = None
    own: bool | None = None


@dataclass(frozen=True, slots=True)
class RecentFood:
    """A food that a person logged, how often and when last."""

    food_id: str
    times: int
    last_at: datetime


_BY_ID = text(f"SELECT {FOOD_COLUMNS} FROM food WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_OWN_BY_GTIN = text(
    f"SELECT {FOOD_COLUMNS} FROM food WHERE created_by = :viewer_id AND gtin = ANY(:gtins)"  # noqa: S608
    " AND deleted_at IS NULL"
)
# Several sources may have a barcode: the last row stands, and what everybody may enter at Open Food Facts comes first.
_BY_GTIN = text(
    f"SELECT {FOOD_COLUMNS} FROM food WHERE gtin = ANY(:gtins) AND created_by IS NULL AND deleted_at IS NULL"  # noqa: S608
    f" ORDER BY source = '{BulkSource.OPEN_FOOD_FACTS}' DESC, source DESC, id"
)
_PORTIONS = text(
    f"SELECT food_id, label, grams FROM food_portion WHERE food_id = {any_of('ids')} ORDER BY food_id, position"  # noqa: S608
)
_KEPT = "(CAST(:verified AS boolean) IS NULL OR verified = :verified)"
_BY_NAME = SortOrder(("lower(name)", "id"))
_FOUND_BY_NAME = SortOrder(("ordering", "id"))
_RECENT = SortOrder(("last_at", "food_id"), descending=True)
_FREQUENT = SortOrder(("times", "food_id"), descending=True)
_FAVOURITE = SortOrder(("added_at", "food_id"), descending=True)
_IS_FAVOURITE = text(
    "SELECT food_id FROM favourite_food WHERE user_id = :user_id AND food_id = ANY(CAST(:food_ids AS text[]))"
)


@cache
def _named(shape: PageShape, of_category: bool) -> TextClause:
    """The catalogue and one's own each by its index, the first rows of each. Those of a category have an index of their own."""
    category = "category = :category AND" if of_category else ""
    rows = f"SELECT {FOOD_COLUMNS}, lower(name) AS ordering FROM food WHERE {category}"  # noqa: S608 - our names
    kept = f"{_KEPT} AND {_BY_NAME.beyond(shape)} ORDER BY {_BY_NAME.order_by(shape)} LIMIT :limit"
    # What a parameter rules out alone is decided before a row is read: one's own are not looked for in the catalogue.
    return text(
        f"SELECT * FROM (({rows} created_by IS NULL AND CAST(:own AS boolean) IS NOT TRUE AND {kept})"  # noqa: S608
        f" UNION ALL ({rows} created_by = :viewer_id AND deleted_at IS NULL"
        f" AND CAST(:own AS boolean) IS NOT FALSE AND {kept})) AS found"
        f" ORDER BY {_FOUND_BY_NAME.order_by(shape)} LIMIT :limit"
    )


@cache
def _logged(shape: PageShape, order: SortOrder) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
        " SELECT user_id, food_id, times, last_at FROM recent_food WHERE recent_food.user_id = person.user_id"
        f" AND {order.beyond(shape)} ORDER BY {order.order_by(shape)} LIMIT :limit) AS found"
    )


@cache
def _favourites(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
        " SELECT user_id, food_id, added_at FROM favourite_food JOIN food ON food.id = food_id"
        " WHERE favourite_food.user_id = person.user_id AND deleted_at IS NULL"
        f" AND {_FAVOURITE.beyond(shape)} ORDER BY {_FAVOURITE.order_by(shape)} LIMIT :limit) AS found"
    )


async def foods_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, FoodRecord]:
    return {row[0]: FoodRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def foods_by_gtin(connection: Reader, gtins: Sequence[str], viewer_id: str | None) -> dict[str, FoodRecord]:
    """Foods by their 14-digit barcode: the viewer's own, else the catalogue's, of which Open Food Facts' come last."""
    found = {row[3]: FoodRecord(*row) for row in await connection.execute(_BY_GTIN, {"gtins": list(gtins)})}
    if viewer_id is not None:
        parameters = {"gtins": list(gtins), "viewer_id": viewer_id}
        found |= {row[3]: FoodRecord(*row) for row in await connection.execute(_OWN_BY_GTIN, parameters)}
    return found


async def portions_by_food(connection: Reader, food_ids: Sequence[str]) -> dict[str, list[Portion]]:
    by_food: defaultdict[str, list[Portion]] = defaultdict(list)
    for food_id, label, grams in await connection.execute(_PORTIONS, {"ids": list(food_ids)}):
        by_food[food_id].append(Portion(label, grams))
    return by_food


async def foods_by_name(
    connection: Reader, filters: Sequence[FoodFilter], page: Page
) -> dict[FoodFilter, list[FoodRecord]]:
    """For each filter a page of foods by lower-case name and id, nearest to the cursor first."""
    pages: dict[FoodFilter, list[FoodRecord]] = {}
    for wanted in filters:
        parameters = {
            "viewer_id": wanted.viewer_id,
            "verified": wanted.verified,
            "own": wanted.own,
            "limit": page.limit,
            **page.keys,
        }
        if wanted.category is not None:
            parameters["category"] = wanted.category
        rows = await connection.execute(_named(page.shape, wanted.category is not None), parameters)
        pages[wanted] = [FoodRecord(*row[:-1]) for row in rows]
    return pages


async def recent_foods(connection: Reader, user_ids: Sequence[str], page: Page) -> dict[str, list[RecentFood]]:
    """The foods that each person logged last, newest first; a page of each, nearest to the cursor first."""
    return await _logged_foods(connection, user_ids, page, _RECENT)


async def frequent_foods(connection: Reader, user_ids: Sequence[str], page: Page) -> dict[str, list[RecentFood]]:
    """The foods that each person logged most often, those first; a page of each, nearest to the cursor first."""
    return await _logged_foods(connection, user_ids, page, _FREQUENT)


async def favourite_foods(
    connection: Reader, user_ids: Sequence[str], page: Page
) -> dict[str, list[tuple[str, datetime]]]:
    """(food id, since when) of what each person marked, newest first; a page of each, nearest to the cursor first."""
    by_user: defaultdict[str, list[tuple[str, datetime]]] = defaultdict(list)
    parameters = {"user_ids": list(user_ids), "limit": page.limit, **page.keys}
    for user_id, food_id, added_at in await connection.execute(_favourites(page.shape), parameters):
        by_user[user_id].append((food_id, added_at))
    return by_user


async def favourites_among(connection: Reader, food_ids: Sequence[str], user_id: str) -> dict[str, bool]:
    """Those of the foods that the person marked."""
    rows = await connection.execute(_IS_FAVOURITE, {"user_id": user_id, "food_ids": list(food_ids)})
    return {row[0]: True for row in rows}


async def _logged_foods(
    connection: Reader, user_ids: Sequence[str], page: Page, order: SortOrder
) -> dict[str, list[RecentFood]]:
    by_user: defaultdict[str, list[RecentFood]] = defaultdict(list)
    parameters = {"user_ids": list(user_ids), "limit": page.limit, **page.keys}
    for user_id, food_id, times, last_at in await connection.execute(_logged(page.shape, order), parameters):
        by_user[user_id].append(RecentFood(food_id, times, last_at))
    return by_user
