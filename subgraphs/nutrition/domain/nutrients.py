"""Amounts of nutrients: of 100 g of a food, of a portion as it was eaten, and summed with how much of the sum is known.

Stored as JSON with exact decimals. What nobody measured is None, which is not zero.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

ZERO = Decimal(0)


class Nutrients(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Energy in kcal; the unit of the rest is in the name. The first four are always known."""

    energy_kcal: Decimal
    protein_g: Decimal
    carbs_g: Decimal
    fat_g: Decimal
    fiber_g: Decimal | None = None
    sugar_g: Decimal | None = None
    saturated_fat_g: Decimal | None = None
    cholesterol_mg: Decimal | None = None
    sodium_mg: Decimal | None = None
    potassium_mg: Decimal | None = None
    calcium_mg: Decimal | None = None
    iron_mg: Decimal | None = None
    magnesium_mg: Decimal | None = None
    phosphorus_mg: Decimal | None = None
    zinc_mg: Decimal | None = None
    vitamin_a_ug: Decimal | None = None
    vitamin_c_mg: Decimal | None = None
    vitamin_d_ug: Decimal | None = None
    vitamin_b12_ug: Decimal | None = None
    folate_ug: Decimal | None = None


NUTRIENT_NAMES: tuple[str, ...] = Nutrients.__struct_fields__
OPTIONAL_NAMES = NUTRIENT_NAMES[4:]


class Totals(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sum over food eaten. `known_grams` holds, for nutrients that some of it does not tell, how many grams do."""

    nutrients: Nutrients
    grams: Decimal
    known_grams: dict[str, Decimal] = {}

    def known_fraction(self, name: str) -> Decimal:
        """The share of the eaten grams whose amount of this nutrient is known, from 0 to 1."""
        if self.grams == 0:
            return Decimal(1)
        return self.known_grams.get(name, self.grams) / self.grams


NOTHING = Totals(
    nutrients=Nutrients(energy_kcal=ZERO, protein_g=ZERO, carbs_g=ZERO, fat_g=ZERO), grams=ZERO, known_grams={}
)

_encoder = msgspec.json.Encoder(decimal_format="number")
_nutrients_decoder = msgspec.json.Decoder(Nutrients)
_totals_decoder = msgspec.json.Decoder(Totals)


def encode(value: Nutrients | Totals) -> str:
    return _encoder.encode(value).decode()


def decode_nutrients(text: str) -> Nutrients:
    return _nutrients_decoder.decode(text)


def decode_totals(text: str) -> Totals:
    return _totals_decoder.decode(text)


def scale(nutrients: Nutrients, factor: Decimal) -> Nutrients:
    """Every known amount times the factor; nothing is rounded."""
    amounts: dict[str, Any] = {name: getattr(nutrients, name) for name in NUTRIENT_NAMES}
    for name, amount in amounts.items():
        if amount is not None:
            amounts[name] = amount * factor
    return Nutrients(**amounts)


def of_grams(per_100: Nutrients, grams: Decimal) -> Nutrients:
    return scale(per_100, grams / 100)


def total_of(portions: Iterable[tuple[Decimal, Nutrients]]) -> Totals:
    """The sum of (grams, nutrients of these grams). A nutrient that no portion tells stays None."""
    eaten = list(portions)
    grams = sum((each for each, _ in eaten), ZERO)
    amounts: dict[str, Any] = {}
    known_grams: dict[str, Decimal] = {}
    for name in NUTRIENT_NAMES:
        known = [(each, getattr(nutrients, name)) for each, nutrients in eaten if getattr(nutrients, name) is not None]
        amounts[name] = sum((amount for _, amount in known), ZERO) if known or name not in OPTIONAL_NAMES else None
        if len(known) < len(eaten):
            known_grams[name] = sum((each for each, _ in known), ZERO)
    return Totals(nutrients=Nutrients(**amounts), grams=grams, known_grams=known_grams)


def add_totals(totals: Iterable[Totals]) -> Totals:
    """The sum of sums: a day from its meals."""
    parts = list(totals)
    if len(parts) == 1:
        return parts[0]
    grams = sum((part.grams for part in parts), ZERO)
    amounts: dict[str, Any] = {}
    known_grams: dict[str, Decimal] = {}
    for name in NUTRIENT_NAMES:
        known = [getattr(part.nutrients, name) for part in parts if getattr(part.nutrients, name) is not None]
        amounts[name] = sum(known, ZERO) if known or name not in OPTIONAL_NAMES else None
        known_of_all = sum((part.known_grams.get(name, part.grams) for part in parts), ZERO)
        if known_of_all < grams:
            known_grams[name] = known_of_all
    return Totals(nutrients=Nutrients(**amounts), grams=grams, known_grams=known_grams)
