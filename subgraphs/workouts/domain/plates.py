"""Which plates to put on each side of a bar for a weight: what can be loaded, and the nearest below and above. Pure.

Weights are exact, in hundredths of the inventory's unit. What can be on one side is a set of sums, kept as the bits of an integer, so
that any inventory within the bounds is answered in a millisecond. Heavier plates come first, as people load them: of each as many
as leave a rest that the lighter ones can make.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from math import ceil, floor

import msgspec

from subgraphs.shell.errors import Checks
from subgraphs.shell.units import MassUnit, amount_in, stored_amount

MOST_KINDS = 12
MOST_PAIRS = 20
HEAVIEST_PLATE = 100
HEAVIEST_BAR = 100
#: On one side, in either unit.
MOST_A_SIDE = 1_000
HEAVIEST_WANTED = 5_000
_PLACES = Decimal("0.01")
#: A weight that was rounded to a hundredth of a kilogram may be so much less than the plates of pounds that it stands for.
_ROUNDED_OFF_KG = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class Plates:
    """Plates of one weight: so many pairs, one of each pair for each side."""

    weight: Decimal
    pairs: int


@dataclass(frozen=True, slots=True)
class PlateInventory:
    """A bar and the plates that there are, all in one unit."""

    unit: MassUnit
    bar: Decimal
    plates: Sequence[Plates]


@dataclass(frozen=True, slots=True)
class Loading:
    """What is on the bar: `total` in the inventory's unit, and of each plate on one side (weight, how many), the heaviest first."""

    total: Decimal
    side: tuple[tuple[Decimal, int], ...]


_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(tuple[Plates, ...])


def encode_plates(plates: Sequence[Plates]) -> str:
    return _encoder.encode(plates).decode()


def decode_plates(text: str) -> tuple[Plates, ...]:
    return _decoder.decode(text)


def check_inventory(checks: Checks, inventory: PlateInventory, place: str = "") -> None:
    """Collects every rule that an inventory breaks. `place` is the path of it in the input, with its dot."""
    fits = 0 <= inventory.bar <= HEAVIEST_BAR and _is_exact(inventory.bar)
    checks.require(fits, f"{place}bar", f"must be from 0 to {HEAVIEST_BAR}, in hundredths")
    kinds = len(inventory.plates)
    if not checks.require(1 <= kinds <= MOST_KINDS, f"{place}plates", f"must have 1 to {MOST_KINDS} entries"):
        return
    seen: set[Decimal] = set()
    for number, each in enumerate(inventory.plates):
        fits = 0 < each.weight <= HEAVIEST_PLATE and _is_exact(each.weight)
        message = f"must be above 0 and at most {HEAVIEST_PLATE}, in hundredths"
        checks.require(fits, f"{place}plates.{number}.weight", message)
        checks.require(each.weight not in seen, f"{place}plates.{number}.weight", "is told twice")
        fits = 1 <= each.pairs <= MOST_PAIRS
        checks.require(fits, f"{place}plates.{number}.pairs", f"must be from 1 to {MOST_PAIRS}")
        seen.add(each.weight)
    side = sum((each.weight * each.pairs for each in inventory.plates), Decimal(0))
    checks.require(side <= MOST_A_SIDE, f"{place}plates", f"must come to {MOST_A_SIDE} a side at most")


def _is_exact(weight: Decimal) -> bool:
    return weight == weight.quantize(_PLACES)


def nearest_loadings(inventory: PlateInventory, wanted: Decimal) -> tuple[Loading | None, Loading | None]:
    """The heaviest loading that is not above what is wanted, and the lightest that is not below it, in the inventory's unit.

    They are the same where it can be loaded exactly. None where the bar alone is more, and where all plates are less.
    """
    plates = sorted(inventory.plates, key=lambda each: each.weight)
    reachable = _reachable(plates)
    # Hundredths on one side; what is wanted may fall between two of them.
    side = (wanted - inventory.bar) * 50
    below = _highest(reachable[-1], floor(side))
    above = _lowest(reachable[-1], max(ceil(side), 0))
    return (
        None if below is None else _loading(inventory, plates, reachable, below),
        None if above is None else _loading(inventory, plates, reachable, above),
    )


def loadable_kg(inventory: PlateInventory, weight_kg: Decimal) -> Decimal | None:
    """The heaviest weight in kg, to a hundredth, that can be loaded and is not above this one; None where the bar alone is more."""
    rounded_off = Decimal(0) if inventory.unit is MassUnit.KG else _ROUNDED_OFF_KG
    below, _ = nearest_loadings(inventory, amount_in(inventory.unit, weight_kg + rounded_off))
    if below is None:
        return None
    return min(in_kg(below.total, inventory.unit), weight_kg)


def in_kg(weight: Decimal, unit: MassUnit) -> Decimal:
    """In kg to a hundredth, which is what sets and plans keep."""
    return stored_amount(unit, weight).quantize(_PLACES, ROUND_HALF_EVEN)


def _reachable(plates: Sequence[Plates]) -> list[int]:
    """For none, the lightest, the two lightest kinds of plates and so on: bit n is set where n hundredths can be on a side."""
    reachable = [1]
    for each in plates:
        sums, weight = reachable[-1], _hundredths(each.weight)
        for _ in range(each.pairs):
            sums |= reachable[-1] | sums << weight
        reachable.append(sums)
    return reachable


def _loading(inventory: PlateInventory, plates: Sequence[Plates], reachable: Sequence[int], side: int) -> Loading:
    counts: list[tuple[Decimal, int]] = []
    rest = side
    for kind in range(len(plates), 0, -1):
        each = plates[kind - 1]
        weight = _hundredths(each.weight)
        most = min(each.pairs, rest // weight)
        count = next(n for n in range(most, -1, -1) if reachable[kind - 1] >> (rest - n * weight) & 1)
        rest -= count * weight
        if count:
            counts.append((each.weight, count))
    return Loading(inventory.bar + Decimal(2 * side) / 100, tuple(counts))


def _highest(sums: int, most: int) -> int | None:
    """The highest bit that is set up to this one."""
    below = sums & ((1 << most + 1) - 1) if most >= 0 else 0
    return below.bit_length() - 1 if below else None


def _lowest(sums: int, least: int) -> int | None:
    """The lowest bit that is set from this one on."""
    above = sums >> least
    return least + (above & -above).bit_length() - 1 if above else None


def _hundredths(weight: Decimal) -> int:
    return int(weight * 100)
