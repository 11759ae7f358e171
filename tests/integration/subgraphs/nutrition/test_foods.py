"""The catalogue and own foods: keys, search, pages, and what a food may claim."""

from typing import Any

import pytest

from tests.testkit.subgraph import SubgraphUnderTest, user_errors

CREATE = """mutation ($input: CreateFoodInput!) { createFood(input: $input) {
    food { id name gtin source verified version per100 { energyKcal fiberG } portions { label grams } }
    userErrors { code field message } } }"""
MACROS = {"energyKcal": 410, "proteinG": 20, "carbsG": 40, "fatG": 17}
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


@pytest.mark.parametrize("arguments", ["", 'search: "ba"'])
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


async def test_own_foods_are_listed_and_searched_apart_from_the_catalogue(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    await nutrition.data(CREATE, person, {"input": BAR | {"name": "Milk bar"}})
    ask = "query ($words: String, $own: Boolean) { foods(search: $words, own: $own, first: 100) { nodes { name } } }"

    async def listed(viewer: str | None = person, **arguments: Any) -> list[str]:
        found = await nutrition.data(ask, viewer, arguments)
        return [food["name"] for food in found["foods"]["nodes"]]

    assert await listed(own=True) == ["Milk bar"]
    assert await listed(own=True, words="milk") == ["Milk bar"]
    assert await listed(own=True, viewer=None) == []
    for words in (None, "milk"):
        assert "Milk bar" in await listed(words=words)
        catalogues = await listed(own=False, words=words)
        assert "Milk bar" not in catalogues
        assert "Milk, 2 %" in catalogues


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
        "version": 1,
        "per100": {"energyKcal": 400.0, "fiberG": 3.5},
        "portions": [{"label": "bar", "grams": 45.0}],
    }
    by_id, search = (
        "query ($id: ID!) { food(id: $id) { name } }",
        '{ foods(search: "my bar") { edges { node { id } } } }',
    )
    assert (await nutrition.data(by_id, person, {"id": food["id"]}))["food"] == {"name": "My bar"}
    assert len((await nutrition.data(search, person))["foods"]["edges"]) == 1
    for stranger in (None, "stranger"):
        assert (await nutrition.run(by_id, stranger, {"id": food["id"]})).data == {"food": None}
        assert (await nutrition.run(search, stranger)).data == {"foods": {"edges": []}}
    log = """mutation ($id: ID!) { logMeal(input: { slot: SNACK, items: [{ foodId: $id, grams: 10 }] }) { meal { id } userErrors { code } } }"""
    assert await nutrition.codes(log, "stranger", {"id": food["id"]}) == ["VALIDATION_ERROR"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"gtin": "12345670"[::-1]}, "gtin"),
        ({"per100": {"energyKcal": 100, "proteinG": 20, "carbsG": 40, "fatG": 17}}, "per100.energyKcal"),
        ({"per100": {"energyKcal": 950, "proteinG": 0, "carbsG": 0, "fatG": 100}}, "per100.energyKcal"),
        ({"portions": [{"label": "a", "grams": 1}, {"label": "A", "grams": 2}]}, "portions.1.label"),
        ({"portions": [{"label": "a", "grams": 5001}]}, "portions.0.grams"),
        ({"per100": MACROS | {"sodiumMg": 1e14}}, "per100.sodiumMg"),
        ({"per100": MACROS | {"sodiumMg": 40001}}, "per100.sodiumMg"),
        ({"per100": MACROS | {"sugarG": 42}}, "per100.sugarG"),
        ({"per100": MACROS | {"saturatedFatG": 20}}, "per100.saturatedFatG"),
        ({"per100": MACROS | {"proteinG": -1}}, "per100.proteinG"),
        ({"per100": MACROS | {"energyKj": 2000}}, "per100.energyKj"),
        ({"per100": MACROS | {"energyKcal": None}}, "per100.energyKcal"),
        ({"per100": MACROS | {"sodiumMg": 1, "saltG": 1}}, "per100.saltG"),
        ({"brand": "x" * 101}, "brand"),
    ],
)
async def test_foods_that_cannot_be_are_refused(
    nutrition: SubgraphUnderTest, person: str, changes: dict[str, Any], field: str
) -> None:
    result = await nutrition.run(CREATE, person, {"input": BAR | changes})
    assert result.errors is None
    assert field in [refusal["field"] for refusal in user_errors(result)]
    assert result.data is not None
    assert result.data["createFood"]["food"] is None


