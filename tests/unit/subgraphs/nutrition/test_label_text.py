"""What the ingredients of labels tell of allergens. Every text is ours, in the words that labels use."""

from time import process_time

import pytest

from subgraphs.nutrition.domain.declaration import NOTHING_TOLD, Allergen, Diet, Fit
from subgraphs.nutrition.domain.label_text import LONGEST_TEXT, declared_by

A = Allergen


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SUGAR, SALT. CONTAINS: MILK, SOY.", {A.MILK, A.SOYBEANS}),
        ("CONTAINS WHEAT AND TREE NUTS (ALMONDS)", {A.GLUTEN, A.NUTS}),
        ("Sugar. Contains crustacean shellfish and eggs", {A.CRUSTACEANS, A.EGGS}),
        ("Sauce (contains: fish), salt, celery seed", {A.FISH, A.CELERY}),
        ("CONTAINS 2% OR LESS OF: SALT, WHEY", {A.MILK}),
        ("CONTAINS: 2% OR LESS OF SALT, NUTMEG", set()),
        ("Contains one or more of the following: sesame oil, corn oil", {A.SESAME}),
    ],
)
def test_a_statement_is_read_with_the_words_for_groups(text: str, found: set[Allergen]) -> None:
    assert set(declared_by(text).allergens) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ENRICHED FLOUR (WHEAT FLOUR, NIACIN), SUGAR, SOY LECITHIN", {A.GLUTEN, A.SOYBEANS}),
        ("Whole grain oats, barley malt extract", {A.GLUTEN}),
        ("Anchovies, capers, mustard, sodium metabisulfite", {A.FISH, A.MUSTARD, A.SULPHITES}),
        ("Apricots, sulphur dioxide", {A.SULPHITES}),
        ("Clams, squid, lupin flour, tahini", {A.MOLLUSCS, A.LUPIN, A.SESAME}),
        ("Peanuts, peanut oil, non-dairy creamer (sodium caseinate)", {A.PEANUTS, A.MILK}),
        ("CREAM OF MUSHROOM, DRIED EGG WHITES, SHRIMPS", {A.MILK, A.EGGS, A.CRUSTACEANS}),
        ("LACTOSE FREE MILK, CAGE-FREE EGGS", {A.MILK, A.EGGS}),
        ("ALMOND MILK (WATER, ALMONDS)", {A.NUTS}),
    ],
)
def test_names_of_ingredients_are_read(text: str, found: set[Allergen]) -> None:
    assert set(declared_by(text).allergens) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SUGAR, SALT, YELLOW NO. 5, RED NO 40",
        "COCONUT MILK, COCOA BUTTER, SHEA BUTTER, CREAM OF TARTAR, RICE MILK",
        "EGGPLANT, BUTTERNUT SQUASH, NUTMEG, BUCKWHEAT, WATER CHESTNUTS, BUTTER LETTUCE",
        "MALTODEXTRIN, HYDROGENATED SOYBEAN OIL, MILK THISTLE, OYSTER MUSHROOMS, CRABAPPLES",
        "VEGAN EGG, EGG REPLACER, NATURAL BUTTER FLAVOR, LACTIC ACID",
        "GLUTEN-FREE OATS, SUGAR",
        "RICE. DAIRY-FREE, NUT FREE, SOY-FREE. CONTAINS NO MILK OR EGGS.",
        "CORN, SALT. DOES NOT CONTAIN PEANUTS, WHEAT OR FISH.",
        "APPLES, NO SULFITES ADDED, WITHOUT MILK",
        "CONTAINS: LIVE AND ACTIVE CULTURES",
    ],
)
def test_what_names_none_leaves_all_not_known_and_a_claim_of_absence_does_too(text: str) -> None:
    assert declared_by(text) == NOTHING_TOLD
    assert declared_by(text).fit({A.MILK.value}) is Fit.UNKNOWN


@pytest.mark.parametrize(
    "told",
    [
        "MAY CONTAIN PEANUTS AND MILK.",
        "MAY ALSO CONTAIN TRACES OF PEANUTS, MILK",
        "MADE IN A FACILITY THAT ALSO PROCESSES MILK; PEANUTS ARE PROCESSED ON THE SAME LINE",
        "MANUFACTURED ON SHARED EQUIPMENT WITH DAIRY, PEANUTS",
        "(MAY CONTAIN MILK, PEANUTS), SALT",
    ],
)
def test_traces_count_for_whoever_avoids_them_and_say_nothing_of_diets(told: str) -> None:
    found = declared_by(f"RICE, SUGAR. {told}")
    assert set(found.allergens) - {A.PEANUTS} == {A.MILK}
    assert found.suits_not == []
    assert declared_by(f"RICE, WHEY. {told}").suits_not == [Diet.VEGAN], "what is in it does"


def test_a_statement_ends_with_its_sentence_or_its_bracket() -> None:
    found = declared_by("RICE (MAY CONTAIN SESAME), EGGS 2.5%. MAY CONTAIN MILK. CONTAINS: FISH. CELERY")
    assert set(found.allergens) == {A.SESAME, A.EGGS, A.MILK, A.FISH, A.CELERY}
    assert found.suits_not == [Diet.VEGETARIAN, Diet.VEGAN]
    both = declared_by("WHEAT FLOUR, SUGAR, NO PEANUTS, MUSTARD CONTAINS: SOY")
    assert set(both.allergens) == {A.GLUTEN, A.MUSTARD, A.SOYBEANS}
    assert both.absent_allergens == [], "nothing is told to be absent"


def test_long_text_is_read_to_a_bound_and_in_time_of_its_length() -> None:
    assert declared_by("SUGAR, " * LONGEST_TEXT + "MILK") == NOTHING_TOLD
    hostile = ["contains no " * 5_000, "made in a " * 5_000, "(" * 50_000, "may contain " * 5_000, "no " * 10_000]
    begin = process_time()
    for text in hostile:
        declared_by(text)
    assert process_time() - begin < 5
