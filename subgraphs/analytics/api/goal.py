"""Goals in GraphQL: the entity with where it stands, and every change to it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, cast

import strawberry

from subgraphs.analytics.api.goal_pace import GoalPace, pace_node
from subgraphs.analytics.api.goal_projection import GoalProjection, projection_node
from subgraphs.analytics.api.summary import today_of
from subgraphs.analytics.commands import goal as commands
from subgraphs.analytics.domain import goal as domain
from subgraphs.analytics.domain.measure import exercise_of, tape_of
from subgraphs.analytics.domain.projection import WINDOW_DAYS, Projection, project, recent
from subgraphs.analytics.loaders import loaders_of
from subgraphs.analytics.projections.summary import achievement_channel, day_channel
from subgraphs.analytics.queries.goal import GoalRecord, Standing
from subgraphs.analytics.queries.weight import Span
from subgraphs.shell.calendar import latest_day
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.errors import NotFoundError
from subgraphs.shell.inputs import client_made_id, expected_version, given, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.live import announce
from subgraphs.shell.measurement_kind_type import MeasurementKind
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import Node, NodeKind
from subgraphs.shell.plan_write_type import AUTHOR, PERSON
from subgraphs.shell.scalars import (
    CACHE_PRIVATE_BRIEFLY,
    IdempotencyKey,
    decimal_of,
    decimal_of_or_none,
    describe_enum,
    id_or_none,
    rounded,
    rounded_or_none,
)
from subgraphs.shell.scopes import READS_PROGRESS
from subgraphs.shell.sharing import SHARED_PROGRESS, load_readable

if TYPE_CHECKING:
    from subgraphs.analytics.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.analytics.api.user")]
_PLACES = 3

describe_enum(
    domain.GoalKind,
    "What a goal measures, and in which unit.",
    WEIGHT_KG="The trend of the body's weight, in kilograms. It is reached once.",
    WORKOUTS_PER_WEEK="How many workouts a week has. A habit.",
    WORKOUT_MINUTES_PER_WEEK="How many minutes of workouts a week has. A habit.",
    DAILY_CALORIES="The energy eaten in a day, in kcal. A habit.",
    DAILY_PROTEIN_G="The protein eaten in a day, in grams. A habit.",
    DAILY_WATER_ML="What is drunk in a day, in millilitres. A habit.",
    DAILY_STEPS="How many steps a day has, by the source that counted the most. A habit.",
    ONE_REP_MAX_KG="The estimated one-repetition maximum of an exercise, in kilograms: the best since the start. It is reached once.",
    MEASUREMENT_CM="What a tape measures around a place of the body, in centimetres: the newest. It is reached once.",
    MUSCLE_MASS_KG="The muscle mass that weighings tell, in kilograms: the newest. It is reached once.",
)
describe_enum(
    domain.GoalDirection,
    "On which side of the target a value is as it should be.",
    AT_LEAST="At the target or above.",
    AT_MOST="At the target or below.",
)
describe_enum(
    domain.GoalStatus,
    "What became of a goal.",
    ACTIVE="It is being followed.",
    PAUSED="It rests: nothing completes it.",
    COMPLETED="It was reached, by the facts or by the person's word. It can be reopened: set it ACTIVE.",
    ABANDONED="It was given up.",
)


@strawberry.type(description="A day or a week of a habit.")
class GoalPeriod:
    first: date = strawberry.field(description="Its first day; the goal's start in the week that it began in.")
    last: date = strawberry.field(description="Its last day, included.")
    value: float | None = strawberry.field(
        description="What it came to, so far if it still runs, in the kind's unit. Null for a day without an entry."
    )
    is_kept: bool | None = strawberry.field(
        description="Whether the target was kept. Null while that is open, for a day without an entry and for a week"
        " that the goal began in the middle of, unless the target is reached in it all the same."
    )


@strawberry.federation.type(
    keys=["id", "nodeId"],
    description="Something a person wants to reach or to keep to.",
    directives=[CACHE_PRIVATE_BRIEFLY, SHARED_PROGRESS],
)
class Goal(Node):
    record: strawberry.Private[GoalRecord]
    kind: domain.GoalKind = strawberry.field(description="What it measures, and in which unit its values are.")
    status: domain.GoalStatus = strawberry.field(description="What became of it.")
    target_value: float = strawberry.field(description="What the value is to come to, in the kind's unit.")
    exercise_id: strawberry.ID | None = strawberry.field(
        description="Whose one-repetition maximum it follows; null for other kinds. `exercise(id:)` tells of it."
    )
    measurement: MeasurementKind | None = strawberry.field(
        description="Which place of the body it follows; null for other kinds."
    )
    start_date: date = strawberry.field(description="The first day that counts.")
    target_date: date | None = strawberry.field(description="When it is to be reached; null if no day was set.")
    description: str | None = strawberry.field(description="The person's own words; null if there are none.")
    completed_at: datetime | None = strawberry.field(
        description="When it was completed: as the facts came to be known, or as the person said so. Null if it is not."
    )
    reached_on: date | None = strawberry.field(
        description="The day on which the trend weight, or the measured value, came to the target; null for habits and for the"
        " person's word."
    )
    version: int = strawberry.field(description="Counts changes; send it as `expectedVersion` to change only this one.")
    author_id: strawberry.ID | None = strawberry.field(description=AUTHOR)

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID, **_: Any) -> Goal | None:
        return await load_goal(info, id)

    @strawberry.field(description="Whose goal it is.")
    def user(self) -> LazyUser:
        from subgraphs.analytics.api.user import User

        return User(id=strawberry.ID(self.record.user_id))

    @strawberry.field(
        description="What a goal that is reached once starts from, in the kind's unit: as set, else the trend weight or the"
        " measured value in force on its first day, else the first one after it. Null as long as nothing was measured, and for"
        " habits."
    )
    async def start_value(self, info: Info) -> float | None:
        return rounded_or_none((await self._standing(info)).baseline)

    @strawberry.field(
        description="Which way the value has to go: as set, as usual for the kind, or from the start towards the target."
        " Null as long as one that is reached once has no start."
    )
    async def direction(self, info: Info) -> domain.GoalDirection | None:
        return (await self._standing(info)).direction

    @strawberry.field(
        description="What it stands at, in the kind's unit. Of a weight: the newest trend. Of a strength: the best since its"
        " start, else the newest. Of a tape's measure and of muscle: the newest. Of a week: what the running"
        " one has come to since the goal's start. Of a day: the mean of the last seven full days since its start that"
        " have an entry; today is not over and does not count. Null if there is none."
    )
    async def current_value(self, info: Info) -> float | None:
        return rounded_or_none((await self._standing(info)).current)

    @strawberry.field(
        description="From 0 to 1. Of what is reached once, the part of the way from the start to the target; of a habit, the part of"
        " the target that is kept: 3 workouts of at least 5 are 0.6, 2,500 kcal of at most 2,000 are 0.8."
    )
    async def progress(self, info: Info) -> float:
        if self.record.status == domain.GoalStatus.COMPLETED:
            return 1.0
        return rounded((await self._standing(info)).progress, 4)

    @strawberry.field(
        description="The last 12 days or weeks of a habit back to its start, the running one first. Null for what is reached once.",
        directives=[list_size(12)],
    )
    async def periods(self, info: Info) -> list[GoalPeriod] | None:
        if self.record.facts.rules.cadence is domain.Cadence.ONCE:
            return None
        found = await loaders_of(info).periods_by_goal.load(self.record.id)
        return [
            GoalPeriod(first=each.first, last=each.last, value=rounded_or_none(each.value), is_kept=each.is_kept)
            for each in found
        ]

    @strawberry.field(description="Whether it is followed still though its target date has passed.")
    async def is_overdue(self, info: Info) -> bool:
        if self.record.target_date is None or self.status is not domain.GoalStatus.ACTIVE:
            return False
        return self.record.target_date < await today_of(info, self.record.user_id)

    @strawberry.field(
        description="When a weight will be reached as things go. Null for every other kind, and without a weighing in 28 days;"
        " `pace` tells of all that are reached once."
    )
    async def projection(self, info: Info) -> GoalProjection | None:
        if self.kind is not domain.GoalKind.WEIGHT_KG:
            return None
        found = await self._projected(info)
        return None if found is None else projection_node(found, self.record.target_date)

    @strawberry.field(
        description="How what is reached once comes along, in the kind's unit. Null for habits, and without a value in 28 days."
    )
    async def pace(self, info: Info) -> GoalPace | None:
        if self.record.facts.rules.cadence is not domain.Cadence.ONCE:
            return None
        found = await self._projected(info)
        return None if found is None else pace_node(found, self.record.target_date)

    async def _projected(self, info: Info) -> Projection | None:
        today = await today_of(info, self.record.user_id)
        span = Span(today - timedelta(days=WINDOW_DAYS - 1), latest_day(info.context.resources.now()))
        if self.kind is domain.GoalKind.WEIGHT_KG:
            loading = loaders_of(info).trend_by_user.load((self.record.user_id, span))  # while its standing is read
        else:
            loading = loaders_of(info).measured_days_by_goal.load((self.record.id, span))
        standing = await self._standing(info)
        is_reached = self.status is domain.GoalStatus.COMPLETED or standing.progress == 1
        return project(
            recent(await loading, today),
            self.record.target_value,
            is_reached=is_reached,
            target_date=self.record.target_date,
            today=today,
        )

    async def _standing(self, info: Info) -> Standing:
        standing = await loaders_of(info).standing_by_goal.load(self.record.id)
        if standing is None:
            raise NotFoundError("There is no such goal any more.")
        return standing


def goal_node(record: GoalRecord) -> Goal:
    return Goal(
        record=record,
        id=strawberry.ID(record.id),
        kind=domain.GoalKind(record.kind),
        status=domain.GoalStatus(record.status),
        target_value=rounded(record.target_value),
        exercise_id=id_or_none(exercise_of(record.measure)),
        measurement=tape_of(record.measure),
        start_date=record.start_date,
        target_date=record.target_date,
        description=record.description,
        completed_at=record.completed_at,
        reached_on=record.reached_on,
        version=record.version,
        author_id=id_or_none(record.author_id),
    )


async def load_goal(info: Info, id: str) -> Goal | None:
    """The goal, unless it is another person's who does not share it."""
    record = await load_readable(info, Goal, loaders_of(info).goal_by_id, id)
    return None if record is None else goal_node(record)


