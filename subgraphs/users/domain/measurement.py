"""What can be measured of a body with a tape, and what that says of its fat. Lengths in cm, masses in kg."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from math import log10

from subgraphs.shell.calendar import check_instant
from subgraphs.shell.errors import Checks
from subgraphs.shell.measurement_kind import MeasurementKind
from subgraphs.shell.physiology import Sex
from subgraphs.users.domain.body import body_mass_index, check_notes

SHORTEST_CM, LONGEST_CM = 5, 400
MOST_MEASUREMENTS = 20_000
_CM_PER_INCH = Decimal("2.54")
_LEAST_FAT, _MOST_FAT = Decimal(2), Decimal(75)


class LengthUnit(StrEnum):
    CM = "CM"
    INCH = "INCH"


class BodyFatMethod(StrEnum):
    MEASURED = "MEASURED"
    NAVY = "NAVY"
    DEURENBERG = "DEURENBERG"


class BmiCategory(StrEnum):
    UNDERWEIGHT = "UNDERWEIGHT"
    NORMAL = "NORMAL"
    OVERWEIGHT = "OVERWEIGHT"
    OBESE_I = "OBESE_I"
    OBESE_II = "OBESE_II"
    OBESE_III = "OBESE_III"


#: WHO, for adults: each up to, not including, its bound in kg per square metre.
_BMI_BOUNDS = (
    (Decimal("18.5"), BmiCategory.UNDERWEIGHT),
    (Decimal(25), BmiCategory.NORMAL),
    (Decimal(30), BmiCategory.OVERWEIGHT),
    (Decimal(35), BmiCategory.OBESE_I),
    (Decimal(40), BmiCategory.OBESE_II),
)


def check_measurement(
    checks: Checks, *, value_cm: Decimal, notes: str | None, recorded_at: datetime, now: datetime
) -> None:
    in_range = SHORTEST_CM <= value_cm <= LONGEST_CM
    checks.require(in_range, "valueCm", f"must be from {SHORTEST_CM} to {LONGEST_CM}")
    check_notes(checks, notes)
    check_instant(checks, recorded_at, now, "recordedAt")


def length_in(unit: LengthUnit, value_cm: Decimal) -> Decimal:
    return value_cm if unit is LengthUnit.CM else value_cm / _CM_PER_INCH


def bmi_category(bmi: Decimal) -> BmiCategory:
    return next((category for bound, category in _BMI_BOUNDS if bmi < bound), BmiCategory.OBESE_III)


def navy_body_fat(
    sex: Sex, height_cm: Decimal, waist_cm: Decimal, neck_cm: Decimal, hip_cm: Decimal | None
) -> Decimal | None:
    """Percent by Hodgdon and Beckett (US Naval Health Research Center 1984), with its lengths in inches.

    None for a sex without a line, for a woman without the hip, and for lengths of no body.
    """
    height, waist, neck = (float(each / _CM_PER_INCH) for each in (height_cm, waist_cm, neck_cm))
    if sex is Sex.MALE and waist > neck:
        percent = 86.010 * log10(waist - neck) - 70.041 * log10(height) + 36.76
    elif sex is Sex.FEMALE and hip_cm is not None and waist_cm + hip_cm > neck_cm:
        percent = 163.205 * log10(waist + float(hip_cm / _CM_PER_INCH) - neck) - 97.684 * log10(height) - 78.387
    else:
        return None
    return _plausible(Decimal(repr(percent)))


def deurenberg_body_fat(bmi: Decimal, age_years: int, sex: Sex) -> Decimal | None:
    """Percent from the body mass index (Deurenberg et al. 1991, Br J Nutr 65:105); for adults of one of two sexes."""
    if sex is Sex.OTHER:
        return None
    male = 1 if sex is Sex.MALE else 0
    return _plausible(Decimal("1.20") * bmi + Decimal("0.23") * age_years - Decimal("10.8") * male - Decimal("5.4"))


def _plausible(percent: Decimal) -> Decimal | None:
    return percent if _LEAST_FAT <= percent <= _MOST_FAT else None


@dataclass(frozen=True, slots=True)
class FatEstimate:
    """Percent of the weight that is fat, by one method, and the two masses."""

    method: BodyFatMethod
    percent: Decimal
    fat_kg: Decimal
    lean_kg: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBody:
    """What the methods ask for; None for what is not known. `girths_cm` are the newest of each kind."""

    weight_kg: Decimal
    measured_percent: Decimal | None
    height_cm: Decimal | None
    age_years: int | None
    sex: Sex | None
    girths_cm: Mapping[MeasurementKind, Decimal]


def fat_estimates(body: KnownBody) -> Iterator[FatEstimate]:
    """By each method that has what it needs, the most direct first."""
    for method, percent in ((BodyFatMethod.MEASURED, body.measured_percent), *_from_outside(body)):
        if percent is not None:
            fat = body.weight_kg * percent / 100
            yield FatEstimate(method, percent, fat, body.weight_kg - fat)


def _from_outside(body: KnownBody) -> Iterator[tuple[BodyFatMethod, Decimal | None]]:
    if body.sex is None or body.height_cm is None:
        return
    waist, neck = (body.girths_cm.get(kind) for kind in (MeasurementKind.WAIST, MeasurementKind.NECK))
    if waist is not None and neck is not None:
        hip = body.girths_cm.get(MeasurementKind.HIP)
        yield BodyFatMethod.NAVY, navy_body_fat(body.sex, body.height_cm, waist, neck, hip)
    if body.age_years is not None:
        bmi = body_mass_index(body.weight_kg, body.height_cm)
        yield BodyFatMethod.DEURENBERG, deurenberg_body_fat(bmi, body.age_years, body.sex)
