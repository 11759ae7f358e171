"""Planned workouts and routines in GraphQL: what is to be done on a day, and the days that somebody trains by."""

import datetime as dt

import strawberry

from subgraphs.shell.calendar import Weekday, instant_of_clock
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.plan_write_type import AUTHOR
from subgraphs.shell.scalars import describe_enum, id_or_none
from subgraphs.workouts.api.person import load_person, load_today
from subgraphs.workouts.api.template import TemplateExercise, exercise_plan_node
from subgraphs.workouts.api.workout import Workout, workout_node
from subgraphs.workouts.domain import planned_workout as domain
from subgraphs.workouts.domain.plan import MOST_EXERCISES
from subgraphs.workouts.domain.routine import MOST_ROUTINE_DAYS, RoutineDays, RoutineSchedule, decode_days, slot_number
from subgraphs.workouts.domain.routine import RoutineDay as DomainDay
from subgraphs.workouts.domain.workout import WorkoutStatus
from subgraphs.workouts.loaders import loaders_of
from subgraphs.workouts.queries.planned_workout import PlannedWorkoutRecord
from subgraphs.workouts.queries.routine import RoutineRecord
from subgraphs.workouts.queries.workout import WorkoutRecord

describe_enum(
    domain.PlannedWorkoutStatus,
    "How far a planned workout is, as of now and the day of the person whose it is.",
    PLANNED="It is to be done, today or later.",
    IN_PROGRESS="It was begun and goes on.",
    DONE="It was done, on whatever day.",
    MISSED="Its day is over and it was not done.",
    SKIPPED="The person said that it will not be done.",
)
describe_enum(
    domain.TrainingDayStatus,
    "What a day of training is, as of now; the first that fits of: IN_PROGRESS, PLANNED, DONE, MISSED, REST.",
    REST="Nothing is planned, or all of it was skipped, and nothing was done.",
    PLANNED="Something is still to be done.",
    IN_PROGRESS="A workout is under way.",
    DONE="A workout was completed on it, or what was planned for it was done on another day.",
    MISSED="What was planned was not done, and nothing else was.",
)
describe_enum(
    RoutineSchedule,
    "How the days of a routine fall on dates.",
    WEEKDAYS="Each on its weekday.",
    CYCLE="One after the other, whatever the week, and then from the first on again.",
)

_EXERCISES = f"What is to be done, in order; up to {MOST_EXERCISES}, none where that is left open."


def exercise_nodes(exercises: domain.PlannedExercises) -> list[TemplateExercise]:
    return [
        exercise_plan_node(each.exercise_id, position, each.plan) for position, each in enumerate(exercises, start=1)
    ]


@strawberry.type(description="A day of a routine.")
class RoutineDay:
    content: strawberry.Private[DomainDay]
    day: int = strawberry.field(description="Which day of the routine it is, from 1.")
    weekday: Weekday | None = strawberry.field(description="The weekday that it is for; null in a cycle.")
    name: str | None = strawberry.field(description="What the workout is called; null for a day of rest.")
    time_of_day: dt.time | None = strawberry.field(description="When, by the person's clock; null at any time.")
    minutes: int | None = strawberry.field(description="How long it is meant to take; null if that is open.")
    notes: str | None = strawberry.field(description="The person's own words; null if there are none.")

    @strawberry.field(description=_EXERCISES, directives=[list_size(8)])
    def exercises(self) -> list[TemplateExercise]:
        return exercise_nodes(self.content.exercises)


@strawberry.type(description="The days that a person trains by, to be put on the calendar again and again.")
class Routine:
    content: strawberry.Private[RoutineDays]
    id: strawberry.ID = strawberry.field(description="Identifies the routine in the whole graph.")
    name: str = strawberry.field(description="What the person calls it.")
    schedule: RoutineSchedule = strawberry.field(description="How its days fall on dates.")
    version: int = strawberry.field(description="Counts changes; send it as `expectedVersion` to change only this one.")
    created_at: dt.datetime = strawberry.field(description="When it was made.")
    author_id: strawberry.ID | None = strawberry.field(description=AUTHOR)

    @strawberry.field(description=f"Its days, in order; 1 to {MOST_ROUTINE_DAYS}.", directives=[list_size(7)])
    def days(self) -> list[RoutineDay]:
        return [
            RoutineDay(
                content=day,
                day=number,
                weekday=day.weekday,
                name=day.name,
                time_of_day=day.time_of_day,
                minutes=day.minutes,
                notes=day.notes,
            )
            for number, day in enumerate(self.content, start=1)
        ]