@strawberry.type
class GoalQuery:
    @strawberry.field(
        description="One of the viewer's goals; what it is measured by settles a moment after a write. Null if there is none"
        " with this id.",
        directives=[READS_PROGRESS, CACHE_PRIVATE_BRIEFLY],
    )
    async def goal(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The goal's id.")]
    ) -> Goal | None:
        return await load_goal(info, id)


@strawberry.input(description="A goal to set; a person has up to 100.")
class CreateGoalInput:
    kind: domain.GoalKind = strawberry.field(description="What it measures.")
    target_value: float = strawberry.field(
        description="In the kind's unit: 20 to 500 kg, 1 to 50 workouts, 1 to 10,080 minutes, 500 to 20,000 kcal, 1 to"
        " 1,000 g, 100 to 20,000 ml, 100 to 100,000 steps; 1 to 1,000 kg of a one-repetition"
        " maximum, 5 to 400 cm, 1 to 300 kg of muscle."
    )
    direction: domain.GoalDirection | None = strawberry.field(
        default=None,
        description="Which way the value has to go. Null: a weight, a measurement and muscle from the start to the target,"
        " calories at most, other kinds at least. A one-repetition maximum goes up alone.",
    )
    start_value: float | None = strawberry.field(
        default=None,
        description="What a goal that is reached once starts from, in the kind's unit. Null: the trend weight or the measured"
        " value on the first day, else the first one after it. Habits have none.",
    )
    exercise_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The exercise of a ONE_REP_MAX_KG, which needs one; no other kind has it. It is not looked up.",
    )
    measurement: MeasurementKind | None = strawberry.field(
        default=None, description="The place of a MEASUREMENT_CM, which needs one; no other kind has it."
    )
    start_date: date | None = strawberry.field(
        default=None, description="The first day that counts, within ten years. Null: the person's today."
    )
    target_date: date | None = strawberry.field(
        default=None, description="When it is to be reached, not in the past. Null: no day is set."
    )
    description: str | None = strawberry.field(default=None, description="Up to 500 characters. Null: none.")
    id: strawberry.ID | None = client_made_id(NodeKind.GOAL)
    person_id: strawberry.ID | None = strawberry.field(default=None, description=PERSON)
    idempotency_key: IdempotencyKey | None = idempotency_key()

    def to_new(self) -> commands.NewGoal:
        return commands.NewGoal(
            kind=self.kind,
            target_value=decimal_of(self.target_value, _PLACES),
            direction=self.direction,
            start_value=decimal_of_or_none(self.start_value, _PLACES),
            start_date=self.start_date,
            target_date=self.target_date,
            description=self.description,
            exercise_id=self.exercise_id,
            measurement=self.measurement,
            person_id=self.person_id,
            request=request_key(self),
        )


