"""Rules of weighings and the numbers that follow from a body."""

from datetime import datetime
from decimal import Decimal

from subgraphs.shell.calendar import check_instant
from subgraphs.shell.errors import Checks

LIGHTEST_KG = 20
HEAVIEST_KG = 500
LONGEST_NOTES = 500
#: Of one person: five a day for more than ten years.
MOST_WEIGHINGS = 20_000


def body_mass_index(weight_kg: Decimal, height_cm: Decimal) -> Decimal:
    """In kg per square metre; says something about adults only."""
    return weight_kg / (height_cm / 100) ** 2


def check_notes(checks: Checks, notes: str | None) -> None:
    """Of whatever is logged of a body."""
    if notes is not None:
        checks.require(len(notes) <= LONGEST_NOTES, "notes", f"may have at most {LONGEST_NOTES} characters")


def check_weighing(
    checks: Checks,
    *,
    weight_kg: Decimal,
    body_fat_percent: Decimal | None,
    muscle_mass_kg: Decimal | None,
    notes: str | None,
    recorded_at: datetime,
    now: datetime,
) -> None:
    """Collects every rule that a weighing breaks. Muscle and fat cannot be more than the weight."""
    in_range = LIGHTEST_KG <= weight_kg <= HEAVIEST_KG
    checks.require(in_range, "weightKg", f"must be from {LIGHTEST_KG} to {HEAVIEST_KG}")
    if body_fat_percent is not None:
        checks.require(1 <= body_fat_percent <= 75, "bodyFatPercent", "must be from 1 to 75")
    if muscle_mass_kg is not None:
        fits = 1 <= muscle_mass_kg <= weight_kg * (1 - (body_fat_percent or Decimal(0)) / 100)
        checks.require(fits, "muscleMassKg", "must be from 1 to the weight without its fat")
    check_notes(checks, notes)
    check_instant(checks, recorded_at, now, "recordedAt")
