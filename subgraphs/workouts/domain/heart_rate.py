"""What a heart rate says: zones, energy and load. Rates in beats a minute. Estimates for healthy adults; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from math import exp

from subgraphs.shell.errors import Checks
from subgraphs.shell.physiology import HeartRateKind, Sex

SLOWEST, FASTEST = 25, 250
LONGEST_MINUTES = 1440
_BOUNDS = (Decimal("0.5"), Decimal("0.6"), Decimal("0.7"), Decimal("0.8"), Decimal("0.9"), Decimal(1))


class ZoneMethod(StrEnum):
    MAX = "MAX"
    RESERVE = "RESERVE"


class MaxFormula(StrEnum):
    TANAKA = "TANAKA"
    FOX = "FOX"


class HeartRateSource(StrEnum):
    ASKED = "ASKED"
    MEASURED = "MEASURED"
    FORMULA = "FORMULA"


@dataclass(frozen=True, slots=True)
class HeldRate:
    """A heart rate of the person's own, which holds from `since` until the day of the next of its kind."""

    kind: HeartRateKind
    beats_per_minute: int
    since: date


@dataclass(frozen=True, slots=True)
class Heart:
    """What is known of somebody's heart on a day: the age of then, and what is kept of any day."""

    day: date
    age_years: int | None
    held: Sequence[HeldRate] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """A heart rate to reckon with and where it comes from; `since` is of a measured one."""

    beats_per_minute: Decimal
    source: HeartRateSource
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Zone:
    """From `first` up to, not including, `last`; the highest includes it."""

    number: int
    first: Decimal
    last: Decimal


def max_heart_rate(age_years: int, formula: MaxFormula = MaxFormula.TANAKA) -> Decimal:
    """208 - 0.7 a year (Tanaka et al. 2001, J Am Coll Cardiol 37:153), or Fox's 220 - age of 1971."""
    if formula is MaxFormula.FOX:
        return Decimal(220 - age_years)
    return 208 - Decimal("0.7") * age_years


def rate_at_rest(heart: Heart, asked: int | None) -> Rate | None:
    """What the question names, else what was kept and held on the day; None without either."""
    return _asked_or_held(heart, HeartRateKind.RESTING, asked)


def rate_at_most(heart: Heart, asked: int | None, formula: MaxFormula = MaxFormula.TANAKA) -> Rate | None:
    """What the question names, else what was kept and held on the day, else the formula by the age of then; None if
    the age is not known either.
    """
    found = _asked_or_held(heart, HeartRateKind.MAXIMUM, asked)
    if found is not None or heart.age_years is None:
        return found
    return Rate(max_heart_rate(heart.age_years, formula), HeartRateSource.FORMULA)


def _asked_or_held(heart: Heart, kind: HeartRateKind, asked: int | None) -> Rate | None:
    if asked is not None:
        return Rate(Decimal(asked), HeartRateSource.ASKED)
    held = [each for each in heart.held if each.kind is kind and each.since <= heart.day]
    if not held:
        return None
    newest = max(held, key=lambda each: each.since)
    return Rate(Decimal(newest.beats_per_minute), HeartRateSource.MEASURED, newest.since)


def zones(method: ZoneMethod, most: Decimal, at_rest: Decimal | None) -> list[Zone]:
    """Five zones of 10 % each from 50 % on: of the maximum, or of the reserve above rest (Karvonen 1957)."""
    floor = at_rest if method is ZoneMethod.RESERVE and at_rest is not None else Decimal(0)
    edges = [floor + part * (most - floor) for part in _BOUNDS]
    return [Zone(number, *pair) for number, pair in enumerate(pairwise(edges), start=1)]


def times_in_zones(told: Sequence[tuple[Decimal, Decimal]], of: Sequence[Zone]) -> list[Decimal]:
    """Of (rate, seconds): the seconds below the lowest zone, then those in each; what is above the highest is in it."""
    found = [Decimal(0)] * (len(of) + 1)
    for rate, seconds in told:
        found[sum(rate >= zone.first for zone in of)] += seconds
    return found


def keytel_kcal(heart_rate: Decimal, minutes: Decimal, weight_kg: Decimal, age_years: int, sex: Sex | None) -> Decimal:
    """Gross kcal of steady effort (Keytel et al. 2005, J Sports Sci 23:289); trustworthy from 90 to 180 beats, never < 0.

    Without a sex, or with OTHER, it is the mean of the two lines.
    """
    lines = {
        Sex.MALE: ("-55.0969", "0.6309", "0.1988", "0.2017"),
        Sex.FEMALE: ("-20.4022", "0.4472", "-0.1263", "0.074"),
    }
    chosen = lines.values() if sex in (None, Sex.OTHER) else (lines[sex],)
    rates = []
    for line in chosen:
        constant, of_heart, of_weight, of_age = map(Decimal, line)
        rates.append((constant + of_heart * heart_rate + of_weight * weight_kg + of_age * age_years) / Decimal("4.184"))
    return max(sum(rates, Decimal(0)) / len(rates), Decimal(0)) * minutes


def edwards_load(minutes_in_zones: Sequence[Decimal]) -> Decimal:
    """Minutes in each of the five zones of the maximum times the zone's number (Edwards 1993)."""
    return sum((minutes * number for number, minutes in enumerate(minutes_in_zones, start=1)), Decimal(0))


def banister_load(heart_rate: Decimal, minutes: Decimal, at_rest: Decimal, most: Decimal, sex: Sex | None) -> Decimal:
    """Training impulse: minutes weighed by the share of the reserve, more for more (Morton, Banister 1990)."""
    share = min(max((heart_rate - at_rest) / (most - at_rest), Decimal(0)), Decimal(1))
    weights = {Sex.MALE: (0.64, 1.92), Sex.FEMALE: (0.86, 1.67)}
    chosen = list(weights.values()) if sex in (None, Sex.OTHER) else [weights[sex]]
    factor = sum(scale * exp(growth * float(share)) for scale, growth in chosen) / len(chosen)
    return minutes * share * Decimal(repr(factor))


def check_rates(checks: Checks, **rates: int | None) -> None:
    """Each rate that was told, by the name of its argument; the maximum has to be above rest."""
    for name, rate in rates.items():
        checks.require(
            rate is None or SLOWEST <= rate <= FASTEST, name, f"must be from {SLOWEST} to {FASTEST} beats a minute"
        )
    at_rest, most = rates.get("restingHeartRate"), rates.get("maxHeartRate")
    if at_rest is not None and most is not None:
        checks.require(at_rest < most, "maxHeartRate", "must be above the heart rate at rest")
