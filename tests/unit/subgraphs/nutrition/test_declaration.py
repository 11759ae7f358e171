"""What is told of a food: what follows from it, what does not, and how it goes with what somebody avoids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.nutrition.domain.declaration import (
    NOTHING_TOLD,
    Allergen,
    Declaration,
    Diet,
    Fit,
    Preferences,
    check_declaration,
    declare,
    of_ingredients,
)
from subgraphs.shell.errors import Checks

VEGAN, VEGETARIAN = Preferences(diet=Diet.VEGAN).avoided, Preferences(diet=Diet.VEGETARIAN).avoided
DECLARATIONS = st.builds(
    declare,
    contains=st.sets(st.sampled_from(Allergen)),
    free_from=st.sets(st.sampled_from(Allergen)),
    suits=st.sets(st.sampled_from(Diet)),
    suits_not=st.sets(st.sampled_from(Diet)),
    traces=st.sets(st.sampled_from(Allergen)),
)


def test_what_nobody_tells_is_not_known_and_never_absent() -> None:
    for avoided in ({"MILK"}, VEGAN, VEGETARIAN):
        assert NOTHING_TOLD.fit(avoided) is Fit.UNKNOWN
    partly = declare(free_from=[Allergen.MILK])
    assert partly.fit({"MILK"}) is Fit.FITS
    assert partly.fit({"MILK", "EGGS"}) is Fit.UNKNOWN
    assert declare(contains=[Allergen.EGGS], free_from=[Allergen.MILK]).fit({"MILK", "EGGS"}) is Fit.CONFLICTS


@pytest.mark.parametrize(
    ("allergen", "suits_not"),
    [
        (Allergen.MILK, [Diet.VEGAN]),
        (Allergen.EGGS, [Diet.VEGAN]),
        (Allergen.FISH, [Diet.VEGETARIAN, Diet.VEGAN]),
        (Allergen.CRUSTACEANS, [Diet.VEGETARIAN, Diet.VEGAN]),
        (Allergen.MOLLUSCS, [Diet.VEGETARIAN, Diet.VEGAN]),
        (Allergen.PEANUTS, []),
    ],
)
def test_what_comes_of_animals_suits_no_vegan(allergen: Allergen, suits_not: list[Diet]) -> None:
    assert declare(contains=[allergen]).suits_not == suits_not
    assert declare(traces=[allergen]).suits_not == []
    assert declare(traces=[allergen]).fit({allergen}) is Fit.CONFLICTS


def test_a_vegan_food_is_vegetarian_and_may_still_have_traces_of_milk() -> None:
    told = declare(suits=[Diet.VEGAN])
    assert told.suits == [Diet.VEGETARIAN, Diet.VEGAN]
    assert told.absent_allergens == []
    assert told.fit(Preferences(frozenset({Allergen.MILK}), Diet.VEGAN).avoided) is Fit.UNKNOWN
    assert declare(suits_not=[Diet.VEGETARIAN]).suits_not == [Diet.VEGETARIAN, Diet.VEGAN]


@given(DECLARATIONS)
def test_nothing_is_told_both_ways(told: Declaration) -> None:
    assert not told.contains & told.free_from


@given(st.lists(DECLARATIONS, min_size=1, max_size=5), st.sets(st.sampled_from(Allergen), min_size=1))
def test_a_dish_fits_only_where_every_ingredient_does(parts: list[Declaration], avoided: set[Allergen]) -> None:
    fits = [part.fit(avoided) for part in parts]
    expected = Fit.CONFLICTS if Fit.CONFLICTS in fits else Fit.FITS if set(fits) == {Fit.FITS} else Fit.UNKNOWN
    assert of_ingredients(parts).fit(avoided) is expected


def test_of_no_ingredients_nothing_is_told() -> None:
    assert of_ingredients([]) == NOTHING_TOLD


@pytest.mark.parametrize(
    ("free_from", "suits", "refused"),
    [
        ([Allergen.GLUTEN], [], []),
        ([Allergen.MILK], [], ["declared.freeFrom"]),
        ([], [Diet.VEGETARIAN], []),
        ([], [Diet.VEGAN], ["declared.suits"]),
    ],
)
def test_a_person_tells_each_thing_one_way(free_from: list[Allergen], suits: list[Diet], refused: list[str]) -> None:
    checks = Checks()
    check_declaration(checks, [Allergen.MILK], free_from, suits, [])
    assert [place for place, _ in checks.violations] == refused