@pytest.mark.parametrize(
    ("name", "per100"),
    [
        ("Vodka", {"energyKcal": 231, "proteinG": 0, "carbsG": 0, "fatG": 0}),
        ("Beer", {"energyKcal": 43, "proteinG": 0.5, "carbsG": 3.6, "fatG": 0}),
        ("Erythritol", {"energyKcal": 0, "proteinG": 0, "carbsG": 100, "fatG": 0}),
        ("Sugar-free gum", {"energyKcal": 160, "proteinG": 0, "carbsG": 67, "fatG": 0}),
        ("Lemon juice", {"energyKcal": 22, "proteinG": 0.4, "carbsG": 2.5, "fatG": 0.2}),
        ("Cocoa", {"energyKcal": 228, "proteinG": 19.6, "carbsG": 57.9, "fatG": 13.7, "fiberG": 33.2}),
        ("Table salt", {"energyKcal": 0, "proteinG": 0, "carbsG": 0, "fatG": 0, "saltG": 99.9}),
        ("Oat bran", {"energyKj": 1500, "proteinG": 17, "carbsG": 50, "fatG": 7, "fiberG": 15}),
    ],
)
async def test_true_labels_are_accepted(
    nutrition: SubgraphUnderTest, person: str, name: str, per100: dict[str, float]
) -> None:
    food = {"name": name, "category": "OTHER", "per100": per100}
    made = (await nutrition.data(CREATE, person, {"input": food}))["createFood"]["food"]
    kcal = per100.get("energyKcal", per100.get("energyKj", 0) / 4.184)
    assert made["per100"]["energyKcal"] == pytest.approx(kcal, abs=0.01)


