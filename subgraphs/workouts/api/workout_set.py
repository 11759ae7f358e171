"""One set in GraphQL: as it is shown, and as it is told."""

from datetime import datetime
from typing import Any, cast

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.inputs import given
from subgraphs.shell.node import Node
from subgraphs.shell.quantities import Distance, DistanceIn, Mass, MassIn, distance, mass
from subgraphs.shell.scalars import (
    CACHE_PRIVATE_BRIEFLY,
    decimal_of,
    decimal_of_or_none,
    describe_enum,
    rounded,
    rounded_or_none,
)
from subgraphs.shell.sharing import SHARED_TRAINING, load_readable
from subgraphs.shell.units import DistanceUnit, MassUnit
from subgraphs.shell.worked_out import WorkedOut, worked_out
from subgraphs.workouts.api.one_rep_max import OneRepMaxEstimate, OneRepMaxFormula
from subgraphs.workouts.commands.workout_set import SetChanges
from subgraphs.workouts.domain import workout_set as domain
from subgraphs.workouts.domain.one_rep_max import one_rep_maxes, reps_in_reserve
from subgraphs.workouts.domain.personal_record import RecordKind
from subgraphs.workouts.loaders import loaders_of
from subgraphs.workouts.queries.workout import SetRecord

describe_enum(
    domain.SetKind,
    "What a set is for, and so what it counts for: volume, hard sets, and estimates of strength, records and progression.",
    NORMAL="A working set: counts for everything.",
    WARM_UP="Before the work: counts for nothing.",
    DROP="With less weight, right after another set: counts for everything.",
    FAILURE="Until no repetition is left: counts for everything.",
    TIMED="By the clock, such as a hold: without repetitions it has no volume and is no hard set; its weight may be a record.",
    AMRAP="As many repetitions as could be: counts for everything.",
    MYO_REPS="A set and short ones after it with a few breaths between, told together: all repetitions count for volume, it is one"
    " hard set, and no estimate or record is made of it.",
    PARTIAL="Over a part of the way: counts for volume and hard sets, and no estimate or record is made of it.",
)

describe_enum(
    domain.SetSide,
    "Which side of the body a set was of. Records and estimates are of one side, whichever it was.",
    LEFT="The left one alone: volume as told, and half a hard set.",
    RIGHT="The right one alone: volume as told, and half a hard set.",
    EACH="As many repetitions with each side: twice the volume, and one hard set.",
)
describe_enum(
    RecordKind,
    "What a record is of.",
    MAX_WEIGHT="The most that was held or hung on, in kilograms; of weights that helped, which are below zero, the least help.",
    MAX_REPS="The most repetitions of a set.",
    ONE_REP_MAX="The best estimate of one repetition by Epley, in kilograms.",
    SET_VOLUME="The most that a set moved, repetitions times load, in kilograms.",
    MAX_DISTANCE="The farthest of a set, in metres.",
    MAX_DURATION="The longest of a set, or of an exercise that was done without sets, in seconds.",
)


@strawberry.federation.type(
    keys=["id", "nodeId"], description="One set as it was done.", directives=[CACHE_PRIVATE_BRIEFLY, SHARED_TRAINING]
)
class WorkoutSet(Node):
    record: strawberry.Private[SetRecord]
    position: int = strawberry.field(description="Its place among the sets of its exercise; from 1, perhaps with gaps.")
    kind: WorkedOut[domain.SetKind] = worked_out(
        lambda self: domain.SetKind(self.record.kind), description="What the set is for."
    )
    reps: int | None = strawberry.field(description="Repetitions; null if they were not counted.")
    weight_kg: WorkedOut[float | None] = worked_out(
        lambda self: rounded_or_none(self.record.weight_kg),
        description="In kilograms: what was held or hung on, without the body; below zero: what helped. Null: nothing, or not told.",
    )
    load_kg: WorkedOut[float | None] = worked_out(
        lambda self: rounded_or_none(self.record.load_kg),
        description="What each repetition moved, in kilograms: `weightKg`, which below zero is taken off, and of the body's weight the share"
        " that the exercise lifts. Null while that is not known.",
    )
    duration_seconds: int | None = strawberry.field(description="In seconds; null if it was not timed.")
    distance_m: WorkedOut[float | None] = worked_out(
        lambda self: rounded_or_none(self.record.distance_m),
        description="In metres; null if it was not measured.",
    )
    rpe: WorkedOut[float | None] = worked_out(
        lambda self: rounded_or_none(self.record.rpe, 1),
        description="Rate of perceived exertion, from 1 (nothing) to 10 (nothing left). Null: not told.",
    )
    rir: WorkedOut[float | None] = worked_out(
        lambda self: rounded_or_none(reps_in_reserve(self.record.rpe), 1),
        description="Repetitions left in reserve, 10 less `rpe`; null if that is under 5 or not told.",
    )
    estimated_one_rep_max_kg: WorkedOut[float | None] = worked_out(
        lambda self: rounded_or_none(self.record.one_rep_max_kg),
        description="The weight in kilograms that one repetition would allow, by Epley (1985), from 1 to 12 repetitions."
        " Null beyond them, for warm-ups, partial and myo-repetitions, and where the body is part of the load.",
    )
    tempo: str | None = strawberry.field(
        description="Seconds down, held below, up and held above, such as `3-1-X-0`; X is as fast as can be. Null: not told."
    )
    notes: str | None = strawberry.field(description="The person's own words about it; null if there are none.")
    side: WorkedOut[domain.SetSide | None] = worked_out(
        lambda self: None if self.record.side is None else domain.SetSide(self.record.side),
        description="Which side it was of; null: not told, and counted once.",
    )
    logged_at: datetime = strawberry.field(description="When it was logged; the workout's end if that was all at once.")

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID, **_: object) -> "WorkoutSet | None":
        return await load_set(info, id)

    @strawberry.field(
        description="What was held or hung on, without the body, in a unit; below zero: what helped. Null: nothing, or not told."
    )
    def weight(self, unit: MassIn = MassUnit.KG) -> Mass | None:
        return None if self.record.weight_kg is None else mass(self.record.weight_kg, unit)

    @strawberry.field(description="The distance in a unit; null if it was not measured.")
    def distance(self, unit: DistanceIn = DistanceUnit.M) -> Distance | None:
        return None if self.record.distance_m is None else distance(self.record.distance_m, unit)

    @strawberry.field(
        description="What one repetition would allow by each formula, with the repetitions left counted in; empty without"
        " a weight or repetitions, for warm-ups, partial and myo-repetitions, and where the body is part of the load.",
        directives=[list_size(len(OneRepMaxFormula))],
    )
    def one_rep_maxes(self) -> list[OneRepMaxEstimate]:
        record = self.record
        if record.kind not in domain.STRENGTH_KINDS or record.load_kg != record.weight_kg:
            return []
        return [
            OneRepMaxEstimate(formula=each.formula, kg=rounded(each.kg), is_reliable=each.is_reliable)
            for each in one_rep_maxes(record.weight_kg, record.reps, record.rpe)
        ]


