"""Zones and efforts of the heart in GraphQL, by the rates that held on a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import strawberry

from subgraphs.shell.cost import list_size
from subgraphs.shell.errors import Checks
from subgraphs.shell.physiology import HeartRateKind, Sex, age_years
from subgraphs.shell.physiology_type import HeldHeartRate, PhysiologyOfHeart
from subgraphs.shell.scalars import decimal_of, describe_enum, rounded
from subgraphs.workouts.domain import heart_rate as domain
from subgraphs.workouts.domain.series import RateTimes

describe_enum(
    domain.ZoneMethod,
    "What the bounds of heart-rate zones are parts of.",
    MAX="Of the maximum.",
    RESERVE="Of the reserve between rest and maximum, above rest (Karvonen 1957).",
)
describe_enum(
    domain.MaxFormula,
    "Formulas of the maximum heart rate by age; somebody's own may be 10 beats away.",
    TANAKA="Tanaka et al. 2001: 208 - 0.7 a year.",
    FOX="Fox et al. 1971: 220 - age.",
)
describe_enum(
    domain.HeartRateSource,
    "Where a heart rate that was reckoned with comes from.",
    ASKED="The question named it.",
    MEASURED="The person keeps it, and it held on the day.",
    FORMULA="The formula's, by the age on the day.",
)


@strawberry.type(description="A heart rate that was reckoned with.")
class HeartRateTaken:
    beats_per_minute: float = strawberry.field(description="In beats a minute.")
    source: domain.HeartRateSource = strawberry.field(description="Where it comes from.")
    since: date | None = strawberry.field(
        description="From which day on the person keeps it; null unless it is `MEASURED`."
    )


@strawberry.type(description="Which heart rates were reckoned with.")
class HeartRateBasis:
    resting: HeartRateTaken | None = strawberry.field(
        description="At rest; null if the question names none and none was kept on the day."
    )
    maximum: HeartRateTaken = strawberry.field(description="At most.")


@strawberry.type(description="A range of heart rates.")
class HeartRateZone:
    number: int = strawberry.field(description="From 1, easy, to 5, the most.")
    first: float = strawberry.field(description="Its lower bound in beats a minute.")
    last: float = strawberry.field(description="Its upper bound, where the next begins.")
    basis: HeartRateBasis = strawberry.field(description="Which heart rates it is of; the same for all five.")


@strawberry.type(description="What steady effort at a heart rate comes to.")
class HeartRateEffort:
    kcal: float | None = strawberry.field(
        description="Gross energy by Keytel et al. 2005, good from 90 to 180 beats; null without a weight or an age."
    )
    banister_load: float = strawberry.field(description="Training impulse by Banister (Morton 1990).")
    edwards_load: float = strawberry.field(
        description="Minutes times the number of the zone of the maximum (Edwards 1993)."
    )
    zone: int | None = strawberry.field(description="The zone of the maximum; null below the first.")
    basis: HeartRateBasis = strawberry.field(description="Which heart rates it is reckoned with.")


@strawberry.type(description="How long the heart was in a zone.")
class HeartRateZoneTime:
    zone: HeartRateZone = strawberry.field(description="Which zone.")
    seconds: float = strawberry.field(description="For how long; what is above the highest zone counts as in it.")


@strawberry.type(description="What the heart did in a recorded workout, by each rate for as long as it lasted.")
class WorkoutHeartRate:
    zones: list[HeartRateZoneTime] = strawberry.field(
        description="The five zones, the lowest first.", directives=[list_size(5)]
    )
    seconds_below: float = strawberry.field(description="For how long it was below the lowest zone.")
    edwards_load: float = strawberry.field(
        description="Minutes in each zone of the maximum times the zone's number (Edwards 1993), whatever zones are asked for."
    )
    banister_load: float | None = strawberry.field(
        description="Training impulse by Banister (Morton 1990), added up over the rates; null without a heart rate at rest."
    )
    basis: HeartRateBasis = strawberry.field(description="Which heart rates it is reckoned with.")


@strawberry.input(description="A steady effort and the heart that made it.")
class HeartRateEffortInput:
    heart_rate: int = strawberry.field(description="The mean in beats a minute, 25 to 250.")
    minutes: float = strawberry.field(description="Above 0 and up to 1,440.")
    resting_heart_rate: int | None = strawberry.field(
        default=None,
        description="In beats a minute, 25 to 250 and below the maximum. Null: the person's own of the day, which there has"
        " to be then.",
    )
    max_heart_rate: int | None = strawberry.field(
        default=None,
        description="In beats a minute, 25 to 250. Null: the person's own of the day, else Tanaka's by age.",
    )
    on: date | None = strawberry.field(
        default=None,
        description="The day of the effort, such as a workout's `localDate`: heart rates, age and weight are those of then."
        " Null: today.",
    )


def heart_of(body: PhysiologyOfHeart | None, day: date, today: date) -> domain.Heart:
    """What users tell of the person, as of a day. An age without a date of birth is today's, and good for today alone."""
    if body is None:
        return domain.Heart(day, None)
    age = body.age_years if day == today else None
    if body.date_of_birth is not None:
        age = age_years(body.date_of_birth, day) if body.date_of_birth <= day else None
    held = [domain.HeldRate(each.kind, each.beats_per_minute, each.since) for each in body.heart_rates]
    return domain.Heart(day, age, held)


