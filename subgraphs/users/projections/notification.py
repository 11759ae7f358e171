"""Others' events to notifications: goals, achievements, records, and plans that somebody wrote for a person. The handler of
group `users-notifications`.

It also tells endpoints of webhooks, keeps what people have logged lately, for reminders and reports of weeks: `logged_entry`, and
enters into the audit trail what administrators decided elsewhere.

What happened more than a week ago is not told, so a group that reads its topics from their start tells nothing old; what is
told twice has the same cause, and is kept once.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.consumer import AfterCommit, Handler, Subscription
from events.contracts.analytics import AchievementUnlocked, DailySummaryChanged, GoalProgressed
from events.contracts.moderation import PublicationModerated
from events.contracts.nutrition import FoodModerated, MealDeleted, MealState, WaterDeleted, WaterLogged
from events.contracts.plan_write import PlanWritten
from events.contracts.workouts import WorkoutState
from events.envelope import Envelope, Payload
from events.fanout import Fanout
from events.topics import ANALYTICS_DERIVED, NUTRITION_DIARY, WORKOUTS_SESSION
from events.upcast import read_payload
from subgraphs.shell.node import NodeKind, day_id
from subgraphs.users.commands.audit import keep_entries
from subgraphs.users.commands.logged_entry import LoggedEntry, keep_logged
from subgraphs.users.commands.notification import notify, tell_subscribers
from subgraphs.users.commands.webhook_events import queue_webhooks
from subgraphs.users.domain.account import AuditAction
from subgraphs.users.domain.notification import OLDEST_NEWS, NewNotification, NotificationKind
from subgraphs.users.domain.reminder import Logged
from subgraphs.users.domain.webhook import WebhookEvent, WebhookEventKind
from subgraphs.users.queries.audit import AuditRecord
from subgraphs.users.queries.notification import GROUP

_ENTRIES = (MealState.aggregate_type, WaterLogged.aggregate_type, WorkoutState.aggregate_type)
TOPICS = (NUTRITION_DIARY.name, WORKOUTS_SESSION.name, ANALYTICS_DERIVED.name)


def subscription(fanout: Fanout | None, now: Callable[[], datetime]) -> Subscription:
    """What this subgraph reads, and what it makes of it. It tells what happened, so nothing is made of it anew."""
    return Subscription(GROUP, TOPICS, notifier(fanout, now))


def notifier(fanout: Fanout | None, now: Callable[[], datetime]) -> Handler:
    """The consumer's handler; with a fan-out it tells the people's streams. `now` is when they are notified."""

    async def project(connection: AsyncConnection, envelopes: Sequence[Envelope]) -> AfterCommit:
        moment = now()
        since = moment - OLDEST_NEWS
        told_of = [(envelope, read_payload(envelope)) for envelope in envelopes]
        await keep_logged(connection, [_entry(*each) for each in told_of if each[1].aggregate_type in _ENTRIES], moment)
        decisions = [_decision(*each) for each in told_of if isinstance(each[1], PublicationModerated)]
        await keep_entries(connection, decisions)
        news = [
            each
            for envelope, payload in told_of
            if envelope.occurred_at >= since and (each := _news(envelope.user_id, payload, since)) is not None
        ]
        plans = [(envelope, payload) for envelope, payload in told_of if isinstance(payload, PlanWritten)]
        news += await _plans(connection, [each for each in plans if each[0].occurred_at >= since])
        told = await notify(connection, news, moment)
        await queue_webhooks(connection, _told_to_endpoints(told_of, since), moment)
        return (lambda: tell_subscribers(fanout, told)) if told else None

    return project


def _decision(envelope: Envelope, payload: Payload) -> AuditRecord:
    """What an administrator decided in another subgraph, as the audit trail has it: under the event's id, so once."""
    assert isinstance(payload, PublicationModerated)
    if isinstance(payload, FoodModerated):
        withdrawn, kept = AuditAction.FOOD_WITHDRAWN, AuditAction.FOOD_KEPT
    else:
        withdrawn, kept = AuditAction.TEMPLATE_WITHDRAWN, AuditAction.TEMPLATE_KEPT
    action = withdrawn if payload.decision == "WITHDRAW" else kept
    return AuditRecord(
        id=envelope.event_id,
        at=envelope.occurred_at,
        action=action.value,
        actor_id=payload.actor_id,
        subject_id=envelope.user_id,
        reason=payload.reason,
        before=payload.before,
        after=payload.after,
    )


