"""Own foods and recipes that others may see: shown, taken back, copied, reported, and judged by administrators.

What is shown is a copy of its own, made when it was published: no later change of the food shows before it is published
again, and no change of it reaches what somebody copied or logged.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.nutrition import FoodModerated
from events.envelope import new_id
from events.outbox import NewEvent, append_event
from subgraphs.nutrition.commands.food import (
    OWN_SOURCE,
    NewFood,
    food_of_request,
    insert_food,
    lock_maker,
    locked_food,
)
from subgraphs.nutrition.commands.recipe import NewRecipe, keep_recipe
from subgraphs.nutrition.domain.declaration import NOTHING_TOLD
from subgraphs.nutrition.domain.food import FoodCategory, Portion, check_food
from subgraphs.nutrition.domain.meal import ItemDraft
from subgraphs.nutrition.domain.nutrients import decode_nutrients
from subgraphs.nutrition.domain.published_food import (
    MOST_PUBLISHED,
    FoodAudience,
    FoodVisibility,
    PublishedContent,
    PublishedRecipe,
    decode_published,
    encode_published,
    labels_of,
    published_content,
)
from subgraphs.nutrition.domain.recipe import SOURCE as RECIPE_SOURCE
from subgraphs.nutrition.domain.recipe import decode_recipe
from subgraphs.nutrition.queries.declaration import declarations_by_food
from subgraphs.nutrition.queries.food import FoodRecord, foods_by_id, portions_by_food
from subgraphs.nutrition.queries.published_food import (
    REPORTS,
    PublishedFoodRecord,
    moderated_foods_by_id,
    publications_by_food,
)
from subgraphs.nutrition.queries.recipe import recipes_by_food
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database, take_turns
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.publication import ModerationDecision, ReportReason, check_moderation
from subgraphs.shell.publication_reports import IS_OPEN
from subgraphs.shell.search.words import words_of
from subgraphs.shell.telemetry import current_traceparent

NO_FOOD = "There is no such published food."
_PUBLISH = text(
    "INSERT INTO published_food (id, food_id, user_id, food_version, audience, shows_author, name, brand, gtin, category,"
    " labels, content, published_at)"
    " VALUES (:id, :food_id, :user_id, :food_version, :audience, :shows_author, :name, :brand, :gtin, :category,"
    " :labels, CAST(:content AS jsonb), :now)"
    " ON CONFLICT (food_id) DO UPDATE SET food_version = excluded.food_version, audience = excluded.audience,"
    " shows_author = excluded.shows_author, name = excluded.name, brand = excluded.brand, gtin = excluded.gtin,"
    " category = excluded.category, labels = excluded.labels, content = excluded.content,"
    " version = published_food.version + 1"
)
_COUNT = text("SELECT count(*) FROM published_food WHERE user_id = :user_id")
_TAKE_BACK = text(f"DELETE FROM published_food AS shown WHERE food_id = :id AND {IS_OPEN}")  # noqa: S608 - our names


@dataclass(frozen=True, slots=True, kw_only=True)
class FoodPublication:
    """Which food to show to whom, and whether with its person's name."""

    food_id: str
    audience: FoodAudience
    shows_author: bool = False
    expected_version: int | None = None