@strawberry.input(description="What is to be different of a goal: what is absent stays, what is null is cleared.")
class UpdateGoalInput:
    id: strawberry.ID = strawberry.field(description="The goal's id.")
    target_value: float | None = strawberry.field(
        default=strawberry.UNSET, description="In the kind's unit, as when it is set. It cannot be null."
    )
    direction: domain.GoalDirection | None = strawberry.field(
        default=strawberry.UNSET, description="Which way the value has to go. Null: as usual for the kind."
    )
    start_value: float | None = strawberry.field(
        default=strawberry.UNSET, description="What a goal that is reached once starts from. Null: what the facts say."
    )
    start_date: date | None = strawberry.field(
        default=strawberry.UNSET, description="The first day that counts. It cannot be null."
    )
    target_date: date | None = strawberry.field(
        default=strawberry.UNSET, description="When it is to be reached, not in the past. Null: no day is set."
    )
    description: str | None = strawberry.field(
        default=strawberry.UNSET, description="Up to 500 characters. Null: none."
    )
    expected_version: int | None = expected_version()

    def to_changes(self) -> commands.GoalChanges:
        nullable = ("direction", "start_value", "target_date", "description")
        changes = given(self, *nullable, never_null=("target_value", "start_date"))
        exact = {
            name: decimal_of(value, _PLACES) if isinstance(value, float) else value for name, value in changes.items()
        }
        return cast("commands.GoalChanges", exact)


