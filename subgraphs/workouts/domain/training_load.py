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


@dataclass(frozen=True, slots=True)
class DayLoad:
    """`acute` and `chronic` hold at the day's end; `balance` is what stood at its beginning, chronic less acute.

    `monotony` and `strain` are of the seven days up to it (Foster 1998), None where each was the same.
    """

    day: date
    load: float
    acute: float
    chronic: float
    balance: float
    monotony: float | None
    strain: float | None


def session_load(rpe: Decimal | None, minutes: Decimal | None) -> Decimal | None:
    """Exertion of the whole session, 0 to 10, times its minutes (Foster et al. 2001); None where either is untold."""
    return None if rpe is None or minutes is None else rpe * minutes


def daily_loads(loads: Mapping[date, Decimal], first: date, last: date) -> list[DayLoad]:
    """Each day from `first` to `last`, from the loads of the days since `WARM_UP_DAYS` before; other days had none."""
    found: list[DayLoad] = []
    acute = chronic = 0.0
    week: list[float] = []
    day = first - timedelta(days=WARM_UP_DAYS)
    while day <= last:
        load = float(loads.get(day, 0))
        balance = chronic - acute
        acute += _FATIGUE * (load - acute)
        chronic += _FITNESS * (load - chronic)
        week = [*week[-6:], load]
        if day >= first:
            found.append(DayLoad(day, load, acute, chronic, balance, *monotony_and_strain(week)))
        day += timedelta(days=1)
    return found


def monotony_and_strain(week: Sequence[float]) -> tuple[float | None, float | None]:
    """Mean over standard deviation of seven days' loads, and that times their sum."""
    spread = pstdev(week)
    if spread == 0:
        return None, None
    monotony = mean(week) / spread
    return monotony, monotony * sum(week)
