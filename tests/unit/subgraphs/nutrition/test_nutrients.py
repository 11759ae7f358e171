"""Amounts of nutrients: scaled, summed, and what is not known."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from subgraphs.nutrition.domain.nutrients import (
    NOTHING,
    Nutrients,
    add_totals,
    decode_nutrients,
    decode_totals,
    encode,
    kcal_of_kj,
    kj_of_kcal,
    of_grams,
    salt_g_of_sodium_mg,
    sodium_mg_of_salt_g,
    total_of,
)


def nutrients(kcal: str, fiber: str | None = None) -> Nutrients:
    zero = Decimal(0)
    known = None if fiber is None else Decimal(fiber)
    return Nutrients(energy_kcal=Decimal(kcal), protein_g=zero, carbs_g=zero, fat_g=zero, fiber_g=known)


def test_a_portion_has_its_share_of_100_grams() -> None:
    portion = of_grams(nutrients("389", fiber="10.6"), Decimal(50))
    assert (portion.energy_kcal, portion.fiber_g, portion.sodium_mg) == (Decimal("194.5"), Decimal("5.3"), None)


def test_a_sum_tells_how_much_of_it_is_known() -> None:
    total = total_of([(Decimal(50), nutrients("100", fiber="5")), (Decimal(150), nutrients("200"))])

    assert total.nutrients == nutrients("300", fiber="5")
    assert total.known_fraction("fiber_g") == Decimal("0.25")
    assert total.known_fraction("energy_kcal") == 1
    assert total.nutrients.sodium_mg is None
    assert total.known_fraction("sodium_mg") == 0


def test_nothing_eaten_is_zero_and_wholly_known() -> None:
    assert (NOTHING.nutrients.energy_kcal, NOTHING.known_fraction("fiber_g")) == (0, 1)


def test_decimals_stay_exact_in_storage() -> None:
    stored = nutrients("157.53", fiber="0.10")
    assert decode_nutrients(encode(stored)) == stored
    assert str(decode_nutrients(encode(stored)).fiber_g) == "0.10"
    total = total_of([(Decimal("0.1"), stored), (Decimal("0.2"), nutrients("1"))])
    assert decode_totals(encode(total)) == total


amounts = st.decimals(0, 1000, places=3)
portions = st.lists(st.tuples(st.decimals("0.1", 500, places=1), st.builds(
    Nutrients, energy_kcal=amounts, protein_g=amounts, carbs_g=amounts, fat_g=amounts, fiber_g=st.none() | amounts,
    vitamin_c_mg=st.none() | amounts,
)), min_size=1, max_size=8)  # fmt: skip


@given(st.lists(portions, min_size=1, max_size=4))
def test_a_day_summed_by_meals_is_the_day_summed_by_items(meals: list[list[tuple[Decimal, Nutrients]]]) -> None:
    by_meals = add_totals(total_of(meal) for meal in meals)
    by_items = total_of([item for meal in meals for item in meal])
    assert by_meals == by_items


def test_units_of_labels_follow_from_each_other() -> None:
    assert kj_of_kcal(Decimal(100)) == Decimal("418.4")
    assert kcal_of_kj(Decimal(1000)) == Decimal("239.006")
    assert salt_g_of_sodium_mg(Decimal(400)) == 1
    assert sodium_mg_of_salt_g(Decimal("2.5")) == 1000
