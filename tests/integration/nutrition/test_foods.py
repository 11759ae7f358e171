"""The catalogue and own foods: keys, search, pages, and what a food may claim."""

from typing import Any

import pytest

from tests.testkit.subgraph import SubgraphUnderTest

CREATE = """mutation ($input: CreateFoodInput!) { createFood(input: $input) {
    food { id name gtin source verified per100 { energyKcal fiberG } portions { label grams } } } }"""
BAR = {
    "name": "My bar",
    "category": "SNACK",
    "per100": {"energyKcal": 400, "proteinG": 20, "carbsG": 40, "fatG": 17, "fiberG": 3.5},
    "portions": [{"label": "bar", "grams": 45}],
}


async def test_a_food_is_found_by_either_key(nutrition: SubgraphUnderTest) -> None:
    ask = """query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Food {
        id gtin name per100 { energyKcal fiberG sugarG } } } }"""
    keys: list[dict[str, Any]] = [{"id": "oats"}, {"gtin": "4006381333931"}, {"gtin": "04006381333931"}, {"id": "none"}]
    representations = [{"__typename": "Food", **key} for key in keys]
    oats = {
        "id": "oats",
        "gtin": "04006381333931",
        "name": "Rolled oats",
        "per100": {"energyKcal": 389.0, "fiberG": 10.6, "sugarG": None},
    }
    result = await nutrition.run(ask, None, {"representations": representations})
    assert result.errors is None
    assert result.data == {"_entities": [oats, oats, oats, None]}


async def test_broken_representations_fail_alone(nutrition: SubgraphUnderTest) -> None:
    ask = "query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Food { name } } }"
    representations = [
        {"__typename": "Food", "id": "oats"},
        {"__typename": "Nothing", "id": "1"},
        {"id": "oats"},
        {"__typename": "DiaryDay", "userId": "x"},
        7,
        {"__typename": "Food", "id": "milk"},
    ]
    result = await nutrition.run(ask, None, {"representations": representations})
    assert result.data == {"_entities": [{"name": "Rolled oats"}, None, None, None, None, {"name": "Milk, 2 %"}]}
    assert [error.path for error in result.errors or []] == [["_entities", place] for place in (1, 2, 3, 4)]


async def test_two_aliases_may_share_one_variable(nutrition: SubgraphUnderTest) -> None:
    ask = """query ($r: [_Any!]!) { a: _entities(representations: $r) { ... on Food { name } }
        b: _entities(representations: $r) { ... on Food { id } } }"""
    result = await nutrition.run(ask, None, {"r": [{"__typename": "Food", "id": "milk"}]})
    assert result.data == {"a": [{"name": "Milk, 2 %"}], "b": [{"id": "milk"}]}


async def test_barcodes_are_found_in_every_spelling(nutrition: SubgraphUnderTest) -> None:
    ask = "query ($gtin: String!) { foodByBarcode(gtin: $gtin) { id } }"
    assert (await nutrition.run(ask, None, {"gtin": "4 006381-333931"})).data == {"foodByBarcode": {"id": "oats"}}
    assert (await nutrition.run(ask, None, {"gtin": "96385074"})).data == {"foodByBarcode": None}
    assert await nutrition.codes(ask, None, {"gtin": "4006381333932"}) == ["VALIDATION_ERROR"]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("banana", ["Banana bread", "Banana, fresh"]),
        ("BREAD ban", ["Banana bread"]),
        ("bannana fresh", ["Banana, fresh"]),
        ("morning", ["Rolled oats"]),
        ("100%", []),
    ],
)
async def test_words_are_found_in_any_order_and_nearly_spelt(
    nutrition: SubgraphUnderTest, words: str, names: list[str]
) -> None:
    ask = "query ($words: String) { foods(search: $words) { edges { node { name } } } }"
    result = await nutrition.run(ask, None, {"words": words})
    assert result.errors is None
    assert result.data is not None
    found = [edge["node"]["name"] for edge in result.data["foods"]["edges"]]
    assert (sorted(found) if words == "banana" else found[: len(names) or None]) == names


@pytest.mark.parametrize("arguments", ["", 'search: "an"'])
async def test_pages_of_foods_join_without_gap_or_overlap(nutrition: SubgraphUnderTest, arguments: str) -> None:
    ask = f"query ($after: String, $first: Int) {{ foods(first: $first, after: $after {arguments}) {{ edges {{ node {{ id }} }} pageInfo {{ endCursor hasNextPage }} }} }}"

    async def page(first: int, after: str | None) -> dict[str, Any]:
        foods: dict[str, Any] = (await nutrition.data(ask, "pager", {"first": first, "after": after}))["foods"]
        return foods

    whole = [edge["node"]["id"] for edge in (await page(100, None))["edges"]]
    joined, after, more = [], None, True
    while more:
        part = await page(1, after)
        joined += [edge["node"]["id"] for edge in part["edges"]]
        after, more = part["pageInfo"]["endCursor"], part["pageInfo"]["hasNextPage"]
    assert joined == whole
    assert len(whole) >= 2


async def test_one_letter_is_no_search(nutrition: SubgraphUnderTest) -> None:
    assert await nutrition.codes('{ foods(search: "b") { edges { cursor } } }', None) == ["VALIDATION_ERROR"]


async def test_an_own_food_is_seen_by_its_owner_only(nutrition: SubgraphUnderTest, person: str) -> None:
    gtin = {"gtin": "73513537"}
    food = (await nutrition.data(CREATE, person, {"input": BAR | gtin}))["createFood"]["food"]
    assert food | {"id": ""} == {
        "id": "",
        "name": "My bar",
        "gtin": "00000073513537",
        "source": "USER",
        "verified": False,
        "per100": {"energyKcal": 400.0, "fiberG": 3.5},
        "portions": [{"label": "bar", "grams": 45.0}],
    }
    assert await nutrition.codes(CREATE, person, {"input": BAR | gtin}) == ["CONFLICT"]

    by_id, search = (
        "query ($id: ID!) { food(id: $id) { name } }",
        '{ foods(search: "my bar") { edges { node { id } } } }',
    )
    assert (await nutrition.data(by_id, person, {"id": food["id"]}))["food"] == {"name": "My bar"}
    assert len((await nutrition.data(search, person))["foods"]["edges"]) == 1
    for stranger in (None, "stranger"):
        assert (await nutrition.run(by_id, stranger, {"id": food["id"]})).data == {"food": None}
        assert (await nutrition.run(search, stranger)).data == {"foods": {"edges": []}}
    log = """mutation ($id: ID!) { logMeal(input: { slot: SNACK, items: [{ foodId: $id, grams: 10 }] }) { meal { id } } }"""
    assert await nutrition.codes(log, "stranger", {"id": food["id"]}) == ["VALIDATION_ERROR"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"gtin": "12345670"[::-1]}, "gtin"),
        ({"per100": {"energyKcal": 100, "proteinG": 20, "carbsG": 40, "fatG": 17}}, "per100.energyKcal"),
        ({"per100": {"energyKcal": 950, "proteinG": 0, "carbsG": 0, "fatG": 100}}, "per100.energyKcal"),
        ({"portions": [{"label": "a", "grams": 1}, {"label": "A", "grams": 2}]}, "portions.label"),
    ],
)
async def test_foods_that_cannot_be_are_refused(
    nutrition: SubgraphUnderTest, person: str, changes: dict[str, Any], field: str
) -> None:
    result = await nutrition.run(CREATE, person, {"input": BAR | changes})
    (error,) = result.errors or []
    assert error.extensions is not None
    assert field in [each["field"] for each in error.extensions["validationErrors"]]
