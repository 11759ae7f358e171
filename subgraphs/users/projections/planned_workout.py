"""What people plan to train, as workouts tells it, kept for the reminders of it. The handler of group `users-plans`."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from events.consumer import Handler, ProjectedTable, Rebuild, Subscription
from events.contracts.workouts import PlannedWorkoutState
from events.envelope import Envelope
from events.fanout import Fanout
from events.topics import WORKOUTS_PLAN
from events.upcast import read_payload
from subgraphs.users.commands.workout_reminder import ToldPlan, drop_plans_of, keep_plans
from subgraphs.users.queries.workout_reminder import GROUP


def subscription(_fanout: Fanout | None, now: Callable[[], datetime]) -> Subscription:
    """What this group reads, and what it makes of it. When somebody is reminded follows from settings as well, and from what was sent."""
    table = ProjectedTable("plan_ahead", ignored=("remind_at", "is_done"))
    return Subscription(GROUP, (WORKOUTS_PLAN.name,), plan_keeper(now), (table,), _rebuild(now))


def plan_keeper(now: Callable[[], datetime]) -> Handler:
    """The consumer's handler; `now` is what is ahead of."""

    async def project(connection: AsyncConnection, envelopes: Sequence[Envelope]) -> None:
        plans = [_plan(envelope) for envelope in envelopes]
        to_do = [plan for plan in plans if plan is not None]
        others = {envelope.aggregate.id for envelope in envelopes} - {plan.planned_id for plan in to_do}
        await keep_plans(connection, to_do, sorted(others), now())

    return project


def _rebuild(now: Callable[[], datetime]) -> Rebuild:
    """What was reminded of already comes due again, and is told once all the same, by its cause."""
    project = plan_keeper(now)

    async def rebuild(connection: AsyncConnection, user_id: str, envelopes: Sequence[Envelope]) -> None:
        await drop_plans_of(connection, user_id, now())
        await project(connection, envelopes)

    return rebuild


def _plan(envelope: Envelope) -> ToldPlan | None:
    """What is still to be done; None for what was skipped, begun or taken back. Raises what reading a payload does."""
    payload = read_payload(envelope)
    if not isinstance(payload, PlannedWorkoutState) or payload.is_skipped or payload.has_begun:
        return None
    return ToldPlan(
        planned_id=payload.planned_id,
        user_id=envelope.user_id,
        local_date=payload.local_date,
        time_of_day=payload.time_of_day,
        name=payload.name,
        told_at=envelope.occurred_at,
    )