async def publish_food(viewer: Viewer, wanted: FoodPublication, *, database: Database, now: datetime) -> FoodRecord:
    """Let others see a food of the viewer as it is now, or publish it again as it has become.

    Raises NotFoundError, for another's and the catalogue's too, StaleVersionError, and ConflictError for one that administrators
    withdrew, or for too many.
    """
    async with database.transaction() as transaction:
        await take_turns(transaction, "published_food", viewer.id)
        food = await locked_food(transaction, viewer, wanted.food_id, wanted.expected_version)
        earlier = (await publications_by_food(transaction, [food.id])).get(food.id)
        if earlier is not None and earlier.withdrawn_at is not None:
            raise ConflictError("Administrators withdrew this food: it is not published again.", field="foodId")
        if earlier is None and int(await transaction.scalar(_COUNT, {"user_id": viewer.id}) or 0) >= MOST_PUBLISHED:
            raise ConflictError(
                f"There may be at most {MOST_PUBLISHED} published foods: unpublish one first.", field="foodId"
            )
        content = await _content_of(transaction, food)
        row = {
            "id": new_id() if earlier is None else earlier.id,
            "food_id": food.id,
            "user_id": viewer.id,
            "food_version": food.version,
            "audience": wanted.audience.value,
            "shows_author": wanted.shows_author,
            "name": food.name,
            "brand": food.brand,
            "gtin": food.gtin,
            "category": food.category,
            "labels": labels_of(
                words=words_of(f"{food.name} {food.brand or ''}"),
                category=FoodCategory(food.category),
                gtin=food.gtin,
                is_recipe=content.recipe is not None,
            ),
            "content": encode_published(content),
            "now": now,
        }
        await transaction.execute(_PUBLISH, row)
        if earlier is not None and earlier.food_version != food.version:
            await REPORTS.is_another(transaction, earlier.id)
        return food


async def _content_of(transaction: AsyncConnection, food: FoodRecord) -> PublishedContent:
    """What others see of a food as it is now."""
    recipe = None
    if food.source == RECIPE_SOURCE:
        recipe = decode_recipe((await recipes_by_food(transaction, [food.id]))[food.id].content)
    parts = [] if recipe is None else sorted({item.food_id for item in recipe.ingredients})
    known = await foods_by_id(transaction, parts)
    return published_content(
        decode_nutrients(food.per_100),
        (await portions_by_food(transaction, [food.id])).get(food.id, []),
        (await declarations_by_food(transaction, [food.id])).get(food.id, NOTHING_TOLD),
        recipe,
        {each.id for each in known.values() if each.created_by is None},
    )


async def unpublish_food(
    viewer: Viewer, food_id: str, *, expected_version: int | None, database: Database
) -> FoodRecord:
    """Let nobody else see a food of the viewer any more; what was copied of it stays. One that is not shown stays as it is, and so
    do the reports of one that they hide: published anew it would be shown.

    Raises NotFoundError, for another's too, and StaleVersionError.
    """
    async with database.transaction() as transaction:
        food = await locked_food(transaction, viewer, food_id, expected_version)
        await transaction.execute(_TAKE_BACK, {"id": food_id})
        return food


async def copy_published_food(
    viewer: Viewer,
    shown: PublishedFoodRecord | None,
    *,
    name: str | None,
    request: RequestKey | None,
    database: Database,
    now: datetime,
) -> FoodRecord:
    """A food of the viewer's own with the numbers of one that is shown to the viewer (None: there is none), under its name or another.

    A recipe becomes a recipe where the catalogue has all of its ingredients, at their numbers of today, and else the food that it
    makes. The same request again finds the first. Raises NotFoundError, ValidationError, and ConflictError for too many or a key
    used otherwise.
    """
    async with database.transaction() as transaction:
        await lock_maker(transaction, viewer.id)
        if earlier := await food_of_request(transaction, viewer.id, request):
            return earlier
        if shown is None:
            raise NotFoundError(NO_FOOD)
        content = decode_published(shown.content)
        called = shown.name if name is None else name
        if content.recipe is not None and await _has_all(transaction, content.recipe):
            return await keep_recipe(transaction, viewer, _recipe_of(called, shown, content.recipe, request), now)
        new = _food_of(called, shown, content, request)
        checks = Checks()
        check_food(checks, new.name, new.brand, new.per_100, new.portions)
        checks.done()
        return await insert_food(transaction, viewer.id, new, OWN_SOURCE, now)


async def _has_all(transaction: AsyncConnection, recipe: PublishedRecipe) -> bool:
    """Whether the catalogue still has all ingredients of a recipe."""
    wanted = {each.food_id for each in recipe.ingredients if each.food_id is not None}
    known = await foods_by_id(transaction, sorted(wanted))
    there = {food.id for food in known.values() if food.created_by is None and not food.is_deleted}
    return recipe.is_of_catalogue and there == wanted