def set_node(record: SetRecord) -> WorkoutSet:
    return WorkoutSet(
        record=record,
        id=strawberry.ID(record.id),
        position=record.position,
        reps=record.reps,
        duration_seconds=record.duration_seconds,
        tempo=record.tempo,
        notes=record.notes,
        logged_at=record.logged_at,
    )


async def load_set(info: Info, id: str) -> WorkoutSet | None:
    """The set, unless it is another person's who does not share it."""
    record = await load_readable(info, WorkoutSet, loaders_of(info).set_by_id, id)
    return None if record is None else set_node(record)


@strawberry.input(description="What was done in one set: repetitions, a duration or a distance at least.")
class SetInput:
    kind: domain.SetKind = strawberry.field(default=domain.SetKind.NORMAL, description="What the set is for.")
    reps: int | None = strawberry.field(default=None, description="Repetitions, 1 to 10,000. Null: not counted.")
    weight_kg: float | None = strawberry.field(
        default=None,
        description="What was held or hung on, in kilograms, up to 2,000. Below zero, to -500: what helped, as a machine for chin-ups"
        " or a band does, in exercises with a `bodyWeightShare`; 0 is then without help. Null: nothing, or not told.",
    )
    duration_seconds: int | None = strawberry.field(
        default=None, description="In seconds, 1 to 86,400. Null: not timed."
    )
    distance_m: float | None = strawberry.field(
        default=None, description="In metres, 0 to 1,000,000. Null: not measured."
    )
    rpe: float | None = strawberry.field(
        default=None, description="Rate of perceived exertion, 1 to 10. Null: not told."
    )
    tempo: str | None = strawberry.field(
        default=None,
        description="Seconds down, held below, up and held above, each up to 99 or X for as fast as can be: `3-1-X-0`. Null: not"
        " told.",
    )
    notes: str | None = strawberry.field(default=None, description="Up to 500 characters. Null: none.")
    side: domain.SetSide | None = strawberry.field(
        default=None, description="Which side it was of, of an exercise done one side at a time. Null: not told."
    )

    def to_draft(self) -> domain.SetDraft:
        return domain.SetDraft(
            kind=self.kind,
            reps=self.reps,
            weight_kg=decimal_of_or_none(self.weight_kg, 2),
            duration_seconds=self.duration_seconds,
            distance_m=decimal_of_or_none(self.distance_m, 2),
            rpe=decimal_of_or_none(self.rpe, 1),
            tempo=self.tempo,
            notes=self.notes,
            side=self.side,
        )


@strawberry.input(description="What is to be different of a set: what is absent stays, what is null is cleared.")
class SetChangesInput:
    kind: domain.SetKind | None = strawberry.field(
        default=strawberry.UNSET, description="What the set is for. It cannot be null."
    )
    reps: int | None = strawberry.field(
        default=strawberry.UNSET, description="Repetitions, 1 to 10,000. Null: not counted."
    )
    weight_kg: float | None = strawberry.field(
        default=strawberry.UNSET,
        description="In kilograms, -500 to 2,000, as in `SetInput`. Null: nothing, or not told.",
    )
    duration_seconds: int | None = strawberry.field(
        default=strawberry.UNSET, description="In seconds, 1 to 86,400. Null: not timed."
    )
    distance_m: float | None = strawberry.field(
        default=strawberry.UNSET, description="In metres, 0 to 1,000,000. Null: not measured."
    )
    rpe: float | None = strawberry.field(
        default=strawberry.UNSET, description="Rate of perceived exertion, 1 to 10. Null: not told."
    )
    tempo: str | None = strawberry.field(
        default=strawberry.UNSET, description="Four numbers of seconds or X, as in `SetInput`. Null: not told."
    )
    notes: str | None = strawberry.field(default=strawberry.UNSET, description="Up to 500 characters. Null: none.")
    side: domain.SetSide | None = strawberry.field(
        default=strawberry.UNSET, description="Which side it was of. Null: not told."
    )

    def to_changes(self) -> SetChanges:
        changes: dict[str, Any] = given(
            self,
            "reps",
            "weight_kg",
            "duration_seconds",
            "distance_m",
            "rpe",
            "tempo",
            "notes",
            "side",
            never_null=("kind",),
        )
        places = {"weight_kg": 2, "distance_m": 2, "rpe": 1}
        exact = {
            name: decimal_of(value, places[name]) if isinstance(value, float) else value
            for name, value in changes.items()
        }
        return cast("SetChanges", exact)