@strawberry.type(description="A workout that is planned for a day. It counts for nothing until it is done.")
class PlannedWorkout:
    record: strawberry.Private[PlannedWorkoutRecord]
    id: strawberry.ID = strawberry.field(description="Identifies the planned workout in the whole graph.")
    date: dt.date = strawberry.field(description="The person's calendar day that it is planned for.")
    time_of_day: dt.time | None = strawberry.field(description="When, by the person's clock; null at any time.")
    name: str = strawberry.field(description="What the person calls it.")
    notes: str | None = strawberry.field(description="The person's own words; null if there are none.")
    minutes: int | None = strawberry.field(description="How long it is meant to take; null if that is open.")
    routine_date: dt.date | None = strawberry.field(
        description="The day that the routine put it on, which `date` is until it is moved; null where none did."
    )
    version: int = strawberry.field(description="Counts changes; send it as `expectedVersion` to change only this one.")
    created_at: dt.datetime = strawberry.field(description="When it was planned.")
    author_id: strawberry.ID | None = strawberry.field(description=AUTHOR)

    @strawberry.field(description="How far it is.")
    async def status(self, info: Info) -> domain.PlannedWorkoutStatus:
        return planned_status(self.record, await load_today(info, self.record.user_id))

    @strawberry.field(
        description="The moment of `timeOfDay` on `date` in the time zone that the person has now. A time that clocks skip"
        " there is the first moment after, one that they show twice the first time. Null without a time."
    )
    async def starts_at(self, info: Info) -> dt.datetime | None:
        if self.record.time_of_day is None:
            return None
        person = await load_person(info, self.record.user_id)
        return instant_of_clock(self.record.local_date, self.record.time_of_day, person.time_zone)

    @strawberry.field(
        description=f"{_EXERCISES} Weights are those to begin with: a workout grows them by what was done last.",
        directives=[list_size(8)],
    )
    def exercises(self) -> list[TemplateExercise]:
        return exercise_nodes(domain.decode_exercises(self.record.exercises))

    @strawberry.field(
        description="The workout that it became, under way, completed or given up. Null before, and once that was deleted."
    )
    async def workout(self, info: Info) -> Workout | None:
        if self.record.workout_id is None:
            return None
        workout = await loaders_of(info).workout_by_id.load(self.record.workout_id)
        return None if workout is None else workout_node(workout)

    @strawberry.field(description="The routine that put it there; null where none did, or that was deleted.")
    async def routine(self, info: Info) -> Routine | None:
        if self.record.routine_id is None:
            return None
        routine = await loaders_of(info).routine_by_id.load(self.record.routine_id)
        return None if routine is None else routine_node(routine)

    @strawberry.field(
        description="Which day of the routine it is, from 1; null without a routine, and where that has changed since."
    )
    async def routine_day(self, info: Info) -> int | None:
        if self.record.routine_id is None:
            return None
        routine = await loaders_of(info).routine_by_id.load(self.record.routine_id)
        return None if routine is None else _day_of(routine, self.record)


@strawberry.type(description="A day of a person's training: what is planned for it and what was done on it.")
class TrainingDay:
    date: dt.date = strawberry.field(description="The person's calendar day.")
    status: domain.TrainingDayStatus = strawberry.field(description="What the day is.")
    planned: list[PlannedWorkout] = strawberry.field(
        description=f"What is planned for it, by the clock; up to {domain.MOST_A_DAY}.", directives=[list_size(1)]
    )
    workouts: list[Workout] = strawberry.field(
        description="What was done on it, planned or not, in order; the first 20, those given up left out.",
        directives=[list_size(1)],
    )


def _day_of(routine: RoutineRecord, record: PlannedWorkoutRecord) -> int | None:
    """The day of the routine as it is now that a planned workout is of; None where it has changed."""
    if record.routine_day is None:
        return None
    days, index = decode_days(routine.days), record.routine_day - 1
    is_there = index < len(days) and days[index].session is not None
    return record.routine_day if is_there and slot_number(days, index) == record.routine_slot else None


def planned_status(record: PlannedWorkoutRecord, today: dt.date) -> domain.PlannedWorkoutStatus:
    return domain.status_of(
        record.local_date, today, is_skipped=record.is_skipped, workout_status=record.workout_status
    )


def planned_node(record: PlannedWorkoutRecord) -> PlannedWorkout:
    return PlannedWorkout(
        record=record,
        id=strawberry.ID(record.id),
        date=record.local_date,
        time_of_day=record.time_of_day,
        name=record.name,
        notes=record.notes,
        minutes=record.minutes,
        routine_date=record.routine_date,
        version=record.version,
        created_at=record.created_at,
        author_id=id_or_none(record.author_id),
    )


def routine_node(record: RoutineRecord) -> Routine:
    return Routine(
        content=decode_days(record.days),
        id=strawberry.ID(record.id),
        name=record.name,
        schedule=RoutineSchedule(record.schedule),
        version=record.version,
        created_at=record.created_at,
        author_id=id_or_none(record.author_id),
    )


def training_day(
    day: dt.date, today: dt.date, planned: list[PlannedWorkoutRecord], workouts: list[WorkoutRecord]
) -> TrainingDay:
    """What is planned for a day and was done on it, as of the person's today."""
    done = [WorkoutStatus(record.status) for record in workouts]
    return TrainingDay(
        date=day,
        status=domain.day_status([planned_status(record, today) for record in planned], done),
        planned=[planned_node(record) for record in planned],
        workouts=[workout_node(record) for record in workouts],
    )
