"""What an activity costs in energy, by MET and body weight. Used when a workout is priced and for `caloriesFor`.

1 MET is 3.5 ml of oxygen per kg and minute, and a litre of oxygen yields 5 kcal (ACSM): kcal = MET x 3.5 x kg / 200 x
minutes. Net leaves out what the body would have burned at rest, which a day's basal need already counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

REST_MET = Decimal(1)
LONGEST_MINUTES = Decimal(24 * 60)


class Intensity(StrEnum):
    LIGHT = "LIGHT"
    MODERATE = "MODERATE"
    VIGOROUS = "VIGOROUS"


#: From how many MET on effort is called so (ACSM and CDC; Haskell et al. 2007).
MODERATE_MET = 3
VIGOROUS_MET = 6


class EnergyMethod(StrEnum):
    """Where a workout's energy comes from, or why it has none."""

    MET = "MET"
    REPORTED = "REPORTED"
    UNKNOWN_WEIGHT = "UNKNOWN_WEIGHT"
    UNKNOWN_EFFORT = "UNKNOWN_EFFORT"
    NO_DURATION = "NO_DURATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """kcal gross and net; None with the method that says why there is no number."""

    method: EnergyMethod
    gross_kcal: Decimal | None = None
    net_kcal: Decimal | None = None
    body_weight_kg: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Effort:
    """Some exercise of a workout: how hard if that is known, how long if that was measured, and how many sets."""

    met: Decimal | None
    minutes: Decimal | None
    sets: int


def gross_kcal(met: Decimal, weight_kg: Decimal, minutes: Decimal) -> Decimal:
    return met * Decimal("3.5") * weight_kg / 200 * minutes


def intensity_of(met: Decimal) -> Intensity:
    """Light below 3 MET, moderate below 6, vigorous from there on."""
    if met >= VIGOROUS_MET:
        return Intensity.VIGOROUS
    return Intensity.MODERATE if met >= MODERATE_MET else Intensity.LIGHT


def net_kcal(met: Decimal, weight_kg: Decimal, minutes: Decimal) -> Decimal:
    return gross_kcal(max(met - REST_MET, Decimal(0)), weight_kg, minutes)


def price_workout(
    efforts: Sequence[Effort], session_minutes: Decimal | None, weight_kg: Decimal | None, reported: Decimal | None
) -> Energy:
    """A device's or the person's own number stands; else each effort whose MET is known is priced by its minutes.

    A reported number is gross: what rest would have burned in the session's minutes is taken off for the net, which is
    unknown where the weight or the minutes are.
    """
    timed = share_minutes(efforts, session_minutes)
    minutes = session_minutes or sum((each for _, each in timed), Decimal(0))
    if reported is not None:
        net = None if weight_kg is None or not minutes else reported - gross_kcal(REST_MET, weight_kg, minutes)
        return Energy(
            method=EnergyMethod.REPORTED,
            gross_kcal=reported,
            net_kcal=None if net is None else max(net, Decimal(0)),
            body_weight_kg=weight_kg,
        )
    if not minutes:
        return Energy(method=EnergyMethod.NO_DURATION, body_weight_kg=weight_kg)
    known = [(met, each) for met, each in timed if met is not None]
    if not known:
        return Energy(method=EnergyMethod.UNKNOWN_EFFORT, body_weight_kg=weight_kg)
    if weight_kg is None:
        return Energy(method=EnergyMethod.UNKNOWN_WEIGHT)
    return Energy(
        method=EnergyMethod.MET,
        gross_kcal=sum((gross_kcal(met, weight_kg, each) for met, each in known), Decimal(0)),
        net_kcal=sum((net_kcal(met, weight_kg, each) for met, each in known), Decimal(0)),
        body_weight_kg=weight_kg,
    )


def share_minutes(efforts: Sequence[Effort], session_minutes: Decimal | None) -> list[tuple[Decimal | None, Decimal]]:
    """(MET, minutes) of each effort that has any.

    Minutes of the session that no effort measured are shared among the unmeasured ones by their sets. Efforts that
    together measured more than the session lasted are shortened in proportion: nobody trains longer than the session.
    """
    measured = sum((effort.minutes for effort in efforts if effort.minutes is not None), Decimal(0))
    lasts = session_minutes or min(measured, LONGEST_MINUTES)
    shortened = lasts / measured if measured > lasts else Decimal(1)
    left = max(lasts - measured, Decimal(0))
    shares = sum(max(effort.sets, 1) for effort in efforts if effort.minutes is None)
    timed = []
    for effort in efforts:
        minutes = left * max(effort.sets, 1) / shares if effort.minutes is None else effort.minutes * shortened
        if minutes > 0:
            timed.append((effort.met, minutes))
    return timed
