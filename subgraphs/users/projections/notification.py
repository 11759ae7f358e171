"""Others' events to notifications: goals, achievements and records. The handler of group `users-notifications`.

What happened more than a week ago is not told, so a group that reads its topics from their start tells nothing old; what is
told twice has the same cause, and is kept once.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from events.consumer import AfterCommit, Handler, Subscription
from events.contracts.analytics import AchievementUnlocked, GoalProgressed
from events.contracts.workouts import WorkoutState
from events.envelope import Envelope, Payload
from events.fanout import Fanout
from events.topics import ANALYTICS_DERIVED, WORKOUTS_SESSION
from events.upcast import read_payload
from subgraphs.users.commands.notification import notify, tell_subscribers
from subgraphs.users.domain.notification import OLDEST_NEWS, NewNotification, NotificationKind
from subgraphs.users.queries.notification import GROUP

TOPICS = (WORKOUTS_SESSION.name, ANALYTICS_DERIVED.name)


def subscription(fanout: Fanout | None, now: Callable[[], datetime]) -> Subscription:
    """What this subgraph reads, and what it makes of it. It tells what happened, so nothing is made of it anew."""
    return Subscription(GROUP, TOPICS, notifier(fanout, now))


def notifier(fanout: Fanout | None, now: Callable[[], datetime]) -> Handler:
    """The consumer's handler; with a fan-out it tells the people's streams. `now` is when they are notified."""

    async def project(connection: AsyncConnection, envelopes: Sequence[Envelope]) -> AfterCommit:
        moment = now()
        since = moment - OLDEST_NEWS
        news = [
            each
            for envelope in envelopes
            if envelope.occurred_at >= since
            and (each := _news(envelope.user_id, read_payload(envelope), since)) is not None
        ]
        told = await notify(connection, news, moment)
        return (lambda: tell_subscribers(fanout, told)) if told else None

    return project


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
