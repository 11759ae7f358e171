"""Rules of weighings and the numbers that follow from a body."""

from datetime import datetime, timedelta
from decimal import Decimal

from subgraphs.errors import Checks

LIGHTEST_KG = 20
HEAVIEST_KG = 500
LONGEST_NOTES = 500
# Clocks of phones run ahead a little.
CLOCK_TOLERANCE = timedelta(minutes=5)


def body_mass_index(weight_kg: Decimal, height_cm: Decimal) -> Decimal:
    """In kg per square metre; says something about adults only."""
    return weight_kg / (height_cm / 100) ** 2


def check_weighing(
    checks: Checks,
    *,
    weight_kg: Decimal,
    body_fat_percent: Decimal | None,
    notes: str | None,
    recorded_at: datetime,
    now: datetime,
) -> None:
    in_range = LIGHTEST_KG <= weight_kg <= HEAVIEST_KG
    checks.require(in_range, "weightKg", f"must be from {LIGHTEST_KG} to {HEAVIEST_KG}")
    if body_fat_percent is not None:
        checks.require(1 <= body_fat_percent <= 75, "bodyFatPercent", "must be from 1 to 75")
    if notes is not None:
        checks.require(len(notes) <= LONGEST_NOTES, "notes", f"may have {LONGEST_NOTES} characters")
    checks.require(recorded_at <= now + CLOCK_TOLERANCE, "recordedAt", "must not be in the future")
    checks.require(recorded_at.year >= 1900, "recordedAt", "must be after 1900")
