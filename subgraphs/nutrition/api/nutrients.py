"""Nutrients in GraphQL: amounts rounded once, and how much of a sum is known. Also the input for own foods."""

from decimal import Decimal
from enum import Enum

import strawberry

from subgraphs.nutrition.domain import nutrients as domain
from subgraphs.nutrition.domain.food import MOST_MICRONUTRIENT_PER_100
from subgraphs.shell.cost import list_size
from subgraphs.shell.errors import Checks
from subgraphs.shell.quantities import Energy, EnergyIn, energy
from subgraphs.shell.scalars import decimal_of, decimal_of_or_none, rounded, rounded_or_none
from subgraphs.shell.units import EnergyUnit
from subgraphs.shell.worked_out import WorkedOut, worked_out

_NOT_KNOWN = "Null: not known, which is not zero."
# What a label's kilojoules may differ from its kilocalories: it rounds, and counts protein and carbohydrate as 17 kJ.
_KJ_TOLERANCE, _KJ_ROUNDING = Decimal("0.05"), 5


@strawberry.type(
    description="The share, from 0 to 1, of the grams eaten whose amount of a nutrient is known. Quick adds have no grams."
)
class KnownFraction:
    totals: strawberry.Private[domain.Totals]

    @strawberry.field(description="The share of the grams whose fibre is known, 0 to 1.")
    def fiber_g(self) -> float:
        return rounded(self.totals.known_fraction("fiber_g"), 4)

    @strawberry.field(description="The share of the grams whose sugar is known, 0 to 1.")
    def sugar_g(self) -> float:
        return rounded(self.totals.known_fraction("sugar_g"), 4)

    @strawberry.field(description="The share of the grams whose saturated fat is known, 0 to 1.")
    def saturated_fat_g(self) -> float:
        return rounded(self.totals.known_fraction("saturated_fat_g"), 4)

    @strawberry.field(description="The share of the grams whose sodium is known, 0 to 1.")
    def sodium_mg(self) -> float:
        return rounded(self.totals.known_fraction("sodium_mg"), 4)


@strawberry.enum(description="What an amount is told in.")
class NutrientUnit(Enum):
    G = strawberry.enum_value("g", description="Grams.")
    MG = strawberry.enum_value("mg", description="Milligrams.")
    UG = strawberry.enum_value("ug", description="Micrograms.")


@strawberry.enum(description="A vitamin or mineral, and the unit it is told in.")
class MicronutrientCode(Enum):
    POTASSIUM = strawberry.enum_value("POTASSIUM", description="Potassium, in milligrams.")
    CALCIUM = strawberry.enum_value("CALCIUM", description="Calcium, in milligrams.")
    IRON = strawberry.enum_value("IRON", description="Iron, in milligrams.")
    MAGNESIUM = strawberry.enum_value("MAGNESIUM", description="Magnesium, in milligrams.")
    PHOSPHORUS = strawberry.enum_value("PHOSPHORUS", description="Phosphorus, in milligrams.")
    ZINC = strawberry.enum_value("ZINC", description="Zinc, in milligrams.")
    VITAMIN_A = strawberry.enum_value(
        "VITAMIN_A", description="Vitamin A, as retinol activity equivalents in micrograms."
    )
    VITAMIN_C = strawberry.enum_value("VITAMIN_C", description="Vitamin C, in milligrams.")
    VITAMIN_D = strawberry.enum_value("VITAMIN_D", description="Vitamin D2 and D3 together, in micrograms.")
    VITAMIN_B12 = strawberry.enum_value("VITAMIN_B12", description="Vitamin B12, in micrograms.")
    FOLATE = strawberry.enum_value("FOLATE", description="Folate, all forms together, in micrograms.")


_NAME_OF_CODE = {name.rpartition("_")[0].upper(): name for name in domain.MICRONUTRIENT_NAMES}


@strawberry.type(description="An amount of a vitamin or mineral.")
class Micronutrient:
    code: MicronutrientCode = strawberry.field(description="Which one.")
    unit: NutrientUnit = strawberry.field(description="What `amount` is told in.")
    amount: float = strawberry.field(description="How much, in `unit`.")
    reference_percent: float = strawberry.field(
        description="Of what labels of the EU count as an adult's need of a day (1169/2011, annex XIII), in percent."
    )
    known_fraction: float | None = strawberry.field(
        description="The share of the grams eaten whose amount is known, 0 to 1; null for a single food."
    )