@strawberry.input(description="What is to become of a goal.")
class SetGoalStatusInput:
    id: strawberry.ID = strawberry.field(description="The goal's id.")
    status: domain.GoalStatus = strawberry.field(
        description="ACTIVE reopens a completed goal: what completed it counts no more, from tomorrow on it can be"
        " reached again."
    )
    expected_version: int | None = expected_version()


@strawberry.input(description="Which goal to delete.")
class DeleteGoalInput:
    id: strawberry.ID = strawberry.field(description="The goal's id.")
    expected_version: int | None = expected_version()


@strawberry.type(description="What came of setting or changing a goal.")
class GoalPayload(Payload):
    goal: Goal | None = strawberry.field(default=None, description="The goal as it is now; null if it was refused.")


@strawberry.type(description="What came of deleting a goal.")
class DeleteGoalPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(
        default=None, description="The person without that goal; null if it was refused."
    )


async def _payload(info: Info, record: GoalRecord) -> GoalPayload:
    """The goal as it is after the command, told to the viewer's streams; where it stands is read anew, from the primary."""
    await _announce(info, record.user_id)
    info.context.renew_loaders()
    return GoalPayload(goal=goal_node(record))


async def _announce(info: Info, user_id: str) -> None:
    """A change of a goal concerns whoever follows goals, and may be an achievement."""
    await announce(info, day_channel(user_id), achievement_channel(user_id))


@strawberry.type
class GoalMutation:
    @mutation(
        key_scope=KeyScope.WRITE_PROGRESS,
        description="Set a goal of the viewer, or of somebody for whom the viewer may plan. CONFLICT for more than there may be.",
    )
    async def create_goal(self, info: Info, input: CreateGoalInput) -> GoalPayload | None:
        viewer, resources = info.context.viewer, info.context.resources
        record = await commands.create_goal(viewer, input.to_new(), database=resources.database, now=resources.now())
        return await _payload(info, record)

    @mutation(
        key_scope=KeyScope.WRITE_PROGRESS,
        description="Change a goal of the viewer, or of somebody for whom the viewer may plan.",
    )
    async def update_goal(self, info: Info, input: UpdateGoalInput) -> GoalPayload | None:
        resources = info.context.resources
        record = await commands.update_goal(
            info.context.viewer,
            input.id,
            input.to_changes(),
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return await _payload(info, record)

    @mutation(
        key_scope=KeyScope.WRITE_PROGRESS,
        description="Pause, resume, complete, abandon or reopen a goal of the viewer.",
    )
    async def set_goal_status(self, info: Info, input: SetGoalStatusInput) -> GoalPayload | None:
        resources = info.context.resources
        record = await commands.set_goal_status(
            info.context.viewer,
            input.id,
            input.status,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return await _payload(info, record)

    @mutation(key_scope=KeyScope.WRITE_PROGRESS, description="Delete a goal of the viewer for good.")
    async def delete_goal(self, info: Info, input: DeleteGoalInput) -> DeleteGoalPayload | None:
        from subgraphs.analytics.api.user import User

        viewer, resources = info.context.viewer, info.context.resources
        goal = await commands.delete_goal(
            viewer,
            input.id,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        await _announce(info, goal.user_id)
        info.context.renew_loaders()
        return DeleteGoalPayload(deleted_id=input.id, user=User(id=strawberry.ID(goal.user_id)))