def _recipe_of(name: str, shown: PublishedFoodRecord, recipe: PublishedRecipe, request: RequestKey | None) -> NewRecipe:
    return NewRecipe(
        name=name,
        servings=recipe.servings,
        ingredients=[ItemDraft(food_id=each.food_id or "", grams=each.grams) for each in recipe.ingredients],
        yield_grams=recipe.yield_grams,
        instructions=recipe.instructions,
        category=FoodCategory(shown.category),
        request=request,
    )


def _food_of(name: str, shown: PublishedFoodRecord, content: PublishedContent, request: RequestKey | None) -> NewFood:
    return NewFood(
        name=name.strip(),
        category=FoodCategory(shown.category),
        per_100=content.per_100,
        brand=shown.brand,
        # The barcode stays with its food: a copy of it would come before the catalogue's own for whoever copied it.
        gtin=None,
        portions=[Portion(label, grams) for label, grams in content.portions],
        declared=content.declared,
        request=request,
    )


async def report_food(
    viewer: Viewer,
    shown: PublishedFoodRecord | None,
    reason: ReportReason,
    *,
    database: Database,
    now: datetime,
) -> PublishedFoodRecord:
    """Tell administrators that a food that is shown to the viewer (None: there is none) is out of place; of one person once, with
    the latest reason. Once enough people have, nobody else sees it before an administrator has decided.

    Raises NotFoundError, ConflictError for one of the viewer's own, and RateLimitedError.
    """
    if shown is None:
        raise NotFoundError(NO_FOOD)
    if shown.user_id == viewer.id:
        raise ConflictError("Only foods that somebody else published are reported.", field="publishedFoodId")
    async with database.transaction() as transaction:
        await REPORTS.take_turns(transaction, viewer.id)
        if not await REPORTS.lock(transaction, shown.id):
            raise NotFoundError(NO_FOOD)
        await REPORTS.report(transaction, shown.id, viewer.id, reason, now)
        return shown


async def moderate_food(
    viewer: Viewer,
    published_food_id: str,
    decision: ModerationDecision,
    reason: str,
    *,
    database: Database,
    now: datetime,
) -> PublishedFoodRecord:
    """Withdraw a food that somebody published, or keep it, or bring it back; either way its reports are done with.

    It is told as an event, which users keeps in the audit trail. Raises ValidationError, NotFoundError, and ConflictError for bringing back
    what its person has deleted, who could not take it back any more.
    """
    checks = Checks()
    check_moderation(checks, reason)
    checks.done()
    async with database.transaction() as transaction:
        if not await REPORTS.lock(transaction, published_food_id):
            raise NotFoundError(NO_FOOD)
        before = (await moderated_foods_by_id(transaction, [published_food_id]))[published_food_id]
        if (
            decision is ModerationDecision.KEEP
            and (await foods_by_id(transaction, [before.food_id]))[before.food_id].is_deleted
        ):
            raise ConflictError(
                "Whoever published this food has deleted it: it stays withdrawn.", field="publishedFoodId"
            )
        await REPORTS.decide(transaction, before.id, decision, now)
        after = (await moderated_foods_by_id(transaction, [before.id]))[before.id]
        payload = FoodModerated(
            actor_id=viewer.id,
            decision=decision.value,
            reason=reason.strip(),
            before=visibility_of(before).value,
            after=visibility_of(after).value,
        )
        event = NewEvent(
            payload=payload,
            aggregate_id=after.id,
            version=after.version,
            user_id=before.user_id,
            occurred_at=now,
            traceparent=current_traceparent(),
        )
        await append_event(transaction, event)
        return after


def visibility_of(published: PublishedFoodRecord | None) -> FoodVisibility:
    """Who sees a food of one's own, from what was published of it."""
    if published is None:
        return FoodVisibility.PRIVATE
    if published.withdrawn_at is not None:
        return FoodVisibility.WITHDRAWN
    return FoodVisibility.HIDDEN if published.is_hidden else FoodVisibility(published.audience)
