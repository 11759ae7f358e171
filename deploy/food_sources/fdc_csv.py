"""FoodData Central's branded foods as CSV: food.csv, branded_food.csv and food_nutrient.csv, which are joined on disk.

The largest of them has some thirty million rows: SQLite holds what is wanted of them in a file beside, and memory stays small.
"""

from __future__ import annotations

import csv
import itertools
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

from deploy.errors import FriendlyError
from deploy.food_sources import Refused, Told
from deploy.food_sources.fooddata_central import NUTRIENT_IDS, FdcFood, date_of, food_of
from subgraphs.nutrition.domain.label import number
from subgraphs.nutrition.domain.label_text import LONGEST_TEXT

TABLES = ("food.csv", "branded_food.csv", "food_nutrient.csv")
_ROWS_AT_ONCE = 20_000
_JOINED = (
    "SELECT branded.fdc_id, description, published, brand, gtin, shelf, serving_size, serving_unit, household, ingredients,"
    " group_concat(nutrient.nutrient_id || '=' || nutrient.amount, ' ')"
    " FROM branded LEFT JOIN food ON food.fdc_id = branded.fdc_id LEFT JOIN nutrient ON nutrient.fdc_id = branded.fdc_id"
    " GROUP BY branded.fdc_id ORDER BY branded.fdc_id"
)


def read_csv(open_table: Callable[[str], TextIO], folder: Path) -> Iterator[Told | Refused]:
    """`open_table` opens one of TABLES; what is joined is kept in `folder`. Raises FriendlyError for a missing column."""
    with sqlite3.connect(folder / "fdc.sqlite") as store:
        store.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE food (fdc_id INTEGER PRIMARY KEY, description TEXT, published TEXT);"
            "CREATE TABLE branded (fdc_id INTEGER PRIMARY KEY, brand TEXT, gtin TEXT, shelf TEXT, serving_size TEXT,"
            " serving_unit TEXT, household TEXT, ingredients TEXT);"
            "CREATE TABLE nutrient (fdc_id INTEGER, nutrient_id INTEGER, amount TEXT,"
            " PRIMARY KEY (fdc_id, nutrient_id)) WITHOUT ROWID;"
        )
        yield from _fill(store, "branded", open_table("branded_food.csv"), _branded)
        yield from _fill(store, "food", open_table("food.csv"), _food)
        yield from _fill(store, "nutrient", open_table("food_nutrient.csv"), _nutrient)
        for row in store.execute(_JOINED):
            yield food_of(_record(row))
    store.close()


def _fill(
    store: sqlite3.Connection,
    table: str,
    stream: TextIO,
    values: Callable[[Mapping[str, str]], tuple[object, ...] | None],
) -> Iterator[Refused]:
    """Fills the table; gives the rows that cannot be read."""
    with stream:
        reader = csv.DictReader(stream)
        rows = iter(reader)
        while batch := list(itertools.islice(rows, _ROWS_AT_ONCE)):
            taken = []
            for row in batch:
                try:
                    told = values(row)
                except KeyError as error:
                    raise FriendlyError(
                        f"the table {table} has no column {error}",
                        "take FDC's download as it is: nothing may be left out",
                    ) from None
                except (ValueError, TypeError):
                    yield Refused("a row of the tables cannot be read", f"{table}, line {reader.line_num} or before")
                    continue
                if told is not None:
                    taken.append(told)
            if taken:
                places = ", ".join("?" * len(taken[0]))
                store.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({places})", taken)  # noqa: S608 - our names


def _branded(row: Mapping[str, str]) -> tuple[object, ...]:
    brand = row.get("brand_name") or row["brand_owner"]
    serving = row["serving_size"], row["serving_size_unit"], row["household_serving_fulltext"]
    ingredients = (row.get("ingredients") or "")[:LONGEST_TEXT]
    return (int(row["fdc_id"]), brand, row["gtin_upc"], row["branded_food_category"], *serving, ingredients)


def _food(row: Mapping[str, str]) -> tuple[object, ...] | None:
    if row["data_type"] != "branded_food":
        return None
    return int(row["fdc_id"]), row["description"], date_of(row["publication_date"])


def _nutrient(row: Mapping[str, str]) -> tuple[object, ...] | None:
    nutrient = int(row["nutrient_id"])
    if nutrient not in NUTRIENT_IDS or number(row["amount"]) is None:
        return None
    return int(row["fdc_id"]), nutrient, row["amount"]


def _record(row: tuple[object, ...]) -> FdcFood:
    fdc_id, description, published, brand, gtin, shelf, size, unit, household, ingredients, amounts = (
        "" if cell is None else str(cell) for cell in row
    )
    pairs = (pair.partition("=") for pair in amounts.split())
    per_100 = {int(nutrient): amount for nutrient, _, told in pairs if (amount := number(told)) is not None}
    return FdcFood(
        fdc_id=fdc_id,
        description=description,
        published=published,
        brand=brand,
        gtin=gtin,
        shelf=shelf,
        serving_size=number(size),
        serving_unit=unit,
        household=household,
        ingredients=ingredients,
        per_100=per_100,
    )
