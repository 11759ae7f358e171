"""Streaks in GraphQL: how long habits have held, and the days on which they rest."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.analytics.api.summary import clock_on
from subgraphs.analytics.commands import streak as commands
from subgraphs.analytics.domain import streak as domain
from subgraphs.analytics.domain.streak import Habit, workouts_habit
from subgraphs.analytics.domain.streak_protection import (
    MOST_DAYS_A_YEAR,
    MOST_SPANS,
    YEAR_DAYS,
    ProtectedSpan,
    Protection,
    ProtectionReason,
    rested_streak,
    resting_units,
    rests,
    runs_beside,
)
from subgraphs.analytics.loaders import loaders_of
from subgraphs.analytics.queries.streak import StreakFacts, streak_of
from subgraphs.shell.calendar import WeekStart
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.inputs import expected_version
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.scalars import describe_enum
from subgraphs.shell.worked_out import WorkedOut, worked_out

if TYPE_CHECKING:
    from subgraphs.analytics.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.analytics.api.user")]

describe_enum(
    ProtectionReason,
    "Why a streak rests.",
    HOLIDAY="The person is away.",
    ILLNESS="The person is ill.",
    OTHER="Something else.",
)


@strawberry.type(description="How long a habit has held.")
class Streak:
    current: int = strawberry.field(
        description="How many in a row up to now; what runs still has its time, and protected ones neither break it nor count."
    )
    longest: int = strawberry.field(description="The most in a row ever, with protected ones passed over.")
    last: date | None = strawberry.field(
        description="The last day, or the first day of the last week, that counted. Null if none ever did."
    )


@strawberry.type(description="How long a person's habits have held.")
class Streaks:
    facts: strawberry.Private[StreakFacts]
    week_start: strawberry.Private[WeekStart]
    today: strawberry.Private[date]
    meals: WorkedOut[Streak] = worked_out(
        lambda self: _streak_node(Habit.MEALS, self.facts, self.today),
        description="Days in a row with a meal; today may still come.",
    )
    workouts: WorkedOut[Streak] = worked_out(
        lambda self: _streak_node(workouts_habit(self.week_start), self.facts, self.today),
        description="Weeks in a row with three workouts; this week may still come. A week is passed over of which four days or"
        " more are protected.",
    )


@strawberry.type(description="Days in a row on which streaks rest.")
class StreakRest:
    first: date = strawberry.field(description="The first of them.")
    last: date = strawberry.field(description="The last of them, included.")
    reason: ProtectionReason = strawberry.field(description="Why.")


@strawberry.type(description="The days on which a person's streaks rest.")
class StreakProtection:
    spans: list[StreakRest] = strawberry.field(
        description=f"In order, up to {MOST_SPANS}.", directives=[list_size(MOST_SPANS)]
    )
    version: int = strawberry.field(
        description="Counts changes; send it as `expectedVersion` to change only this one. 0 before the first."
    )


@strawberry.input(description="Days in a row on which streaks are to rest.")
class StreakRestInput:
    first: date = strawberry.field(description="The first of them, of the past or the future.")
    last: date = strawberry.field(description="The last of them, included; at most a year from today.")
    reason: ProtectionReason = strawberry.field(description="Why.")


@strawberry.input(description="The days on which the viewer's streaks rest, all anew.")
class SetStreakProtectionInput:
    spans: list[StreakRestInput] = strawberry.field(
        description=f"At most {MOST_SPANS} that share no day, and at most {MOST_DAYS_A_YEAR} of any {YEAR_DAYS} days in a row;"
        " empty for none. Sending what there was before undoes a change."
    )
    expected_version: int | None = expected_version()


@strawberry.type(description="What came of setting the days on which streaks rest.")
class SetStreakProtectionPayload(Payload):
    streak_protection: StreakProtection | None = strawberry.field(
        default=None, description="What is protected now; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(default=None, description="Whose it is; null if it was refused.")


def protection_node(found: Protection | None) -> StreakProtection:
    protection = found or Protection()
    spans = [StreakRest(first=span.first, last=span.last, reason=span.reason) for span in protection.spans]
    return StreakProtection(spans=spans, version=protection.version)


async def read_streaks(info: Info, user_id: str) -> Streaks:
    """Of a person whom the viewer may read."""
    facts = await loaders_of(info).streak_facts_by_user.load(user_id)
    assert facts is not None  # each person has some, if only empty ones
    clock = clock_on(info, user_id, facts.clock)
    return Streaks(facts=facts, week_start=clock.week_start, today=clock.today(info.context.resources.now()))


def _streak(habit: Habit, facts: StreakFacts, today: date) -> domain.Streak:
    best = facts.best.get(habit)
    plain = streak_of(habit, best, today)
    resting = resting_units(habit, facts.protection.spans) if facts.protection is not None else frozenset()
    if best is None or not resting:
        return plain
    beside = runs_beside(habit, rests(habit, resting), facts.beside[habit])
    return rested_streak(habit, plain, {best.newest, *beside}, resting, today)


def _streak_node(habit: Habit, facts: StreakFacts, today: date) -> Streak:
    found = _streak(habit, facts, today)
    return Streak(current=found.current, longest=found.longest, last=found.last)


@strawberry.type
class StreakMutation:
    @mutation(
        description="Set the days on which the viewer's streaks rest, of a holiday or an illness, in place of those before. They keep a"
        " streak and add nothing to it."
    )
    async def set_streak_protection(
        self, info: Info, input: SetStreakProtectionInput
    ) -> SetStreakProtectionPayload | None:
        from subgraphs.analytics.api.user import User

        viewer, resources = info.context.viewer, info.context.resources
        protection = await commands.set_streak_protection(
            viewer,
            [ProtectedSpan(span.first, span.last, span.reason) for span in input.spans],
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        info.context.renew_loaders()
        return SetStreakProtectionPayload(
            streak_protection=protection_node(protection), user=User(id=strawberry.ID(viewer.id))
        )