@strawberry.type(description="Amounts of nutrients. What nobody measured is null, which is not zero.")
class Nutrients:
    nutrients: strawberry.Private[domain.Nutrients]
    totals: strawberry.Private[domain.Totals | None]
    energy_kcal: WorkedOut[float] = worked_out(
        lambda self: rounded(self.nutrients.energy_kcal), description="Energy in kilocalories."
    )
    protein_g: WorkedOut[float] = worked_out(
        lambda self: rounded(self.nutrients.protein_g), description="Protein in grams."
    )
    carbs_g: WorkedOut[float] = worked_out(
        lambda self: rounded(self.nutrients.carbs_g),
        description="Carbohydrate in grams; fibre is in it where the source counts so.",
    )
    fat_g: WorkedOut[float] = worked_out(lambda self: rounded(self.nutrients.fat_g), description="Fat in grams.")

    @strawberry.field(description="Energy in a unit.")
    def energy(self, unit: EnergyIn = EnergyUnit.KCAL) -> Energy:
        return energy(self.nutrients.energy_kcal, unit)

    @strawberry.field(description="Energy in kilojoules: `energyKcal` times 4.184.")
    def energy_kj(self) -> float:
        return rounded(domain.kj_of_kcal(self.nutrients.energy_kcal))

    @strawberry.field(description=f"Dietary fibre in grams. {_NOT_KNOWN}")
    def fiber_g(self) -> float | None:
        return rounded_or_none(self.nutrients.fiber_g)

    @strawberry.field(description=f"Sugars in grams, part of the carbohydrate. {_NOT_KNOWN}")
    def sugar_g(self) -> float | None:
        return rounded_or_none(self.nutrients.sugar_g)

    @strawberry.field(description=f"Saturated fatty acids in grams, part of the fat. {_NOT_KNOWN}")
    def saturated_fat_g(self) -> float | None:
        return rounded_or_none(self.nutrients.saturated_fat_g)

    @strawberry.field(description=f"Cholesterol in milligrams. {_NOT_KNOWN}")
    def cholesterol_mg(self) -> float | None:
        return rounded_or_none(self.nutrients.cholesterol_mg)

    @strawberry.field(description=f"Sodium in milligrams. {_NOT_KNOWN}")
    def sodium_mg(self) -> float | None:
        return rounded_or_none(self.nutrients.sodium_mg)

    @strawberry.field(description=f"Alcohol in grams, 7 kcal each. {_NOT_KNOWN}")
    def alcohol_g(self) -> float | None:
        return rounded_or_none(self.nutrients.alcohol_g)

    @strawberry.field(description=f"Salt in grams as labels of the EU count it: sodium times 2.5. {_NOT_KNOWN}")
    def salt_g(self) -> float | None:
        sodium = self.nutrients.sodium_mg
        return None if sodium is None else rounded(domain.salt_g_of_sodium_mg(sodium), 3)

    @strawberry.field(
        description="Vitamins and minerals as far as they are known; what is not listed is not known.",
        directives=[list_size(20)],
    )
    def micronutrients(self) -> list[Micronutrient]:
        known = ((name, getattr(self.nutrients, name)) for name in domain.MICRONUTRIENT_NAMES)
        return [
            Micronutrient(
                code=MicronutrientCode[name.rpartition("_")[0].upper()],
                unit=NutrientUnit(name.rpartition("_")[2]),
                amount=rounded(amount, 3),
                reference_percent=rounded(100 * amount / domain.REFERENCE_INTAKES[name], 1),
                known_fraction=None if self.totals is None else rounded(self.totals.known_fraction(name), 4),
            )
            for name, amount in known
            if amount is not None
        ]

    @strawberry.field(
        description="The part of `energyKcal` that was added without a food: of it the macronutrients count as far as they"
        " were told, and nothing else is known. Null for a single food."
    )
    def quick_add_kcal(self) -> float | None:
        return None if self.totals is None else rounded(self.totals.quick_kcal)

    @strawberry.field(description="How much of a sum is known; null for a single food.")
    def known_fraction(self) -> KnownFraction | None:
        return None if self.totals is None else KnownFraction(totals=self.totals)


def nutrients_node(nutrients: domain.Nutrients, totals: domain.Totals | None = None) -> Nutrients:
    return Nutrients(
        nutrients=nutrients,
        totals=totals,
    )


def totals_node(totals: domain.Totals) -> Nutrients:
    return nutrients_node(totals.nutrients, totals)


@strawberry.input(description="An amount of a vitamin or mineral.")
class MicronutrientInput:
    code: MicronutrientCode = strawberry.field(description="Which one; each may stand once.")
    amount: float = strawberry.field(description="How much, in the unit that its code says; up to 100 g of it.")