async def test_a_number_that_nothing_weighs_is_refused_before_anything_else(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    assert await nutrition.codes(CREATE, person, {"input": BAR | {"per100": MACROS | {"sodiumMg": 1e20}}}) == [
        "BAD_USER_INPUT"
    ]


async def test_kilojoules_and_salt_follow_from_kilocalories_and_sodium(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    create = """mutation ($input: CreateFoodInput!) { createFood(input: $input) {
        food { per100 { energyKcal energyKj sodiumMg saltG micronutrients { code } } } userErrors { code } } }"""
    bread = {"energyKcal": 250, "energyKj": 1050, "proteinG": 9, "carbsG": 48, "fatG": 2, "saltG": 1.2}
    given = {"name": "Bread", "category": "GRAIN", "per100": bread}
    made = (await nutrition.data(create, person, {"input": given}))["createFood"]["food"]
    amounts = {"energyKcal": 250.0, "energyKj": 1046.0, "sodiumMg": 480.0, "saltG": 1.2, "micronutrients": []}
    assert made["per100"] == amounts


async def test_an_own_barcode_is_found_and_made_again_it_corrects_the_food(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    scanned = BAR | {"gtin": "4006381333931"}  # the catalogue has it too
    find = "query ($gtin: String!) { foodByBarcode(gtin: $gtin) { name version } }"
    ask = """query ($r: [_Any!]!) { _entities(representations: $r) { ... on Food { name } } }"""
    first = (await nutrition.data(CREATE, person, {"input": scanned}))["createFood"]["food"]
    assert (await nutrition.data(CREATE, person, {"input": scanned}))["createFood"]["food"] == first
    better = (await nutrition.data(CREATE, person, {"input": scanned | {"name": "My better bar"}}))["createFood"]
    assert (better["food"]["id"], better["food"]["version"]) == (first["id"], 2)

    found = await nutrition.data(find, person, {"gtin": "4006381333931"})
    assert found["foodByBarcode"] == {"name": "My better bar", "version": 2}
    assert (await nutrition.data(find, None, {"gtin": "4006381333931"}))["foodByBarcode"]["name"] == "Rolled oats"
    by_key = await nutrition.data(ask, person, {"r": [{"__typename": "Food", "gtin": "4006381333931"}]})
    assert by_key["_entities"] == [{"name": "My better bar"}]


async def test_one_key_makes_one_food_and_other_content_conflicts(nutrition: SubgraphUnderTest, person: str) -> None:
    keyed = BAR | {"idempotencyKey": "once"}
    made = [(await nutrition.data(CREATE, person, {"input": keyed}))["createFood"]["food"]["id"] for _ in range(2)]
    assert len(set(made)) == 1
    assert await nutrition.codes(CREATE, person, {"input": keyed | {"name": "Other"}}) == ["CONFLICT"]


UPDATE = """mutation ($input: UpdateFoodInput!) { updateFood(input: $input) {
    food { id name brand gtin version portions { label } per100 { energyKcal fiberG } } userErrors { code field } } }"""
DELETE = "mutation ($input: DeleteFoodInput!) { deleteFood(input: $input) { deletedId userErrors { code } } }"
LOG = """mutation ($id: ID!) { logMeal(input: { slot: SNACK, items: [{ foodId: $id, grams: 100 }] }) {
    meal { id totals { energyKcal } items { foodName food { name } } } userErrors { code field } } }"""
MEAL = "query ($id: ID!) { meal(id: $id) { totals { energyKcal } items { foodName food { name } } } }"


async def test_a_name_that_is_one_word_of_a_thousand_letters_is_taken(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    """By its characters it is a name as any other; by its letters, more than an index takes for a word."""
    made = await nutrition.data(CREATE, person, {"input": BAR | {"name": "\u3316" * 200, "gtin": None}})
    assert made["createFood"]["food"]["id"]


async def test_a_corrected_food_is_a_new_version_and_meals_keep_the_old_one(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    food = (await nutrition.data(CREATE, person, {"input": BAR | {"brand": "Mill"}}))["createFood"]["food"]
    meal = (await nutrition.data(LOG, person, {"id": food["id"]}))["logMeal"]["meal"]
    changes = {"id": food["id"], "expectedVersion": 1, "name": "Their bar", "brand": None, "per100": MACROS}
    corrected = (await nutrition.data(UPDATE, person, {"input": changes}))["updateFood"]["food"]
    assert corrected == {
        "id": food["id"],
        "name": "Their bar",
        "brand": None,
        "gtin": None,
        "version": 2,
        "portions": [{"label": "bar"}],
        "per100": {"energyKcal": 410.0, "fiberG": None},
    }
    kept = (await nutrition.data(MEAL, person, {"id": meal["id"]}))["meal"]
    assert kept == {
        "totals": {"energyKcal": 400.0},
        "items": [{"foodName": "My bar", "food": {"name": "Their bar"}}],
    }
    assert await nutrition.codes(UPDATE, person, {"input": changes}) == ["STALE_VERSION"]
    assert await nutrition.codes(UPDATE, person, {"input": {"id": food["id"], "name": None}}) == ["VALIDATION_ERROR"]
    assert await nutrition.codes(UPDATE, "stranger", {"input": {"id": food["id"], "name": "Mine"}}) == ["NOT_FOUND"]
    assert await nutrition.codes(UPDATE, person, {"input": {"id": "oats", "name": "Mine"}}) == ["NOT_FOUND"]
    search = '{ foods(search: "their bar") { nodes { version } totalCount } }'
    assert (await nutrition.data(search, person))["foods"] == {"nodes": [{"version": 2}], "totalCount": 1}


async def test_a_barcode_of_another_own_food_conflicts(nutrition: SubgraphUnderTest, person: str) -> None:
    await nutrition.data(CREATE, person, {"input": BAR | {"gtin": "73513537"}})
    other = (await nutrition.data(CREATE, person, {"input": BAR}))["createFood"]["food"]["id"]
    assert await nutrition.codes(UPDATE, person, {"input": {"id": other, "gtin": "73513537"}}) == ["CONFLICT"]


async def test_a_deleted_food_is_gone_and_meals_of_it_stay_and_can_be_edited(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    gtin = {"gtin": "73513537"}
    food = (await nutrition.data(CREATE, person, {"input": BAR | gtin}))["createFood"]["food"]["id"]
    meal = (await nutrition.data(LOG, person, {"id": food}))["logMeal"]["meal"]["id"]
    assert await nutrition.codes(DELETE, "stranger", {"input": {"id": food}}) == ["NOT_FOUND"]
    assert await nutrition.codes(DELETE, person, {"input": {"id": food, "expectedVersion": 3}}) == ["STALE_VERSION"]
    deleted = await nutrition.data(DELETE, person, {"input": {"id": food, "expectedVersion": 1}})
    assert deleted["deleteFood"]["deletedId"] == food

    assert (await nutrition.data("query ($id: ID!) { food(id: $id) { id } }", person, {"id": food}))["food"] is None
    assert (await nutrition.data('{ foodByBarcode(gtin: "73513537") { id } }', person))["foodByBarcode"] is None
    assert (await nutrition.data('{ foods(search: "my bar") { nodes { id } } }', person))["foods"]["nodes"] == []
    assert await nutrition.codes(LOG, person, {"id": food}) == ["VALIDATION_ERROR"]
    kept = (await nutrition.data(MEAL, person, {"id": meal}))["meal"]
    assert kept == {"totals": {"energyKcal": 400.0}, "items": [{"foodName": "My bar", "food": None}]}
    change = """mutation ($input: UpdateMealInput!) { updateMeal(input: $input) { meal { totals { energyKcal } }
        userErrors { code } } }"""
    half = {"id": meal, "items": [{"foodId": food, "grams": 50}]}
    changed = (await nutrition.data(change, person, {"input": half}))["updateMeal"]["meal"]
    assert changed["totals"] == {"energyKcal": 200.0}
    assert await nutrition.codes(DELETE, person, {"input": {"id": food}}) == ["NOT_FOUND"]
    again = (await nutrition.data(CREATE, person, {"input": BAR | gtin}))["createFood"]["food"]
    assert (again["id"] != food, again["version"]) == (True, 1)
