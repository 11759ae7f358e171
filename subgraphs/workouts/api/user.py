"""What workouts add to a person: sessions, records, and what an exercise would cost them in energy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.errors import NotFoundError, ValidationError
from subgraphs.shell.grant_area import GrantArea
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.look_ahead import LookAhead
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.pagination import After, Before, Connection, First, FromDay, Last, ToDay, connect
from subgraphs.shell.physiology import Sex
from subgraphs.shell.physiology_type import PhysiologyOfHeart
from subgraphs.shell.plan_write_type import PlanWrite, write_node
from subgraphs.shell.quantities import Distance, DistanceIn, Mass, MassIn, distance, mass
from subgraphs.shell.scalars import CACHE_PRIVATE_BRIEFLY, decimal_of, rounded_or_none
from subgraphs.shell.scopes import reads
from subgraphs.shell.sharing import SHARED_TRAINING, AccessRead, read_node
from subgraphs.shell.units import DistanceUnit, MassUnit
from subgraphs.shell.viewer_field import viewer_field
from subgraphs.workouts.api.calendar_of_user import CalendarOfUser
from subgraphs.workouts.api.changes import ChangesOfUser
from subgraphs.workouts.api.energy import EnergyEstimate, estimate
from subgraphs.workouts.api.exercise import Exercise, exercise_node, visible_exercise
from subgraphs.workouts.api.gear import GearOfUser
from subgraphs.workouts.api.heart_rate import (
    HeartRateEffort,
    HeartRateEffortInput,
    HeartRateZone,
    WorkoutHeartRate,
    effort_node,
    heart_of,
    held_rates,
    recorded_heart_node,
    zone_nodes,
)
from subgraphs.workouts.api.person import load_person, load_today
from subgraphs.workouts.api.plates import PlatesOfUser
from subgraphs.workouts.api.template import WorkoutTemplate, template_node
from subgraphs.workouts.api.track import PaceBest, best_node
from subgraphs.workouts.api.training import (
    LONGEST_DAYS,
    RecordMark,
    TrainingLoadDay,
    TrainingWeek,
    load_node,
    mark_node,
    week_nodes,
)
from subgraphs.workouts.api.workout import PATHS_TO_PARTS, Workout, workout_node
from subgraphs.workouts.domain.energy import Effort, price_workout
from subgraphs.workouts.domain.heart_rate import MaxFormula, ZoneMethod
from subgraphs.workouts.domain.training_load import WARM_UP_DAYS, daily_loads
from subgraphs.workouts.domain.workout import WorkoutStatus
from subgraphs.workouts.loaders import loaders_of
from subgraphs.workouts.queries.personal_record import PersonalRecord as RecordOfPerson
from subgraphs.workouts.queries.training import TrainedDays
from subgraphs.workouts.queries.workout import WorkoutPage

AskedMethod = Annotated[ZoneMethod, strawberry.argument(description="What they are parts of.")]
AskedFormula = Annotated[
    MaxFormula, strawberry.argument(description="Of the maximum, if that is neither told nor kept.")
]
AskedMaximum = Annotated[
    int | None,
    strawberry.argument(
        description="In beats a minute, 25 to 250. Null: the person's own of the day, else by the age of then."
    ),
]
AskedResting = Annotated[
    int | None,
    strawberry.argument(
        description="In beats a minute, 25 to 250; needed by RESERVE. Null: the person's own of the day."
    ),
]
#: What is selected of the workouts of a list, and is read with the list.
_OF_WORKOUTS = LookAhead.in_connection(**PATHS_TO_PARTS)
# In the words of users, who own it.
FirstDay = Annotated[date, strawberry.argument(name="from", description="The first local day, included.")]
LastDay = Annotated[date, strawberry.argument(description="The last local day, included; at most 365 days later.")]


@strawberry.type(
    description="A person's best of one exercise, each number from a working set that still exists, or from the time of an exercise"
    " that was done without sets."
)
class PersonalRecord:
    record: strawberry.Private[RecordOfPerson]
    id: strawberry.ID = strawberry.field(description="Identifies the record in the whole graph.")
    max_weight_kg: float | None = strawberry.field(
        description="The most that was held or hung on, in kilograms; null if no weight was told."
    )
    max_reps: int | None = strawberry.field(description="The most repetitions of one set; null if none were counted.")
    estimated_one_rep_max_kg: float | None = strawberry.field(
        description="The best estimate of one repetition, in kilograms, by Epley. Null without a set of 1 to 12"
        " repetitions with a weight, and where the body is part of the load."
    )
    best_set_volume_kg: float | None = strawberry.field(
        description="The most that one set moved, repetitions times load, in kilograms; null if no load is known."
    )
    max_distance_m: float | None = strawberry.field(
        description="The farthest of one set, in metres; null if no distance was told."
    )
    max_duration_seconds: int | None = strawberry.field(
        description="The longest of one set, or of an exercise without sets; null if no time was told."
    )
    achieved_on: date = strawberry.field(
        description="The day of the best estimate, else of the most weight, else of the most repetitions, else of the longest"
        " distance, else of the longest time."
    )

    @strawberry.field(description="The most that was held or hung on, in a unit; null if no weight was told.")
    def max_weight(self, unit: MassIn = MassUnit.KG) -> Mass | None:
        return None if self.record.max_weight_kg is None else mass(self.record.max_weight_kg, unit)

    @strawberry.field(description="`maxDistanceM` in a unit; null where that is.")
    def max_distance(self, unit: DistanceIn = DistanceUnit.M) -> Distance | None:
        return None if self.record.max_distance_m is None else distance(self.record.max_distance_m, unit)

    @strawberry.field(description="`estimatedOneRepMaxKg` in a unit; null where that is.")
    def estimated_one_rep_max(self, unit: MassIn = MassUnit.KG) -> Mass | None:
        best = self.record.best_one_rep_max_kg
        return None if best is None else mass(best, unit)

    @strawberry.field(
        description="The days on which it grew, of each kind, the latest 100 first; first times included.",
        directives=[list_size(20)],
    )
    async def history(self, info: Info) -> list[RecordMark]:
        key = (self.record.user_id, self.record.exercise_id)
        return [mark_node(mark) for mark in await loaders_of(info).marks_by_user_and_exercise.load(key)]

    @strawberry.field(description="What it is the best of.")
    async def exercise(self, info: Info) -> Exercise:
        exercise = await loaders_of(info).exercise_by_id.load(self.record.exercise_id)
        if exercise is None:
            raise NotFoundError(f"There is no exercise {self.record.exercise_id}.")
        return exercise_node(exercise)


@strawberry.federation.type(keys=["id"], description="A person.", directives=[CACHE_PRIVATE_BRIEFLY])
class User(CalendarOfUser, ChangesOfUser, GearOfUser, PlatesOfUser):
    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)
    display_name: str = strawberry.federation.field(external=True, description="How the person is called.")
    physiology: PhysiologyOfHeart | None = strawberry.federation.field(
        external=True, default=None, description="The body as of now, for formulas; null if nothing is known."
    )

    @classmethod
    def resolve_reference(cls, id: strawberry.ID, physiology: Mapping[str, Any] | None = None, **_: Any) -> User:
        return cls(id=id, display_name="", physiology=_physiology(physiology or {}))

    @strawberry.field(
        description="The person's workouts, newest day first and in it the latest start. `totalCount` counts all of"
        " them, of any day and status.",
        directives=[SHARED_TRAINING],
    )
    async def workouts(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        from_: FromDay = None,
        to: ToDay = None,
        status: Annotated[WorkoutStatus | None, strawberry.argument(description="Null: any.")] = None,
    ) -> Connection[Workout]:
        page = KeysetList("User.workouts", self.id, (date, datetime, str)).page(first, after, last, before)
        wanted = WorkoutPage(first_day=from_, last_day=to, status=None if status is None else status.value, page=page)
        records = await loaders_of(info).workouts_with(_OF_WORKOUTS.of(info), self.id, wanted)
        count = partial(loaders_of(info).workout_count_by_user.load, self.id)
        return connect(
            records, page, workout_node, lambda record: (record.local_date, record.started_at, record.id), count
        )

    @strawberry.field(description="The session in progress; null if there is none.", directives=[SHARED_TRAINING])
    async def active_workout(self, info: Info) -> Workout | None:
        record = await loaders_of(info).active_workout_by_user.load(self.id)
        return None if record is None else workout_node(record)

    @strawberry.field(
        description="How long the person rests after a set where nothing else is planned, in seconds. Null: only planned"
        " rests begin by themselves.",
        directives=[SHARED_TRAINING],
    )
    async def default_rest_seconds(self, info: Info) -> int | None:
        return await loaders_of(info).default_rest_by_user.load(self.id)

    @strawberry.field(
        description="What the person does again and again, the oldest first.", directives=[SHARED_TRAINING]
    )
    async def templates(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[WorkoutTemplate]:
        page = KeysetList("User.templates", self.id, (datetime, str)).page(first, after, last, before)
        records = await loaders_of(info).templates_by_user.load((self.id, page))
        count = partial(loaders_of(info).template_count_by_user.load, self.id)
        return connect(records, page, template_node, lambda record: (record.created_at, record.id), count)

    @strawberry.field(
        description="The fastest stretch of each distance in recordings whose first exercise is this one, the shortest"
        " distance first.",
        directives=[SHARED_TRAINING, list_size(7)],
    )
    async def pace_records(
        self,
        info: Info,
        exercise_id: Annotated[strawberry.ID, strawberry.argument(description="The exercise's id, such as a run's.")],
    ) -> list[PaceBest]:
        bests = await loaders_of(info).pace_records_by_user_and_exercise.load((self.id, exercise_id))
        return [best_node(best) for best in bests]

    @strawberry.field(
        description="The best of each exercise ever done, the latest first.", directives=[SHARED_TRAINING]
    )
    async def personal_records(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[PersonalRecord]:
        page = KeysetList("User.personalRecords", self.id, (date, str)).page(first, after, last, before)
        records = await loaders_of(info).records_by_user.load((self.id, page))
        count = partial(loaders_of(info).record_count_by_user.load, self.id)
        return connect(records, page, _record_node, lambda record: (record.achieved_on, record.exercise_id), count)

    @strawberry.federation.field(
        requires=["physiology { weightKg }"],
        description="What so many minutes of an exercise cost at today's weight. Null if nothing says how hard it is.",
        directives=[reads(GrantArea.TRAINING, GrantArea.BODY), SHARED_TRAINING],
    )
    async def calories_for(
        self,
        info: Info,
        exercise_id: Annotated[strawberry.ID, strawberry.argument(description="The exercise's id.")],
        minutes: Annotated[float, strawberry.argument(description="Above 0 and up to 1,440.")],
    ) -> EnergyEstimate | None:
        if not 0 < minutes <= 1440:
            raise ValidationError(("minutes", "must be above 0 and at most 1440"))
        exercise = await visible_exercise(info, exercise_id)
        if exercise is None:
            raise NotFoundError("There is no such exercise.")
        if exercise.met is None:
            return None
        effort = Effort(exercise.met, decimal_of(minutes), sets=0)
        return estimate(price_workout([effort], None, self._weight_kg(), None))

    @strawberry.field(
        description="What each muscle did, by weeks from Monday; the oldest first.",
        directives=[SHARED_TRAINING, list_size(12)],
    )
    async def training_weeks(self, info: Info, from_: FirstDay, to: LastDay) -> list[TrainingWeek]:
        return week_nodes(await loaders_of(info).muscle_work_by_user.load((self.id, _days(from_, to))))

    @strawberry.field(
        description="Each day's load by the exertion that sessions told, and what it leads to.",
        directives=[SHARED_TRAINING, list_size(90)],
    )
    async def training_load(self, info: Info, from_: FirstDay, to: LastDay) -> list[TrainingLoadDay]:
        days = _days(from_, to)
        wanted = TrainedDays(days.first - timedelta(days=WARM_UP_DAYS), days.last)
        loads = await loaders_of(info).loads_by_user.load((self.id, wanted))
        return [load_node(each) for each in daily_loads(loads, days.first, days.last)]

    @strawberry.federation.field(
        requires=["physiology { ageYears dateOfBirth heartRates { kind beatsPerMinute since } }"],
        description="Five zones of 10 % each from 50 % on, by the heart rates that held on a day. Null where neither the maximum"
        " nor the age is known.",
        directives=[reads(GrantArea.TRAINING, GrantArea.BODY), SHARED_TRAINING, list_size(5)],
    )
    async def heart_rate_zones(
        self,
        info: Info,
        method: AskedMethod = ZoneMethod.MAX,
        formula: AskedFormula = MaxFormula.TANAKA,
        max_heart_rate: AskedMaximum = None,
        resting_heart_rate: AskedResting = None,
        on: Annotated[
            date | None,
            strawberry.argument(description="The day, such as a workout's `localDate`. Null: the person's day now."),
        ] = None,
    ) -> list[HeartRateZone] | None:
        today = await load_today(info, self.id)
        heart = heart_of(self.physiology, on or today, today)
        return zone_nodes(heart, method, formula, max_heart_rate, resting_heart_rate)

    @strawberry.federation.field(
        requires=["physiology { weightKg ageYears sex dateOfBirth heartRates { kind beatsPerMinute since } }"],
        description="Energy and load of a steady effort, by the heart rates that held on its day. Null where neither the maximum"
        " nor the age is known.",
        directives=[reads(GrantArea.TRAINING, GrantArea.BODY), SHARED_TRAINING],
    )
    async def heart_rate_effort(
        self,
        info: Info,
        effort: Annotated[HeartRateEffortInput, strawberry.argument(description="How fast, how long, whose heart.")],
    ) -> HeartRateEffort | None:
        today = await load_today(info, self.id)
        heart = heart_of(self.physiology, effort.on or today, today)
        weight_kg = self._weight_kg()
        if effort.on is not None and effort.on != today:
            weight_kg = await loaders_of(info).weight_by_user_and_day.load((self.id, effort.on))
        return effort_node(effort, heart, weight_kg, None if self.physiology is None else self.physiology.sex)

    @strawberry.federation.field(
        requires=["physiology { ageYears sex dateOfBirth heartRates { kind beatsPerMinute since } }"],
        description="How long the heart was in each zone in a recorded workout, and the load of it, from all points that its device"
        " recorded and by the heart rates that held on its day. Null where the person has no such workout, its recording tells"
        " of no heart, or neither the maximum nor the age is known.",
        directives=[reads(GrantArea.TRAINING, GrantArea.BODY), SHARED_TRAINING],
    )
    async def heart_rate_of_workout(
        self,
        info: Info,
        workout_id: Annotated[strawberry.ID, strawberry.argument(description="The workout's id.")],
        method: AskedMethod = ZoneMethod.MAX,
        formula: AskedFormula = MaxFormula.TANAKA,
        max_heart_rate: AskedMaximum = None,
        resting_heart_rate: AskedResting = None,
    ) -> WorkoutHeartRate | None:
        workout = await loaders_of(info).workout_by_id.load(workout_id)
        if workout is None or workout.user_id != self.id:
            return None
        times = await loaders_of(info).rate_times_by_workout.load(workout_id)
        if times is None:
            return None
        heart = heart_of(self.physiology, workout.local_date, await load_today(info, self.id))
        sex = None if self.physiology is None else self.physiology.sex
        return recorded_heart_node(times, heart, method, formula, max_heart_rate, resting_heart_rate, sex)

    @strawberry.field(
        description="Who read of the training by a grant, the latest hours first; the latest 100 entries of 90 days.",
        directives=[list_size(20)],
    )
    async def training_reads(self, info: Info) -> list[AccessRead]:
        return [read_node(record) for record in await loaders_of(info).reads_by_owner.load(self.id)]

    @strawberry.field(
        description="Which templates others wrote for the person by a grant, the latest first; the latest 100 of 90 days.",
        directives=[list_size(20)],
    )
    async def training_writes(self, info: Info) -> list[PlanWrite]:
        return [write_node(record) for record in await loaders_of(info).writes_by_owner.load(self.id)]

    def _weight_kg(self) -> Decimal | None:
        weight_kg = self.physiology.weight_kg if self.physiology else None
        return None if weight_kg is None else decimal_of(weight_kg)


def _days(first: date, last: date) -> TrainedDays:
    """Raises ValidationError for a span that is too long or ends before it begins."""
    if not 0 <= (last - first).days < LONGEST_DAYS:
        raise ValidationError(("to", f"must be at most {LONGEST_DAYS - 1} days after from"))
    return TrainedDays(first, last)


def _physiology(known: Mapping[str, Any]) -> PhysiologyOfHeart:
    """What the router fetched from users for us, as JSON."""
    sex, born = known.get("sex"), known.get("dateOfBirth")
    return PhysiologyOfHeart(
        weight_kg=known.get("weightKg"),
        age_years=known.get("ageYears"),
        sex=Sex(sex) if sex else None,
        date_of_birth=date.fromisoformat(born) if born else None,
        heart_rates=list(held_rates(known)),
    )


def _record_node(record: RecordOfPerson) -> PersonalRecord:
    return PersonalRecord(
        record=record,
        id=strawberry.ID(f"{record.user_id}:{record.exercise_id}"),
        max_weight_kg=rounded_or_none(record.max_weight_kg),
        max_reps=record.max_reps,
        estimated_one_rep_max_kg=rounded_or_none(record.best_one_rep_max_kg),
        best_set_volume_kg=rounded_or_none(record.best_set_volume_kg),
        max_distance_m=rounded_or_none(record.max_distance_m),
        max_duration_seconds=record.max_duration_seconds,
        achieved_on=record.achieved_on,
    )


async def load_named_user(info: Info, user_id: str) -> User:
    """The person with the name that workouts hold a copy of, as `@provides` promises."""
    return User(id=strawberry.ID(user_id), display_name=(await load_person(info, user_id)).display_name)


@strawberry.type
class UserQuery:
    @viewer_field
    def me(self, info: Info) -> User:
        """Whoever the token names, and nothing is read: an account's end ends its sessions, whose tokens are refused."""
        return User(id=strawberry.ID(info.context.viewer.id), display_name="")
