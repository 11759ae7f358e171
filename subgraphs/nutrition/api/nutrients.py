"""Nutrients in GraphQL: amounts rounded once, and how much of a sum is known. Also the input for own foods."""

import strawberry

from subgraphs.nutrition.domain import nutrients as domain
from subgraphs.scalars import decimal_of, rounded, rounded_or_none


@strawberry.type(description="The share, from 0 to 1, of the grams eaten whose amount of a nutrient is known.")
class KnownFraction:
    totals: strawberry.Private[domain.Totals]

    @strawberry.field
    def fiber_g(self) -> float:
        return rounded(self.totals.known_fraction("fiber_g"), 4)

    @strawberry.field
    def sugar_g(self) -> float:
        return rounded(self.totals.known_fraction("sugar_g"), 4)

    @strawberry.field
    def saturated_fat_g(self) -> float:
        return rounded(self.totals.known_fraction("saturated_fat_g"), 4)

    @strawberry.field
    def sodium_mg(self) -> float:
        return rounded(self.totals.known_fraction("sodium_mg"), 4)


@strawberry.type(description="A vitamin or mineral.")
class Micronutrient:
    code: str = strawberry.field(description="Such as vitamin_c.")
    unit: str = strawberry.field(description="mg or ug.")
    amount: float


@strawberry.type(description="Amounts of nutrients; null is not known, which is not zero.")
class Nutrients:
    nutrients: strawberry.Private[domain.Nutrients]
    totals: strawberry.Private[domain.Totals | None]
    energy_kcal: float
    protein_g: float
    carbs_g: float
    fat_g: float

    @strawberry.field
    def fiber_g(self) -> float | None:
        return rounded_or_none(self.nutrients.fiber_g)

    @strawberry.field
    def sugar_g(self) -> float | None:
        return rounded_or_none(self.nutrients.sugar_g)

    @strawberry.field
    def saturated_fat_g(self) -> float | None:
        return rounded_or_none(self.nutrients.saturated_fat_g)

    @strawberry.field
    def cholesterol_mg(self) -> float | None:
        return rounded_or_none(self.nutrients.cholesterol_mg)

    @strawberry.field
    def sodium_mg(self) -> float | None:
        return rounded_or_none(self.nutrients.sodium_mg)

    @strawberry.field(description="Vitamins and minerals as far as they are known.")
    def micronutrients(self) -> list[Micronutrient]:
        known = ((name, getattr(self.nutrients, name)) for name in _MICRONUTRIENTS)
        return [
            Micronutrient(code=name.rpartition("_")[0], unit=name.rpartition("_")[2], amount=rounded(amount, 3))
            for name, amount in known
            if amount is not None
        ]

    @strawberry.field(description="How much of a sum is known; null for a single food.")
    def known_fraction(self) -> KnownFraction | None:
        return None if self.totals is None else KnownFraction(totals=self.totals)


_MICRONUTRIENTS = domain.NUTRIENT_NAMES[domain.NUTRIENT_NAMES.index("potassium_mg") :]


def nutrients_node(nutrients: domain.Nutrients, totals: domain.Totals | None = None) -> Nutrients:
    return Nutrients(
        nutrients=nutrients,
        totals=totals,
        energy_kcal=rounded(nutrients.energy_kcal),
        protein_g=rounded(nutrients.protein_g),
        carbs_g=rounded(nutrients.carbs_g),
        fat_g=rounded(nutrients.fat_g),
    )


def totals_node(totals: domain.Totals) -> Nutrients:
    return nutrients_node(totals.nutrients, totals)


@strawberry.input(description="Amounts in 100 g.")
class NutrientsInput:
    energy_kcal: float
    protein_g: float
    carbs_g: float
    fat_g: float
    fiber_g: float | None = None
    sugar_g: float | None = None
    saturated_fat_g: float | None = None
    cholesterol_mg: float | None = None
    sodium_mg: float | None = None

    def to_nutrients(self) -> domain.Nutrients:
        optional = ("fiber_g", "sugar_g", "saturated_fat_g", "cholesterol_mg", "sodium_mg")
        known = {name: decimal_of(getattr(self, name)) for name in optional if getattr(self, name) is not None}
        return domain.Nutrients(
            energy_kcal=decimal_of(self.energy_kcal),
            protein_g=decimal_of(self.protein_g),
            carbs_g=decimal_of(self.carbs_g),
            fat_g=decimal_of(self.fat_g),
            **known,
        )
