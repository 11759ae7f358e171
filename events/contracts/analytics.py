"""What the analytics subgraph derives from the others' events."""

from datetime import date, datetime
from decimal import Decimal

from events import topics
from events.contracts.plan_write import PlanWritten
from events.envelope import Payload


class DailySummaryChanged(Payload, frozen=True, kw_only=True):
    """A day's summary as it is now. Aggregate `daily_summary`, id = `user id:date`, version = revision."""

    topic = topics.ANALYTICS_DERIVED.name
    aggregate_type = "daily_summary"

    date: date
    revision: int
    calories_consumed: Decimal
    calories_burned: Decimal
    meals_logged: int
    workouts_completed: int
    computed_at: datetime


class GoalProgressed(Payload, frozen=True, kw_only=True):
    """Where a goal stands, from 0 to 1. Aggregate `goal`, id = goal id."""

    topic = topics.ANALYTICS_DERIVED.name
    aggregate_type = "goal"

    goal_id: str
    status: str
    progress: Decimal
    current_value: Decimal | None = None


class AchievementUnlocked(Payload, frozen=True, kw_only=True):
    """Something was achieved for the first time. Aggregate `achievement`, id = `user id:kind`, version 1: it never changes.

    `reached_on` is what the facts said then; the day may move with them, which is not told.
    """

    topic = topics.ANALYTICS_DERIVED.name
    aggregate_type = "achievement"

    kind: str
    reached_on: date
    unlocked_at: datetime


class GoalCompleted(GoalProgressed, frozen=True, kw_only=True):
    """A goal was reached."""


class GoalPlanned(PlanWritten, frozen=True, kw_only=True):
    """Somebody wrote a goal for a person, by a grant."""

    topic = topics.ANALYTICS_DERIVED.name
