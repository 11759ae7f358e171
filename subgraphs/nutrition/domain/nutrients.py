"""Amounts of nutrients: of 100 g of a food, of a portion as it was eaten, and summed with how much of the sum is known.

Stored as JSON with exact decimals. What nobody measured is None, which is not zero.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

ZERO = Decimal(0)
KJ_PER_KCAL = Decimal("4.184")  # the thermochemical calorie, exact
SALT_PER_SODIUM = Decimal("2.5")  # as labels of the EU count it (1169/2011, annex I)


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
    alcohol_g: Decimal | None = None
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
# Vitamins and minerals, which labels tell in a list of their own.
MICRONUTRIENT_NAMES = NUTRIENT_NAMES[NUTRIENT_NAMES.index("potassium_mg") :]
# What labels of the EU count as the day's need of an adult (1169/2011, annex XIII), in the unit of the name.
REFERENCE_INTAKES = {
    "potassium_mg": Decimal(2000),
    "calcium_mg": Decimal(800),
    "iron_mg": Decimal(14),
    "magnesium_mg": Decimal(375),
    "phosphorus_mg": Decimal(700),
    "zinc_mg": Decimal(10),
    "vitamin_a_ug": Decimal(800),
    "vitamin_c_mg": Decimal(80),
    "vitamin_d_ug": Decimal(5),
    "vitamin_b12_ug": Decimal("2.5"),
    "folate_ug": Decimal(200),
}
ALWAYS_KNOWN_NAMES, OPTIONAL_NAMES = NUTRIENT_NAMES[:4], NUTRIENT_NAMES[4:]


class QuickAdd(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Energy that was eaten without telling of what food; macronutrients where they were told."""

    energy_kcal: Decimal
    protein_g: Decimal | None = None
    carbs_g: Decimal | None = None
    fat_g: Decimal | None = None
    name: str | None = None

    def times(self, factor: Decimal) -> "QuickAdd":
        """As much of it; nothing is rounded."""
        amounts = {name: getattr(self, name) for name in ALWAYS_KNOWN_NAMES}
        told = {name: amount * factor for name, amount in amounts.items() if amount is not None}
        return QuickAdd(name=self.name, **told)


