"""What an activity costs in energy, by MET and body weight. Used when a workout is priced and for `caloriesFor`.

1 MET is 3.5 ml of oxygen per kg and minute, and a litre of oxygen yields 5 kcal (ACSM): kcal = MET x 3.5 x kg / 200 x
minutes. Net leaves out what the body would have burned at rest, which a day's basal need already counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class EnergyMethod(StrEnum):
    """Where a workout's energy comes from."""

    MET = "MET"
    REPORTED = "REPORTED"
    UNKNOWN_WEIGHT = "UNKNOWN_WEIGHT"
    NO_DURATION = "NO_DURATION"


@dataclass(frozen=True, slots=True)
class Energy:
    """kcal gross and net; None with the method that says why there is no number."""

    method: EnergyMethod
    gross_kcal: Decimal | None = None
    net_kcal: Decimal | None = None
    body_weight_kg: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Effort:
    """Some exercise of a workout: how hard, how long if that was measured, and how many sets."""

    met: Decimal
    minutes: Decimal | None
    sets: int


def gross_kcal(met: Decimal, weight_kg: Decimal, minutes: Decimal) -> Decimal:
    return met * Decimal("3.5") * weight_kg / 200 * minutes


def net_kcal(met: Decimal, weight_kg: Decimal, minutes: Decimal) -> Decimal:
    return gross_kcal(max(met - 1, Decimal(0)), weight_kg, minutes)


def price_workout(
    efforts: Iterable[Effort], session_minutes: Decimal | None, weight_kg: Decimal | None, reported: Decimal | None
) -> Energy:
    """A device's or the person's own number stands; else each effort is priced by its minutes.

    Minutes of the session that no effort measured are shared among the unmeasured ones by their sets.
    """
    if reported is not None:
        return Energy(EnergyMethod.REPORTED, reported, reported, weight_kg)
    timed = share_minutes(tuple(efforts), session_minutes)
    if not timed:
        return Energy(EnergyMethod.NO_DURATION, body_weight_kg=weight_kg)
    if weight_kg is None:
        return Energy(EnergyMethod.UNKNOWN_WEIGHT)
    gross = sum((gross_kcal(met, weight_kg, minutes) for met, minutes in timed), Decimal(0))
    net = sum((net_kcal(met, weight_kg, minutes) for met, minutes in timed), Decimal(0))
    return Energy(EnergyMethod.MET, gross, net, weight_kg)


def share_minutes(efforts: tuple[Effort, ...], session_minutes: Decimal | None) -> list[tuple[Decimal, Decimal]]:
    """(MET, minutes) of each effort that has any."""
    measured = sum((effort.minutes for effort in efforts if effort.minutes is not None), Decimal(0))
    left = max((session_minutes or Decimal(0)) - measured, Decimal(0))
    shares = sum(max(effort.sets, 1) for effort in efforts if effort.minutes is None)
    timed = []
    for effort in efforts:
        minutes = effort.minutes if effort.minutes is not None else left * max(effort.sets, 1) / shares
        if minutes > 0:
            timed.append((effort.met, minutes))
    return timed
