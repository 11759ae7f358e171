"""How hard somebody has trained lately against what the body is used to. Loads in Foster's units; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import exp
from statistics import mean, pstdev

FATIGUE_DAYS, FITNESS_DAYS = 7, 42
#: Read before the first day asked for: what 300 days ago weighs is under a thousandth.
WARM_UP_DAYS = 300
# Exponentially weighted with these time constants (Banister 1975): 0.133122 and 0.023528 a day.
_FATIGUE, _FITNESS = (1 - exp(-1 / days) for days in (FATIGUE_DAYS, FITNESS_DAYS))
ACUTE_DAYS, CHRONIC_DAYS = 7, 28
# Of the ratio: 2 / (N + 1), which is 0.25 and 0.068966 a day (Williams et al. 2017, Br J Sports Med 51:209).
_ACUTE, _CHRONIC = (2 / (days + 1) for days in (ACUTE_DAYS, CHRONIC_DAYS))


@dataclass(frozen=True, slots=True)
class DayLoad:
    """`acute` and `chronic` hold at the day's end; `balance` is what stood at its beginning, chronic less acute.

    `monotony` and `strain` are of the seven days up to it (Foster 1998), None where each was the same. The ratio of acute and
    chronic load is another smoothing, see `acute_chronic_ratios`.
    """

    day: date
    load: float
    acute: float
    chronic: float
    balance: float
    monotony: float | None
    strain: float | None
    acute_chronic_ratio: float | None


def session_load(rpe: Decimal | None, minutes: Decimal | None) -> Decimal | None:
    """Exertion of the whole session, 0 to 10, times its minutes (Foster et al. 2001); None where either is untold."""
    return None if rpe is None or minutes is None else rpe * minutes


def daily_loads(loads: Mapping[date, Decimal], first: date, last: date) -> list[DayLoad]:
    """Each day from `first` to `last`, from the loads of the days since `WARM_UP_DAYS` before; other days had none."""
    found: list[DayLoad] = []
    acute = chronic = 0.0
    week: list[float] = []
    ratios = acute_chronic_ratios(loads, first, last)
    day = first - timedelta(days=WARM_UP_DAYS)
    while day <= last:
        load = float(loads.get(day, 0))
        balance = chronic - acute
        acute += _FATIGUE * (load - acute)
        chronic += _FITNESS * (load - chronic)
        week = [*week[-6:], load]
        if day >= first:
            monotony, strain = monotony_and_strain(week)
            found.append(
                DayLoad(
                    day=day,
                    load=load,
                    acute=acute,
                    chronic=chronic,
                    balance=balance,
                    monotony=monotony,
                    strain=strain,
                    acute_chronic_ratio=ratios.get(day),
                )
            )
        day += timedelta(days=1)
    return found


def acute_chronic_ratios(loads: Mapping[date, Decimal], first: date, last: date) -> dict[date, float]:
    """Acute over chronic load of the days from `first` to `last`: the last days' load against that of the last weeks.

    Both are means of all days since the first that has a load, weighted exponentially with 2 / (N + 1) a day, N 7 and 28 (Williams
    et al. 2017); the weights of those days add up to 1, so that somebody who trains alike from the beginning has a ratio
    of 1. Days before the 28th have none: there is no chronic load to compare with yet.
    """
    found: dict[date, float] = {}
    acute = chronic = 0.0
    day = begin = min(loads, default=last + timedelta(days=1))
    while day <= last:
        load, known = float(loads.get(day, 0)), (day - begin).days + 1
        acute += _ACUTE * (load - acute)
        chronic += _CHRONIC * (load - chronic)
        if day >= first and known >= CHRONIC_DAYS and chronic > 0:
            found[day] = (acute / (1 - (1 - _ACUTE) ** known)) / (chronic / (1 - (1 - _CHRONIC) ** known))
        day += timedelta(days=1)
    return found


def monotony_and_strain(week: Sequence[float]) -> tuple[float | None, float | None]:
    """Mean over standard deviation of seven days' loads, and that times their sum."""
    spread = pstdev(week)
    if spread == 0:
        return None, None
    monotony = mean(week) / spread
    return monotony, monotony * sum(week)
