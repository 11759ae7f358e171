"""Aims of single nutrients in GraphQL: what a target asks for, and how a day keeps to it."""

from enum import Enum

import strawberry

from subgraphs.nutrition.api.nutrients import NutrientUnit
from subgraphs.nutrition.domain import nutrient_aim as domain
from subgraphs.nutrition.domain.nutrients import Totals
from subgraphs.shell.scalars import decimal_of_or_none, rounded, rounded_or_none


@strawberry.enum(description="A nutrient beside energy and the macronutrients, and the unit it is told in.")
class NutrientCode(Enum):
    FIBER = strawberry.enum_value("fiber_g", description="Dietary fibre, in grams.")
    SUGAR = strawberry.enum_value("sugar_g", description="Sugars, in grams.")
    SATURATED_FAT = strawberry.enum_value("saturated_fat_g", description="Saturated fatty acids, in grams.")
    CHOLESTEROL = strawberry.enum_value("cholesterol_mg", description="Cholesterol, in milligrams.")
    SODIUM = strawberry.enum_value("sodium_mg", description="Sodium, in milligrams: 1,000 are 2.5 g of salt.")
    ALCOHOL = strawberry.enum_value("alcohol_g", description="Alcohol, in grams.")
    POTASSIUM = strawberry.enum_value("potassium_mg", description="Potassium, in milligrams.")
    CALCIUM = strawberry.enum_value("calcium_mg", description="Calcium, in milligrams.")
    IRON = strawberry.enum_value("iron_mg", description="Iron, in milligrams.")
    MAGNESIUM = strawberry.enum_value("magnesium_mg", description="Magnesium, in milligrams.")
    PHOSPHORUS = strawberry.enum_value("phosphorus_mg", description="Phosphorus, in milligrams.")
    ZINC = strawberry.enum_value("zinc_mg", description="Zinc, in milligrams.")
    VITAMIN_A = strawberry.enum_value("vitamin_a_ug", description="Vitamin A, in micrograms.")
    VITAMIN_C = strawberry.enum_value("vitamin_c_mg", description="Vitamin C, in milligrams.")
    VITAMIN_D = strawberry.enum_value("vitamin_d_ug", description="Vitamin D, in micrograms.")
    VITAMIN_B12 = strawberry.enum_value("vitamin_b12_ug", description="Vitamin B12, in micrograms.")
    FOLATE = strawberry.enum_value("folate_ug", description="Folate, in micrograms.")


@strawberry.type(description="What a person aims at of a nutrient in a day.")
class NutrientAim:
    nutrient: NutrientCode = strawberry.field(description="Which one.")
    unit: NutrientUnit = strawberry.field(description="What the amounts are told in.")
    minimum: float | None = strawberry.field(description="In `unit`; null without a lower bound.")
    maximum: float | None = strawberry.field(description="In `unit`; null without an upper bound.")


@strawberry.type(description="How a day keeps to an aim.")
class NutrientProgress:
    aim: NutrientAim = strawberry.field(description="The aim of the target in force on the day.")
    amount: float | None = strawberry.field(description="What was eaten, in the aim's unit; null if no food tells it.")
    known_fraction: float = strawberry.field(description="The share of the grams eaten whose amount is known, 0 to 1.")
    is_met: bool | None = strawberry.field(
        description="Whether the day keeps to the aim so far; null while less than nine tenths of it are known, or"
        " something was added without a food, and that could change the answer."
    )


@strawberry.input(description="What to aim at of a nutrient in a day.")
class NutrientAimInput:
    nutrient: NutrientCode = strawberry.field(description="Which one; each may stand once.")
    minimum: float | None = strawberry.field(default=None, description="In its unit, from 0. Null: no lower bound.")
    maximum: float | None = strawberry.field(default=None, description="In its unit, from 0. Null: no upper bound.")

    def to_aim(self) -> domain.NutrientAim:
        return domain.NutrientAim(
            name=str(self.nutrient.value),
            minimum=decimal_of_or_none(self.minimum),
            maximum=decimal_of_or_none(self.maximum),
        )


def aim_node(aim: domain.NutrientAim) -> NutrientAim:
    return NutrientAim(
        nutrient=NutrientCode(aim.name),
        unit=NutrientUnit(aim.name.rpartition("_")[2]),
        minimum=rounded_or_none(aim.minimum),
        maximum=rounded_or_none(aim.maximum),
    )


def progress_node(aim: domain.NutrientAim, eaten: Totals) -> NutrientProgress:
    return NutrientProgress(
        aim=aim_node(aim),
        amount=rounded_or_none(getattr(eaten.nutrients, aim.name)),
        known_fraction=rounded(eaten.known_fraction(aim.name), 4),
        is_met=aim.is_met(eaten),
    )
