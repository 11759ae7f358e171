"""Training over time in GraphQL: marks on the way to a record, work of muscles by week, load, and heart rates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import strawberry

from subgraphs.shell.cost import list_size
from subgraphs.shell.errors import Checks
from subgraphs.shell.physiology import Sex
from subgraphs.shell.scalars import decimal_of, describe_enum, rounded
from subgraphs.workouts.domain import heart_rate as domain
from subgraphs.workouts.domain.exercise import Muscle
from subgraphs.workouts.domain.personal_record import RecordKind
from subgraphs.workouts.domain.training_load import DayLoad
from subgraphs.workouts.queries.personal_record import RecordMark as MarkOfRecord
from subgraphs.workouts.queries.training import MuscleWork

LONGEST_DAYS = 366

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


@strawberry.type(description="A day on which more of an exercise was done than ever before.")
class RecordMark:
    kind: RecordKind = strawberry.field(description="What it is a record of.")
    value: float = strawberry.field(description="In the unit of its kind.")
    achieved_on: date = strawberry.field(description="The person's calendar day.")
    workout_id: strawberry.ID = strawberry.field(description="The workout that it was done in.")


@strawberry.type(description="What a muscle did in a week.")
class MuscleVolume:
    muscle: Muscle = strawberry.field(description="Which muscle.")
    hard_sets: float = strawberry.field(
        description="Working sets that left at most four repetitions, as far as that was told: whole where the exercise is"
        " for the muscle, half where the muscle helps."
    )
    volume_kg: float = strawberry.field(
        description="Repetitions times load in kilograms, counted alike; a load that is not known counts 0."
    )


@strawberry.type(description="What the muscles did in a week.")
class TrainingWeek:
    first: date = strawberry.field(description="Its Monday.")
    muscles: list[MuscleVolume] = strawberry.field(
        description="Each muscle that did anything, by name.", directives=[list_size(10)]
    )


@strawberry.type(description="How hard somebody trained up to a day. It describes, and diagnoses nothing.")
class TrainingLoadDay:
    date: date = strawberry.field(description="The person's calendar day.")
    load: float = strawberry.field(description="Exertion times minutes of the day's sessions that told an exertion.")
    acute: float = strawberry.field(description="Fatigue: the load weighted exponentially, time constant 7 days.")
    chronic: float = strawberry.field(description="Fitness: the same with 42 days.")
    balance: float = strawberry.field(description="Chronic less acute at the day's beginning: above 0 is rested.")
    monotony: float | None = strawberry.field(
        description="Mean over standard deviation of the last seven days (Foster 1998); null where all were alike."
    )
    strain: float | None = strawberry.field(description="Monotony times the seven days' load; null with monotony.")
    acute_chronic_ratio: float | None = strawberry.field(
        description="The load of the last days over that of the last weeks, both weighted exponentially, 2 / (N + 1) a day with N 7"
        " and 28 (Williams et al. 2017): 1 is as usual. It judges nothing and foretells no injury. Null in the first 28 days with a load."
    )


@strawberry.type(description="A range of heart rates.")
class HeartRateZone:
    number: int = strawberry.field(description="From 1, easy, to 5, the most.")
    first: float = strawberry.field(description="Its lower bound in beats a minute.")
    last: float = strawberry.field(description="Its upper bound, where the next begins.")


@strawberry.type(description="What steady effort at a heart rate comes to.")
class HeartRateEffort:
    kcal: float | None = strawberry.field(
        description="Gross energy by Keytel et al. 2005, good from 90 to 180 beats; null without a weight."
    )
    banister_load: float = strawberry.field(description="Training impulse by Banister (Morton 1990).")
    edwards_load: float = strawberry.field(
        description="Minutes times the number of the zone of the maximum (Edwards 1993)."
    )
    zone: int | None = strawberry.field(description="The zone of the maximum; null below the first.")


def mark_node(mark: MarkOfRecord) -> RecordMark:
    return RecordMark(
        kind=mark.kind,
        value=rounded(mark.value),
        achieved_on=mark.achieved_on,
        workout_id=strawberry.ID(mark.workout_id),
    )


def week_nodes(works: list[MuscleWork]) -> list[TrainingWeek]:
    weeks: dict[date, TrainingWeek] = {}
    for work in works:
        week = weeks.setdefault(work.week, TrainingWeek(first=work.week, muscles=[]))
        week.muscles.append(
            MuscleVolume(
                muscle=Muscle(work.muscle), hard_sets=rounded(work.hard_sets, 1), volume_kg=rounded(work.volume_kg)
            )
        )
    return list(weeks.values())


def load_node(found: DayLoad) -> TrainingLoadDay:
    return TrainingLoadDay(
        date=found.day,
        load=round(found.load, 2),
        acute=round(found.acute, 2),
        chronic=round(found.chronic, 2),
        balance=round(found.balance, 2),
        monotony=None if found.monotony is None else round(found.monotony, 2),
        strain=None if found.strain is None else round(found.strain, 2),
        acute_chronic_ratio=None if found.acute_chronic_ratio is None else round(found.acute_chronic_ratio, 2),
    )


def zone_nodes(
    age_years: int | None, method: domain.ZoneMethod, formula: domain.MaxFormula, most: int | None, at_rest: int | None
) -> list[HeartRateZone] | None:
    """None where neither the maximum nor the age is known. Raises ValidationError for rates of no body."""
    _check(most, at_rest)
    checks = Checks()
    needs_rest = method is domain.ZoneMethod.RESERVE
    checks.require(not needs_rest or at_rest is not None, "restingHeartRate", "is needed for zones of the reserve")
    checks.done()
    top = _most(age_years, formula, most)
    if top is None:
        return None
    rest = None if at_rest is None else Decimal(at_rest)
    return [
        HeartRateZone(number=each.number, first=rounded(each.first, 1), last=rounded(each.last, 1))
        for each in domain.zones(method, top, rest)
    ]


@strawberry.input(description="A steady effort and the heart that made it.")
class HeartRateEffortInput:
    heart_rate: int = strawberry.field(description="The mean in beats a minute, 25 to 250.")
    minutes: float = strawberry.field(description="Above 0 and up to 1,440.")
    resting_heart_rate: int = strawberry.field(description="In beats a minute, 25 to 250 and below the maximum.")
    max_heart_rate: int | None = strawberry.field(
        default=None, description="In beats a minute, 25 to 250. Null: Tanaka's by age."
    )


def effort_node(
    told: HeartRateEffortInput, age_years: int | None, weight_kg: Decimal | None, sex: Sex | None
) -> HeartRateEffort | None:
    """None where neither the maximum nor the age is known. Raises ValidationError for rates of no body."""
    _check(told.max_heart_rate, told.resting_heart_rate, told.heart_rate)
    checks = Checks()
    checks.require(0 < told.minutes <= domain.LONGEST_MINUTES, "minutes", "must be above 0 and at most 1440")
    top = _most(age_years, domain.MaxFormula.TANAKA, told.max_heart_rate)
    if top is None:
        return None
    checks.require(told.resting_heart_rate < top, "restingHeartRate", "must be below the maximum")
    checks.done()
    rate, minutes = Decimal(told.heart_rate), decimal_of(told.minutes)
    within = [each.number for each in domain.zones(domain.ZoneMethod.MAX, top, None) if rate >= each.first]
    zone = within[-1] if within else None
    in_zones = [minutes if number == zone else Decimal(0) for number in range(1, 6)]
    kcal = None
    if weight_kg is not None and age_years is not None:
        kcal = rounded(domain.keytel_kcal(rate, minutes, weight_kg, age_years, sex))
    at_rest = Decimal(told.resting_heart_rate)
    return HeartRateEffort(
        kcal=kcal,
        banister_load=rounded(domain.banister_load(rate, minutes, at_rest, top, sex)),
        edwards_load=rounded(domain.edwards_load(in_zones)),
        zone=zone,
    )


def _check(most: int | None, at_rest: int | None, rate: int | None = None) -> None:
    checks = Checks()
    domain.check_rates(checks, maxHeartRate=most, restingHeartRate=at_rest, heartRate=rate)
    checks.done()


def _most(age_years: int | None, formula: domain.MaxFormula, told: int | None) -> Decimal | None:
    if told is not None:
        return Decimal(told)
    return None if age_years is None else domain.max_heart_rate(age_years, formula)
