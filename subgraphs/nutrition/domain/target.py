"""What a person needs a day: energy by Mifflin and St Jeor, macronutrients by weight and share, water by EFSA.

Suggestions for healthy adults, each step named so that it can be argued with.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from subgraphs.errors import Checks

PROTEIN_G_PER_KG = Decimal("1.6")  # Morton et al. 2018: no further gain of muscle above
FAT_SHARE = Decimal("0.3")  # the middle of the acceptable range of 20 to 35 %
KCAL_PER_G_PROTEIN, KCAL_PER_G_CARBS, KCAL_PER_G_FAT = Decimal(4), Decimal(4), Decimal(9)


class Sex(StrEnum):
    MALE = "MALE"
    FEMALE = "FEMALE"
    OTHER = "OTHER"


class ActivityLevel(StrEnum):
    SEDENTARY = "SEDENTARY"
    LIGHT = "LIGHT"
    MODERATE = "MODERATE"
    ACTIVE = "ACTIVE"
    VERY_ACTIVE = "VERY_ACTIVE"


ACTIVITY_FACTORS = {
    ActivityLevel.SEDENTARY: Decimal("1.2"),
    ActivityLevel.LIGHT: Decimal("1.375"),
    ActivityLevel.MODERATE: Decimal("1.55"),
    ActivityLevel.ACTIVE: Decimal("1.725"),
    ActivityLevel.VERY_ACTIVE: Decimal("1.9"),
}
# Mifflin, St Jeor 1990 (Am J Clin Nutr 51:241). For others the mean of both, as there is no better number.
_SEX_CONSTANTS = {Sex.MALE: Decimal(5), Sex.FEMALE: Decimal(-161), Sex.OTHER: Decimal(-78)}
_WATER_ML = {Sex.MALE: 2500, Sex.FEMALE: 2000, Sex.OTHER: 2250}


@dataclass(frozen=True, slots=True)
class Target:
    """What to eat in a day. Parts that are None are not aimed at."""

    energy_kcal: Decimal
    protein_g: Decimal | None = None
    carbs_g: Decimal | None = None
    fat_g: Decimal | None = None
    water_ml: int | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """A suggested target with the steps that led to it."""

    target: Target
    basal_kcal: Decimal
    activity_factor: Decimal


def basal_kcal(weight_kg: Decimal, height_cm: Decimal, age_years: int, sex: Sex | None) -> Decimal:
    """Energy at rest, in kcal a day. An unknown sex counts as the mean of the two."""
    constant = _SEX_CONSTANTS[sex or Sex.OTHER]
    return 10 * weight_kg + Decimal("6.25") * height_cm - 5 * age_years + constant


def suggest_target(
    weight_kg: Decimal, height_cm: Decimal, age_years: int, sex: Sex | None, activity: ActivityLevel | None
) -> Need:
    """A target that keeps the weight. An unknown activity counts as sedentary."""
    basal = basal_kcal(weight_kg, height_cm, age_years, sex)
    factor = ACTIVITY_FACTORS[activity or ActivityLevel.SEDENTARY]
    energy = basal * factor
    protein = PROTEIN_G_PER_KG * weight_kg
    fat = FAT_SHARE * energy / KCAL_PER_G_FAT
    carbs = (energy - KCAL_PER_G_PROTEIN * protein - KCAL_PER_G_FAT * fat) / KCAL_PER_G_CARBS
    target = Target(energy, protein, max(carbs, Decimal(0)), fat, _WATER_ML[sex or Sex.OTHER])
    return Need(target, basal, factor)


def check_target(checks: Checks, target: Target) -> None:
    checks.require(1000 <= target.energy_kcal <= 5000, "energyKcal", "must be from 1000 to 5000")
    for name, grams in (("proteinG", target.protein_g), ("carbsG", target.carbs_g), ("fatG", target.fat_g)):
        checks.require(grams is None or 0 <= grams <= 1500, name, "must be from 0 to 1500")
    checks.require(target.water_ml is None or 0 < target.water_ml <= 10_000, "waterMl", "must be from 1 to 10000")