def _told_to_endpoints(told_of: Sequence[tuple[Envelope, Payload]], since: datetime) -> list[WebhookEvent]:
    """What webhooks are told besides what is notified of: days of the diary, their summaries, finished workouts."""
    return [
        event
        for envelope, payload in told_of
        if envelope.occurred_at >= since
        for event in _webhooks(envelope, payload)
    ]


def _webhooks(envelope: Envelope, payload: Payload) -> Iterator[WebhookEvent]:
    match payload:
        case MealState() | MealDeleted() | WaterLogged() | WaterDeleted():
            before = payload.prev_local_date if isinstance(payload, MealState) else None
            for day in {payload.local_date, before or payload.local_date}:
                yield _of_day(envelope, WebhookEventKind.DIARY_DAY_CHANGED, NodeKind.DIARY_DAY, day)
        case DailySummaryChanged():
            yield _of_day(envelope, WebhookEventKind.DAILY_SUMMARY_CHANGED, NodeKind.DAILY_SUMMARY, payload.date)
        case WorkoutState(status="COMPLETED"):  # whichever event tells it first; a later one has the same cause
            yield WebhookEvent(
                user_id=envelope.user_id,
                kind=WebhookEventKind.WORKOUT_COMPLETED,
                cause=f"workout:{payload.workout_id}",
                occurred_at=payload.ended_at or envelope.occurred_at,
                data={"id": payload.workout_id, "version": envelope.aggregate.version},
            )


def _of_day(envelope: Envelope, kind: WebhookEventKind, node: NodeKind, day: date) -> WebhookEvent:
    changed = envelope.aggregate
    return WebhookEvent(
        user_id=envelope.user_id,
        kind=kind,
        cause=f"{changed.type}:{changed.id}:{envelope.source_epoch}.{changed.version}:{day}",
        occurred_at=envelope.occurred_at,
        data={"id": day_id(node, envelope.user_id, day), "date": day.isoformat()},
        subject=day.isoformat(),
    )


async def _plans(connection: AsyncConnection, told: Sequence[tuple[Envelope, PlanWritten]]) -> list[NewNotification]:
    """What people are told of plans that others wrote: once an hour for each plan, by the writer's name as it is now.

    Of a writer who has been erased nothing is told.
    """
    if not told:
        return []
    writers = sorted({payload.writer_id for _, payload in told})
    statement = text("SELECT id, display_name FROM account WHERE id = ANY(:ids)")
    names = {row.id: row.display_name for row in await connection.execute(statement, {"ids": writers})}
    return [
        NewNotification(
            user_id=envelope.user_id,
            kind=NotificationKind.PLAN_WRITTEN,
            cause=f"plan:{payload.subject_id}:{payload.writer_id}:{envelope.occurred_at:%Y-%m-%dT%H}",
            subject_id=payload.subject_id,
            detail=f"{payload.what} {names[payload.writer_id]}",
            actor_id=payload.writer_id,
        )
        for envelope, payload in told
        if payload.writer_id in names
    ]


def _entry(envelope: Envelope, payload: Payload) -> LoggedEntry:
    """What an event says of an entry of the diary or a workout: on which day it is what, or that it is gone."""
    what, day = None, None
    match payload:
        case MealState():
            what, day = payload.slot, payload.local_date
        case WaterLogged():
            what, day = Logged.WATER.value, payload.local_date
        case WorkoutState() if payload.status in ("IN_PROGRESS", "COMPLETED"):
            what, day = Logged.WORKOUT.value, payload.local_date
    return LoggedEntry(envelope.aggregate.id, envelope.user_id, what, day)


def _news(user_id: str, payload: Payload, since: datetime) -> NewNotification | None:
    """What a person is to be told of an event; None for nothing."""
    match payload:
        case GoalProgressed(status="COMPLETED"):  # whichever event tells the newest state of the goal
            return NewNotification(
                user_id=user_id,
                kind=NotificationKind.GOAL_COMPLETED,
                cause=f"goal:{payload.goal_id}",
                subject_id=payload.goal_id,
            )
        case AchievementUnlocked():
            return NewNotification(
                user_id=user_id,
                kind=NotificationKind.ACHIEVEMENT_UNLOCKED,
                cause=f"achievement:{payload.kind}",
                detail=payload.kind,
            )
        case WorkoutState(new_records=(_, *_)) if payload.local_date >= since.date():  # and is not entered years later
            return NewNotification(
                user_id=user_id,
                kind=NotificationKind.PERSONAL_RECORD,
                cause=f"records:{payload.workout_id}",
                subject_id=payload.workout_id,
                detail=", ".join(payload.new_records),
            )
    return None