@strawberry.input(description="Amounts in 100 g, or in 100 ml of a drink, as a label tells them.")
class NutrientsInput:
    protein_g: float = strawberry.field(description="Protein in grams, 0 to 100.")
    carbs_g: float = strawberry.field(description="Carbohydrate in grams, 0 to 100.")
    fat_g: float = strawberry.field(description="Fat in grams, 0 to 100.")
    energy_kcal: float | None = strawberry.field(
        default=None,
        description=(
            "Energy in kilocalories, 0 to 905, possible with the macronutrients and alcohol for the rest."
            " Null: as `energyKj` says; one of the two is needed."
        ),
    )
    energy_kj: float | None = strawberry.field(
        default=None, description="Energy in kilojoules. Null: as `energyKcal` says; both may differ by 5 %."
    )
    fiber_g: float | None = strawberry.field(default=None, description="Fibre in grams, 0 to 100. Null: not known.")
    sugar_g: float | None = strawberry.field(
        default=None, description="Sugars in grams, no more than the carbohydrate. Null: not known."
    )
    saturated_fat_g: float | None = strawberry.field(
        default=None, description="Saturated fatty acids in grams, no more than the fat. Null: not known."
    )
    cholesterol_mg: float | None = strawberry.field(
        default=None, description="Cholesterol in milligrams, 0 to 5000. Null: not known."
    )
    sodium_mg: float | None = strawberry.field(
        default=None, description="Sodium in milligrams, 0 to 40000. Null: as `saltG` says, or not known."
    )
    salt_g: float | None = strawberry.field(
        default=None, description="Salt in grams instead of sodium: 2.5 g for 1000 mg. Null: as `sodiumMg` says."
    )
    alcohol_g: float | None = strawberry.field(
        default=None, description="Alcohol in grams, 0 to 100; 12 % by volume are 9.5 g in 100 ml. Null: not known."
    )
    micronutrients: list[MicronutrientInput] = strawberry.field(
        default_factory=list, description="Vitamins and minerals; what is not listed is not known."
    )

    def to_nutrients(self) -> domain.Nutrients:
        """Raises ValidationError where energy is missing or told twice differently, both sodium and salt are told, or
        a vitamin or mineral twice or out of range.
        """
        checks = Checks()
        micronutrients = self._micronutrients(checks)
        energy = self._energy(checks)
        both = self.sodium_mg is not None and self.salt_g is not None
        checks.require(not both, "per100.saltG", "cannot stand beside sodiumMg: give one of them")
        checks.done()
        sodium = decimal_of_or_none(self.sodium_mg)
        if self.salt_g is not None:
            sodium = domain.sodium_mg_of_salt_g(decimal_of(self.salt_g))
        return domain.Nutrients(
            energy_kcal=energy,
            protein_g=decimal_of(self.protein_g),
            carbs_g=decimal_of(self.carbs_g),
            fat_g=decimal_of(self.fat_g),
            fiber_g=decimal_of_or_none(self.fiber_g),
            sugar_g=decimal_of_or_none(self.sugar_g),
            saturated_fat_g=decimal_of_or_none(self.saturated_fat_g),
            cholesterol_mg=decimal_of_or_none(self.cholesterol_mg),
            sodium_mg=sodium,
            alcohol_g=decimal_of_or_none(self.alcohol_g),
            **micronutrients,
        )

    def _micronutrients(self, checks: Checks) -> dict[str, Decimal]:
        amounts: dict[str, Decimal] = {}
        for number, each in enumerate(self.micronutrients):
            name, place = _NAME_OF_CODE[str(each.code.value)], f"per100.micronutrients.{number}"
            most = MOST_MICRONUTRIENT_PER_100[name.rpartition("_")[2]]
            checks.require(name not in amounts, f"{place}.code", "is there already")
            checks.require(0 <= each.amount <= most, f"{place}.amount", f"must be from 0 to {most} in 100 g")
            amounts[name] = decimal_of(each.amount)
        return amounts

    def _energy(self, checks: Checks) -> Decimal:
        kcal, kj = decimal_of_or_none(self.energy_kcal), decimal_of_or_none(self.energy_kj)
        if kcal is None:
            needed = checks.require(kj is not None, "per100.energyKcal", "is needed, or energyKj")
            return domain.kcal_of_kj(kj) if needed and kj is not None else domain.ZERO
        if kj is not None:
            differ = abs(domain.kj_of_kcal(kcal) - kj)
            told = f"must be about {domain.kj_of_kcal(kcal):.0f}, which is energyKcal times 4.184"
            checks.require(differ <= _KJ_TOLERANCE * abs(kj) + _KJ_ROUNDING, "per100.energyKj", told)
        return kcal
