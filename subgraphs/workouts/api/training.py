"""Training over time in GraphQL: marks on the way to a record, work of muscles by week, and load."""

from __future__ import annotations

from datetime import date

import strawberry

from subgraphs.shell.cost import list_size
from subgraphs.shell.scalars import rounded
from subgraphs.workouts.domain.exercise import Muscle
from subgraphs.workouts.domain.personal_record import RecordKind
from subgraphs.workouts.domain.training_load import DayLoad
from subgraphs.workouts.queries.personal_record import RecordMark as MarkOfRecord
from subgraphs.workouts.queries.training import MuscleWork

LONGEST_DAYS = 366


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
