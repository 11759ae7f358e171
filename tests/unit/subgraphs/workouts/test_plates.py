"""Plates on a bar: the nearest loadable weights, held against every combination of random inventories."""

from decimal import Decimal
from itertools import product
from random import Random

import pytest

from subgraphs.shell.errors import Checks, ValidationError
from subgraphs.shell.units import MassUnit
from subgraphs.workouts.domain.plates import (
    Loading,
    PlateInventory,
    Plates,
    check_inventory,
    loadable_kg,
    nearest_loadings,
)


def of(unit: MassUnit, bar: str, **pairs: int) -> PlateInventory:
    """An inventory by names such as `w1_25`, of 1.25."""
    plates = [Plates(Decimal(name[1:].replace("_", ".")), many) for name, many in pairs.items()]
    return PlateInventory(unit, Decimal(bar), plates)


GYM = of(MassUnit.KG, "20", w25=4, w20=1, w15=1, w10=2, w5=2, w2_5=1, w1_25=1)
GARAGE = of(MassUnit.LB, "45", w45=2, w25=1, w10=2, w5=1, w2_5=1)


def sides(loading: Loading | None) -> list[tuple[str, int]]:
    assert loading is not None
    return [(str(weight), count) for weight, count in loading.side]


def test_100_kg_are_a_25_and_a_15_on_each_side() -> None:
    below, above = nearest_loadings(GYM, Decimal(100))
    assert below == above
    assert (below.total if below else None, sides(below)) == (100, [("25", 1), ("15", 1)])


def test_135_lb_are_one_45_on_each_side() -> None:
    below, _ = nearest_loadings(GARAGE, Decimal(135))
    assert sides(below) == [("45", 1)]


def test_what_cannot_be_loaded_has_neighbours() -> None:
    below, above = nearest_loadings(GYM, Decimal("61.3"))
    assert (below.total if below else None, above.total if above else None) == (Decimal(60), Decimal("62.5"))
    assert sides(above) == [("20", 1), ("1.25", 1)]
    odd = of(MassUnit.KG, "20", w0_01=1)
    assert [each.total if each else None for each in nearest_loadings(odd, Decimal("20.01"))] == [20, Decimal("20.02")]


def test_less_than_the_bar_and_more_than_all_plates_have_one_neighbour() -> None:
    below, above = nearest_loadings(GYM, Decimal(15))
    assert (below, sides(above)) == (None, [])
    below, above = nearest_loadings(GYM, Decimal(1_000))
    assert (below.total if below else None, above) == (Decimal("357.5"), None)


def test_heavy_plates_come_first_where_the_rest_can_be_made_of_lighter_ones() -> None:
    """A 25 leaves 15, which these plates cannot make: two 20 can."""
    below, above = nearest_loadings(of(MassUnit.KG, "20", w25=1, w20=2), Decimal(100))
    assert below == above
    assert sides(below) == [("20", 2)]


@pytest.mark.parametrize("seed", range(40))
def test_nearest_is_what_all_combinations_say(seed: int) -> None:
    random = Random(seed)
    weights = random.sample(range(1, 4_000), k=random.randint(1, 4))
    plates = [Plates(Decimal(weight) / 100, random.randint(1, 3)) for weight in weights]
    inventory = PlateInventory(MassUnit.KG, Decimal(random.randint(0, 2_500)) / 100, plates)
    wanted = Decimal(random.randint(0, 40_000)) / 100
    totals = {
        inventory.bar + 2 * sum((each.weight * n for each, n in zip(plates, counts, strict=True)), Decimal(0))
        for counts in product(*(range(each.pairs + 1) for each in plates))
    }
    below, above = nearest_loadings(inventory, wanted)
    assert (below.total if below else None) == max((each for each in totals if each <= wanted), default=None)
    assert (above.total if above else None) == min((each for each in totals if each >= wanted), default=None)
    pairs = {each.weight: each.pairs for each in plates}
    for loading in (below, above):
        if loading is not None:
            on_it = sum((weight * count for weight, count in loading.side), Decimal(0))
            assert loading.total == inventory.bar + 2 * on_it
            assert all(count <= pairs[weight] for weight, count in loading.side)


def test_plates_of_pounds_load_kilograms_to_a_hundredth_and_never_more() -> None:
    assert loadable_kg(GARAGE, Decimal(65)) == Decimal("63.50")  # 140 lb
    assert loadable_kg(GARAGE, Decimal("61.23")) == Decimal("61.23")  # what 135 lb were rounded to
    assert loadable_kg(GARAGE, Decimal("61.24")) == Decimal("61.23")  # 135 lb are 61.2349... kg
    assert loadable_kg(GARAGE, Decimal(20)) is None
    assert loadable_kg(GYM, Decimal("63.7")) == Decimal("62.5")


def test_the_largest_inventory_is_answered_at_once() -> None:
    plates = [Plates(Decimal(weight) / 100, 20) for weight in (3, 7, 11, 101, 211, 307, 401, 503, 601, 701, 809, 997)]
    inventory = PlateInventory(MassUnit.KG, Decimal(20), plates)
    checks = Checks()
    check_inventory(checks, inventory)
    checks.done()
    below, above = nearest_loadings(inventory, Decimal("777.77"))
    assert below is not None
    assert above is not None
    assert above.total - below.total == Decimal("0.02")


def test_what_is_no_inventory_is_refused_with_its_place() -> None:
    wrong = PlateInventory(
        MassUnit.KG,
        Decimal("20.005"),
        [Plates(Decimal(20), 0), Plates(Decimal(20), 1), Plates(Decimal(0), 1), Plates(Decimal(99), 20)],
    )
    checks = Checks()
    check_inventory(checks, wrong, "inventory.")
    with pytest.raises(ValidationError) as refused:
        checks.done()
    assert [field for field, _ in refused.value.violations] == [
        "inventory.bar",
        "inventory.plates.0.pairs",
        "inventory.plates.1.weight",
        "inventory.plates.2.weight",
        "inventory.plates",
    ]