def held_rates(known: Mapping[str, Any]) -> Iterator[HeldHeartRate]:
    """The heart rates that the router fetched from users for us, as JSON."""
    for each in known.get("heartRates") or ():
        yield HeldHeartRate(
            kind=HeartRateKind(each["kind"]),
            beats_per_minute=each["beatsPerMinute"],
            since=date.fromisoformat(each["since"]),
        )


def zone_nodes(
    heart: domain.Heart, method: domain.ZoneMethod, formula: domain.MaxFormula, most: int | None, at_rest: int | None
) -> list[HeartRateZone] | None:
    """None where neither the maximum nor the age is known. Raises ValidationError for rates of no body."""
    checks = Checks()
    domain.check_rates(checks, maxHeartRate=most, restingHeartRate=at_rest)
    rest = domain.rate_at_rest(heart, at_rest)
    if method is domain.ZoneMethod.RESERVE:
        checks.require(rest is not None, "restingHeartRate", "is needed for zones of the reserve, and none is kept")
    checks.done()
    top = domain.rate_at_most(heart, most, formula)
    if top is None:
        return None
    if method is domain.ZoneMethod.RESERVE:
        _check_above_rest(top, rest)
    basis = _basis(rest, top)
    return [
        HeartRateZone(number=each.number, first=rounded(each.first, 1), last=rounded(each.last, 1), basis=basis)
        for each in domain.zones(method, top.beats_per_minute, None if rest is None else rest.beats_per_minute)
    ]


def effort_node(
    told: HeartRateEffortInput, heart: domain.Heart, weight_kg: Decimal | None, sex: Sex | None
) -> HeartRateEffort | None:
    """None where neither the maximum nor the age is known. Raises ValidationError for rates of no body."""
    checks = Checks()
    domain.check_rates(
        checks, maxHeartRate=told.max_heart_rate, restingHeartRate=told.resting_heart_rate, heartRate=told.heart_rate
    )
    checks.require(0 < told.minutes <= domain.LONGEST_MINUTES, "minutes", "must be above 0 and at most 1440")
    rest = domain.rate_at_rest(heart, told.resting_heart_rate)
    checks.require(rest is not None, "restingHeartRate", "is needed, and none is kept")
    checks.done()
    top = domain.rate_at_most(heart, told.max_heart_rate)
    if top is None or rest is None:
        return None
    _check_above_rest(top, rest)
    rate, minutes, most = Decimal(told.heart_rate), decimal_of(told.minutes), top.beats_per_minute
    within = [each.number for each in domain.zones(domain.ZoneMethod.MAX, most, None) if rate >= each.first]
    zone = within[-1] if within else None
    in_zones = [minutes if number == zone else Decimal(0) for number in range(1, 6)]
    kcal = None
    if weight_kg is not None and heart.age_years is not None:
        kcal = rounded(domain.keytel_kcal(rate, minutes, weight_kg, heart.age_years, sex))
    return HeartRateEffort(
        kcal=kcal,
        banister_load=rounded(domain.banister_load(rate, minutes, rest.beats_per_minute, most, sex)),
        edwards_load=rounded(domain.edwards_load(in_zones)),
        zone=zone,
        basis=_basis(rest, top),
    )


def recorded_heart_node(
    times: RateTimes,
    heart: domain.Heart,
    method: domain.ZoneMethod,
    formula: domain.MaxFormula,
    most: int | None,
    at_rest: int | None,
    sex: Sex | None,
) -> WorkoutHeartRate | None:
    """None where neither the maximum nor the age is known. Raises ValidationError for rates of no body."""
    zones = zone_nodes(heart, method, formula, most, at_rest)
    rest, top = domain.rate_at_rest(heart, at_rest), domain.rate_at_most(heart, most, formula)
    if zones is None or top is None:
        return None
    _check_above_rest(top, rest)
    highest = top.beats_per_minute
    floor = None if rest is None else rest.beats_per_minute
    told = list(zip(map(Decimal, times.rates), times.seconds, strict=True))
    below, *within = domain.times_in_zones(told, domain.zones(method, highest, floor))
    _, *of_maximum = domain.times_in_zones(told, domain.zones(domain.ZoneMethod.MAX, highest, None))
    banister = None
    if floor is not None:
        loads = (domain.banister_load(rate, seconds / 60, floor, highest, sex) for rate, seconds in told)
        banister = rounded(sum(loads, Decimal(0)))
    return WorkoutHeartRate(
        zones=[
            HeartRateZoneTime(zone=zone, seconds=rounded(seconds, 1))
            for zone, seconds in zip(zones, within, strict=True)
        ],
        seconds_below=rounded(below, 1),
        edwards_load=rounded(domain.edwards_load([seconds / 60 for seconds in of_maximum])),
        banister_load=banister,
        basis=_basis(rest, top),
    )


def _check_above_rest(top: domain.Rate, rest: domain.Rate | None) -> None:
    """Of what was kept too: each of the two may be of another day, or come from another source."""
    checks = Checks()
    is_below = rest is None or rest.beats_per_minute < top.beats_per_minute
    checks.require(is_below, "restingHeartRate", "must be below the maximum")
    checks.done()


def _basis(rest: domain.Rate | None, top: domain.Rate) -> HeartRateBasis:
    return HeartRateBasis(resting=None if rest is None else _taken(rest), maximum=_taken(top))


def _taken(rate: domain.Rate) -> HeartRateTaken:
    return HeartRateTaken(beats_per_minute=rounded(rate.beats_per_minute, 1), source=rate.source, since=rate.since)