class Totals(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sum over food eaten. `known_grams` holds, for nutrients that some of it does not tell, how many grams do.

    `quick_kcal` is the part of the energy that was told without a food: it has no grams.
    """

    nutrients: Nutrients
    grams: Decimal
    known_grams: dict[str, Decimal] = {}
    quick_kcal: Decimal = ZERO

    def known_fraction(self, name: str) -> Decimal:
        """The share of the eaten grams whose amount of this nutrient is known, from 0 to 1."""
        if self.grams == 0:
            return Decimal(1)
        return self.known_grams.get(name, self.grams) / self.grams


NOTHING = Totals(
    nutrients=Nutrients(energy_kcal=ZERO, protein_g=ZERO, carbs_g=ZERO, fat_g=ZERO), grams=ZERO, known_grams={}
)


def kj_of_kcal(kcal: Decimal) -> Decimal:
    return kcal * KJ_PER_KCAL


def kcal_of_kj(kj: Decimal) -> Decimal:
    """To a thousandth, as amounts of foods are told."""
    return round(kj / KJ_PER_KCAL, 3)


def salt_g_of_sodium_mg(sodium_mg: Decimal) -> Decimal:
    return sodium_mg * SALT_PER_SODIUM / 1000


def sodium_mg_of_salt_g(salt_g: Decimal) -> Decimal:
    return salt_g * 1000 / SALT_PER_SODIUM


_encoder = msgspec.json.Encoder(decimal_format="number")
_nutrients_decoder = msgspec.json.Decoder(Nutrients)
_totals_decoder = msgspec.json.Decoder(Totals)
_quick_decoder = msgspec.json.Decoder(tuple[QuickAdd, ...])


def encode(value: Nutrients | Totals | Sequence[QuickAdd]) -> str:
    return _encoder.encode(value).decode()


def decode_nutrients(text: str) -> Nutrients:
    return _nutrients_decoder.decode(text)


def decode_totals(text: str) -> Totals:
    return _totals_decoder.decode(text)


def decode_quick_adds(text: str) -> tuple[QuickAdd, ...]:
    return _quick_decoder.decode(text)


def scale(nutrients: Nutrients, factor: Decimal) -> Nutrients:
    """Every known amount times the factor; nothing is rounded."""
    amounts = zip(NUTRIENT_NAMES, msgspec.structs.astuple(nutrients), strict=True)
    return Nutrients(**{name: amount * factor for name, amount in amounts if amount is not None})


def of_grams(per_100: Nutrients, grams: Decimal) -> Nutrients:
    return scale(per_100, grams / 100)


def total_of(portions: Iterable[tuple[Decimal, Nutrients]], quick: Sequence[QuickAdd] = ()) -> Totals:
    """The sum of (grams, nutrients of these grams). A nutrient that no portion tells stays None.

    Quick adds count with what they tell, and in none of the grams.
    """
    eaten = list(portions)
    weights = [grams for grams, _ in eaten]
    amounts: dict[str, Any] = {}
    known_grams: dict[str, Decimal] = {}
    rows = [msgspec.structs.astuple(nutrients) for _, nutrients in eaten] or [(None,) * len(NUTRIENT_NAMES)]
    for name, told in zip(NUTRIENT_NAMES, zip(*rows, strict=True), strict=True):
        known = [amount for amount in told if amount is not None]
        amounts[name] = sum(known, ZERO) if known or name not in OPTIONAL_NAMES else None
        if len(known) < len(eaten):
            pairs = zip(weights, told, strict=True)
            known_grams[name] = sum((grams for grams, amount in pairs if amount is not None), ZERO)
    totals = Totals(nutrients=Nutrients(**amounts), grams=sum(weights, ZERO), known_grams=known_grams)
    return _with_quick_adds(totals, quick) if quick else totals


def _with_quick_adds(totals: Totals, quick: Sequence[QuickAdd]) -> Totals:
    told = {name: [getattr(each, name) or ZERO for each in quick] for name in ALWAYS_KNOWN_NAMES}
    sums = {name: sum(amounts, getattr(totals.nutrients, name)) for name, amounts in told.items()}
    nutrients = msgspec.structs.replace(totals.nutrients, **sums)
    return msgspec.structs.replace(totals, nutrients=nutrients, quick_kcal=sum(told["energy_kcal"], ZERO))


def add_totals(totals: Iterable[Totals]) -> Totals:
    """The sum of sums: a day from its meals."""
    parts = list(totals)
    if len(parts) == 1:
        return parts[0]
    grams = sum((part.grams for part in parts), ZERO)
    amounts: dict[str, Any] = {}
    rows = [msgspec.structs.astuple(part.nutrients) for part in parts] or [(None,) * len(NUTRIENT_NAMES)]
    for name, told in zip(NUTRIENT_NAMES, zip(*rows, strict=True), strict=True):
        known = [amount for amount in told if amount is not None]
        amounts[name] = sum(known, ZERO) if known or name not in OPTIONAL_NAMES else None
    quick_kcal = sum((part.quick_kcal for part in parts), ZERO)
    known_grams = _known_grams(parts, grams)
    return Totals(nutrients=Nutrients(**amounts), grams=grams, known_grams=known_grams, quick_kcal=quick_kcal)


def _known_grams(parts: Sequence[Totals], grams: Decimal) -> dict[str, Decimal]:
    """Of what some of these grams do not tell, how many do."""
    names = {name for part in parts for name in part.known_grams}
    found = {}
    for name in NUTRIENT_NAMES:
        if name in names:
            known = sum([part.known_grams.get(name, part.grams) for part in parts], ZERO)
            if known < grams:
                found[name] = known
    return found
