"""What a person needs a day: energy by Mifflin and St Jeor, macronutrients by weight and share, water by EFSA.

Suggestions for healthy adults, each step named so that it can be argued with.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from subgraphs.nutrition.domain.nutrient_aim import NutrientAim, check_aims
from subgraphs.nutrition.domain.training_target import TargetBasis, TrainingTarget
from subgraphs.nutrition.domain.weekday_target import MOST_VARIATIONS, WeekdayTarget, check_variations
from subgraphs.shell.calendar import weekday_of
from subgraphs.shell.errors import Checks
from subgraphs.shell.physiology import ActivityLevel, FitnessGoal, Sex

PROTEIN_G_PER_KG = Decimal("1.6")  # Morton et al. 2018: no further gain of muscle above
MOST_PROTEIN_SHARE = Decimal("0.35")  # the upper end of the acceptable range of 10 to 35 % (DRI)
FAT_SHARE = Decimal("0.3")  # the middle of the acceptable range of 20 to 35 %
KCAL_PER_G_PROTEIN, KCAL_PER_G_CARBS, KCAL_PER_G_FAT = Decimal(4), Decimal(4), Decimal(9)


ACTIVITY_FACTORS = {
    ActivityLevel.SEDENTARY: Decimal("1.2"),
    ActivityLevel.LIGHT: Decimal("1.375"),
    ActivityLevel.MODERATE: Decimal("1.55"),
    ActivityLevel.ACTIVE: Decimal("1.725"),
    ActivityLevel.VERY_ACTIVE: Decimal("1.9"),
}
# What a goal makes of the energy that keeps the weight: a moderate deficit, a plain and a lean surplus.
GOAL_FACTORS = {
    FitnessGoal.LOSE_WEIGHT: Decimal("0.85"),
    FitnessGoal.MAINTAIN: Decimal(1),
    FitnessGoal.GAIN_WEIGHT: Decimal("1.2"),
    FitnessGoal.GAIN_MUSCLE: Decimal("1.1"),
    FitnessGoal.ENDURANCE: Decimal(1),
    FitnessGoal.GENERAL_FITNESS: Decimal(1),
}
# Below this nobody should eat without a physician (common guidance); for others the mean of both.
LEAST_KCAL = {Sex.MALE: Decimal(1500), Sex.FEMALE: Decimal(1200), Sex.OTHER: Decimal(1350)}
LEAST_TARGET_KCAL, MOST_TARGET_KCAL = 1000, 10_000
MOST_TARGET_G, MOST_TARGET_ML = 2500, 10_000
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
    nutrients: tuple[NutrientAim, ...] = ()
    weekdays: tuple[WeekdayTarget, ...] = ()
    training_day: TrainingTarget | None = None

    def on(self, day: date, *, is_trained: bool = False) -> "Target":
        """What it is on this day: another on days of training, and else on weekdays that have their own."""
        own = self._own(day, is_trained=is_trained)
        if own is None:
            return self
        energy, protein, carbs, fat = own.energy_kcal, own.protein_g, own.carbs_g, own.fat_g
        return replace(self, energy_kcal=energy, protein_g=protein, carbs_g=carbs, fat_g=fat)

    def basis_on(self, day: date, *, is_trained: bool) -> TargetBasis:
        """Which of its sets of values holds on this day."""
        own = self._own(day, is_trained=is_trained)
        if own is None:
            return TargetBasis.USUAL
        return TargetBasis.TRAINING_DAY if isinstance(own, TrainingTarget) else TargetBasis.WEEKDAY

    def _own(self, day: date, *, is_trained: bool) -> TrainingTarget | WeekdayTarget | None:
        if is_trained and self.training_day is not None:
            return self.training_day
        weekday = weekday_of(day)
        return next((own for own in self.weekdays if weekday in own.weekdays), None)


@dataclass(frozen=True, slots=True)
class Need:
    """A suggested target with the steps that led to it. `basal_kcal` is None where the formula makes no sense."""

    target: Target
    basal_kcal: Decimal | None
    activity_factor: Decimal
    goal_factor: Decimal


def basal_kcal(weight_kg: Decimal, height_cm: Decimal, age_years: int, sex: Sex | None) -> Decimal:
    """Energy at rest, in kcal a day. An unknown sex counts as the mean of the two."""
    constant = _SEX_CONSTANTS[sex or Sex.OTHER]
    return 10 * weight_kg + Decimal("6.25") * height_cm - 5 * age_years + constant


def suggest_target(
    weight_kg: Decimal,
    height_cm: Decimal,
    age_years: int,
    sex: Sex | None,
    activity: ActivityLevel | None,
    goal: FitnessGoal | None = None,
) -> Need:
    """A target for the goal, never less than is safe. An unknown activity counts as sedentary, no goal as keeping.

    Protein is 1.6 g a kilogram and at most 35 % of the energy, fat 30 % of it, carbohydrate the rest: never negative.
    """
    basal = basal_kcal(weight_kg, height_cm, age_years, sex)
    activity_factor = ACTIVITY_FACTORS[activity or ActivityLevel.SEDENTARY]
    goal_factor = GOAL_FACTORS[goal or FitnessGoal.MAINTAIN]
    energy = max(LEAST_KCAL[sex or Sex.OTHER], basal * activity_factor * goal_factor)
    energy = min(energy, Decimal(MOST_TARGET_KCAL))
    target = share_energy(energy, PROTEIN_G_PER_KG * weight_kg, sex)
    return Need(target, basal if basal > 0 else None, activity_factor, goal_factor)


def share_energy(energy_kcal: Decimal, protein_g: Decimal, sex: Sex | None) -> Target:
    """Macronutrients of an energy: so much protein, though at most 35 % of it, fat 30 %, carbohydrate the rest."""
    protein = min(protein_g, MOST_PROTEIN_SHARE * energy_kcal / KCAL_PER_G_PROTEIN)
    fat = FAT_SHARE * energy_kcal / KCAL_PER_G_FAT
    carbs = (energy_kcal - KCAL_PER_G_PROTEIN * protein - KCAL_PER_G_FAT * fat) / KCAL_PER_G_CARBS
    return Target(energy_kcal, protein, carbs, fat, _WATER_ML[sex or Sex.OTHER])


def check_target(checks: Checks, target: Target) -> None:
    _check_amounts(checks, target, "")
    check_variations(checks, target.weekdays)
    for number, variation in enumerate(target.weekdays[:MOST_VARIATIONS]):
        _check_amounts(checks, variation, f"weekdays.{number}.")
    if target.training_day is not None:
        _check_amounts(checks, target.training_day, "trainingDay.")
    in_range = target.water_ml is None or 1 <= target.water_ml <= MOST_TARGET_ML
    checks.require(in_range, "waterMl", f"must be from 1 to {MOST_TARGET_ML}")
    check_aims(checks, target.nutrients)


def _check_amounts(checks: Checks, amounts: Target | WeekdayTarget | TrainingTarget, place: str) -> None:
    in_range = LEAST_TARGET_KCAL <= amounts.energy_kcal <= MOST_TARGET_KCAL
    checks.require(in_range, f"{place}energyKcal", f"must be from {LEAST_TARGET_KCAL} to {MOST_TARGET_KCAL}")
    for name, grams in (("proteinG", amounts.protein_g), ("carbsG", amounts.carbs_g), ("fatG", amounts.fat_g)):
        in_range = grams is None or 0 <= grams <= MOST_TARGET_G
        checks.require(in_range, f"{place}{name}", f"must be from 0 to {MOST_TARGET_G}")
