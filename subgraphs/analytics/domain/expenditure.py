"""What a body uses a day, as seen from what was eaten and how the trend weight moved; and the pace it is to move at.

Expenditure = mean intake - change of the trend a day x 7,700 kcal/kg, over 28 days. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from subgraphs.analytics.domain.weight_trend import TrendPoint

#: Energy of a kilogram of changed weight, an assumption (Wishnofsky 1958: 3,500 kcal a pound).
KCAL_PER_KG = Decimal(7700)
WINDOW_DAYS = 28
#: A smoothed line begins at the first weighing; until it has followed for a week its slope is not the body's.
WARM_UP_DAYS = 7
#: A history of less than six weeks says less; a week more is read, so that one that began long ago is known to have.
YOUNG_DAYS = 42
READ_DAYS = YOUNG_DAYS + 7
LEAST_KCAL_OF_A_DAY = Decimal(200)
MOST_OFF_FORMULA = Decimal(500)
_WIDEST_GAP = timedelta(days=3)


class Confidence(StrEnum):
    FORMULA = "FORMULA"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


#: (level, least days with energy, least weighed days, least days from first to last weighing), the best first.
_LEVELS = (
    (Confidence.HIGH, 21, 8, 21),
    (Confidence.MEDIUM, 14, 4, 14),
    (Confidence.LOW, 7, 3, 7),
)
_BELOW = {Confidence.HIGH: Confidence.MEDIUM, Confidence.MEDIUM: Confidence.LOW, Confidence.LOW: Confidence.LOW}


@dataclass(frozen=True, slots=True)
class Expenditure:
    """kcal a day and what they rest on. With FORMULA they are the formula's, and None where there is none either.

    `measured_kcal` is what was seen before it was held within 500 kcal of the formula; `trend_kg` the newest in the window.
    """

    kcal: Decimal | None
    confidence: Confidence
    first: date
    last: date
    days_with_intake: int
    days_weighed: int
    mean_intake_kcal: Decimal | None = None
    kg_per_week: Decimal | None = None
    measured_kcal: Decimal | None = None
    trend_kg: Decimal | None = None


def expenditure(
    intake: Mapping[date, Decimal], trend: Sequence[TrendPoint], formula_kcal: Decimal | None, before: date
) -> Expenditure:
    """From the 28 days before a day. `intake` are the days with a meal, `trend` the weighed days from 49 days before on.

    Days of less than 200 kcal were not logged whole and do not count.
    """
    first, last = before - timedelta(days=WINDOW_DAYS), before - timedelta(days=1)
    eaten = [kcal for day, kcal in intake.items() if first <= day <= last and kcal >= LEAST_KCAL_OF_A_DAY]
    known = [point for point in trend if point.local_date <= last]
    points = _warmed_up(known, first)
    mean = sum(eaten, Decimal(0)) / len(eaten) if eaten else None
    newest = known[-1].trend_kg if known else None
    is_young = not known or known[0].local_date > before - timedelta(days=YOUNG_DAYS)
    level = _confidence(len(eaten), [point.local_date for point in points], is_young=is_young)
    if level is None or mean is None:
        return Expenditure(
            kcal=formula_kcal,
            confidence=Confidence.FORMULA,
            first=first,
            last=last,
            days_with_intake=len(eaten),
            days_weighed=len(points),
            mean_intake_kcal=mean,
            trend_kg=newest,
        )
    days = (points[-1].local_date - points[0].local_date).days
    slope = (points[-1].trend_kg - points[0].trend_kg) / days
    measured = mean - slope * KCAL_PER_KG
    return Expenditure(
        kcal=_near(measured, formula_kcal),
        confidence=level,
        first=first,
        last=last,
        days_with_intake=len(eaten),
        days_weighed=len(points),
        mean_intake_kcal=mean,
        kg_per_week=slope * 7,
        measured_kcal=measured,
        trend_kg=newest,
    )


def _warmed_up(points: Sequence[TrendPoint], first: date) -> list[TrendPoint]:
    """The window's points of a line that has followed for a week."""
    if not points:
        return []
    settled = points[0].local_date + timedelta(days=WARM_UP_DAYS)
    return [point for point in points if point.local_date >= max(first, settled)]


def _confidence(days_eaten: int, days: Sequence[date], *, is_young: bool) -> Confidence | None:
    """One level less for a young history or three days without a weighing. None where too little is known to say anything of one's own."""
    span = (days[-1] - days[0]).days if days else 0
    for level, eaten, weighings, least_span in _LEVELS:
        if days_eaten >= eaten and len(days) >= weighings and span >= least_span:
            has_gap = any(later - earlier > _WIDEST_GAP for earlier, later in pairwise(days))
            return _BELOW[level] if is_young or has_gap else level
    return None


def _near(measured: Decimal, formula_kcal: Decimal | None) -> Decimal:
    if formula_kcal is None:
        return max(measured, Decimal(0))
    return min(max(measured, formula_kcal - MOST_OFF_FORMULA), formula_kcal + MOST_OFF_FORMULA)


#: The most that a week may change of the weight, falling and rising (common guidance: 0.5 to 1 % a week).
FASTEST_LOSS, FASTEST_GAIN = Decimal("0.01"), Decimal("0.005")
USUAL_LOSS, USUAL_GAIN = Decimal("0.005"), Decimal("0.0025")


@dataclass(frozen=True, slots=True)
class Pace:
    """kg a week, negative to lose. `wanted` is what the goal's date asks for, None without one."""

    kg_per_week: Decimal
    wanted_kg_per_week: Decimal | None

    @property
    def is_held_back(self) -> bool:
        return self.wanted_kg_per_week is not None and abs(self.wanted_kg_per_week) > abs(self.kg_per_week)


STAY = Pace(Decimal(0), None)


def pace(trend_kg: Decimal, target_kg: Decimal, target_date: date | None, today: date) -> Pace:
    """To the target by its date, no faster than is safe; without a date, or past it, at the usual pace."""
    distance = target_kg - trend_kg
    is_loss = distance < 0
    fastest, usual = (FASTEST_LOSS, USUAL_LOSS) if is_loss else (FASTEST_GAIN, USUAL_GAIN)
    sign = -1 if is_loss else 1
    if distance == 0:
        return STAY
    if target_date is None or target_date <= today:
        return Pace(sign * min(usual * trend_kg, abs(distance)), None)
    wanted = distance * 7 / (target_date - today).days
    return Pace(sign * min(abs(wanted), fastest * trend_kg), wanted)
