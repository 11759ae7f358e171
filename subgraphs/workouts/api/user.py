"""What workouts add to a person: sessions, records, and what an exercise would cost them in energy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from subgraphs.context import Info
from subgraphs.errors import NotFoundError, ValidationError
from subgraphs.pagination import Connection, connect, read_page
from subgraphs.scalars import CACHE_PRIVATE_BRIEFLY, decimal_of, rounded_or_none
from subgraphs.workouts.api.energy import EnergyEstimate, estimate
from subgraphs.workouts.api.exercise import Exercise, exercise_node
from subgraphs.workouts.api.request import loaders_of
from subgraphs.workouts.api.workout import Workout, workout_node
from subgraphs.workouts.domain.energy import Effort, price_workout
from subgraphs.workouts.domain.workout import WorkoutStatus
from subgraphs.workouts.queries.workout import PersonalRecord as RecordOfPerson
from subgraphs.workouts.queries.workout import WorkoutPage


@strawberry.federation.type(shareable=True)
class Physiology:
    weight_kg: float | None


@strawberry.type(description="A person's best of one exercise, from sets that still exist.")
class PersonalRecord:
    max_weight_kg: float | None
    max_reps: int | None
    estimated_one_rep_max_kg: float | None
    best_set_volume_kg: float | None
    achieved_on: date
    record: strawberry.Private[RecordOfPerson]

    @strawberry.field
    async def exercise(self, info: Info) -> Exercise:
        exercise = await loaders_of(info).exercise_by_id.load(self.record.exercise_id)
        if exercise is None:
            raise NotFoundError(f"There is no exercise {self.record.exercise_id}.")
        return exercise_node(exercise)


@strawberry.federation.type(keys=["id"], directives=[CACHE_PRIVATE_BRIEFLY])
class User:
    id: strawberry.ID
    display_name: str = strawberry.federation.field(external=True)
    physiology: Physiology | None = strawberry.federation.field(external=True, default=None)

    @classmethod
    def resolve_reference(cls, id: strawberry.ID, physiology: Mapping[str, Any] | None = None, **_: Any) -> User:
        weight_kg = physiology.get("weightKg") if physiology else None
        return cls(id=id, display_name="", physiology=Physiology(weight_kg=weight_kg))

    @strawberry.field(description="Newest first; `from` and `to` are local dates, both included.")
    async def workouts(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        from_: Annotated[date | None, strawberry.argument(name="from")] = None,
        to: date | None = None,
        status: WorkoutStatus | None = None,
    ) -> Connection[Workout]:
        info.context.reader_of(self.id)
        page = read_page(first, after, (date, str))
        wanted = WorkoutPage(
            first=from_,
            last=to,
            status=status.value if status else None,
            after=page.after,
            limit=page.limit,
        )
        records = await loaders_of(info).workouts_by_user.load((self.id, wanted))
        return connect(records, page, workout_node, lambda record: (record.local_date, record.id))

    @strawberry.field(description="The session in progress, if there is one.")
    async def active_workout(self, info: Info) -> Workout | None:
        info.context.reader_of(self.id)
        record = await loaders_of(info).active_workout_by_user.load(self.id)
        return None if record is None else workout_node(record)

    @strawberry.field(description="The best of each exercise ever done.")
    async def personal_records(self, info: Info) -> list[PersonalRecord]:
        info.context.reader_of(self.id)
        return [
            PersonalRecord(
                max_weight_kg=rounded_or_none(record.max_weight_kg),
                max_reps=record.max_reps,
                estimated_one_rep_max_kg=rounded_or_none(record.best_one_rep_max_kg),
                best_set_volume_kg=rounded_or_none(record.best_set_volume_kg),
                achieved_on=record.achieved_on,
                record=record,
            )
            for record in await loaders_of(info).records_by_user.load(self.id)
        ]

    @strawberry.federation.field(
        requires=["physiology { weightKg }"],
        description="What so many minutes of an exercise cost at today's weight.",
    )
    async def calories_for(self, info: Info, exercise_id: strawberry.ID, minutes: float) -> EnergyEstimate | None:
        info.context.reader_of(self.id)
        if not 0 < minutes <= 1440:
            raise ValidationError(("minutes", "must be above 0 and at most 1440"))
        exercise = await loaders_of(info).exercise_by_id.load(exercise_id)
        if exercise is None or not (exercise.created_by is None or info.context.viewer.may_read(exercise.created_by)):
            raise NotFoundError(f"There is no exercise {exercise_id}.")
        if exercise.met is None:
            return None
        effort = Effort(exercise.met, decimal_of(minutes), sets=0)
        return estimate(price_workout([effort], None, self._weight_kg(), None))

    def _weight_kg(self) -> Decimal | None:
        weight_kg = self.physiology.weight_kg if self.physiology else None
        return None if weight_kg is None else decimal_of(weight_kg)


async def user_with_name(info: Info, user_id: str) -> User:
    """The person with the name that workouts hold a copy of, as `@provides` promises."""
    person = await loaders_of(info).person_by_id.load(user_id)
    viewer = info.context.viewer
    name = person.display_name if person else (viewer.display_name if viewer.id == user_id else "")
    return User(id=strawberry.ID(user_id), display_name=name)
