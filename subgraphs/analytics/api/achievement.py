"""Achievements in GraphQL: what a person has reached, and what the viewer reaches now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Annotated

import strawberry

from subgraphs.analytics.api.summary import today_of
from subgraphs.analytics.domain import achievement as domain
from subgraphs.analytics.domain.streak import Habit
from subgraphs.analytics.loaders import loaders_of
from subgraphs.analytics.projections.summary import achievement_channel
from subgraphs.analytics.queries.achievement import AchievementRecord, unlocked_since
from subgraphs.analytics.queries.streak import streak_of
from subgraphs.shell.context import Info
from subgraphs.shell.live import OVERLAP, Reading, beginning, newest, states
from subgraphs.shell.scalars import describe_enum, rounded
from subgraphs.shell.scopes import READS_PROGRESS

describe_enum(
    domain.AchievementKind,
    "What can be achieved. The list may grow.",
    FIRST_MEAL="A first meal is in the diary.",
    MEALS_7_DAYS="Seven days in a row have a meal.",
    MEALS_30_DAYS="Thirty days in a row have a meal.",
    MEALS_100_DAYS="A hundred days in a row have a meal.",
    MEALS_365_DAYS="365 days in a row have a meal.",
    FIRST_WORKOUT="A first workout is completed.",
    WORKOUTS_10="Ten workouts are completed.",
    WORKOUTS_50="Fifty workouts are completed.",
    WORKOUTS_100="A hundred workouts are completed.",
    VOLUME_5000_KG="Workouts lifted 5,000 kg together: repetitions times load.",
    VOLUME_25000_KG="Workouts lifted 25,000 kg together.",
    VOLUME_100000_KG="Workouts lifted 100,000 kg together.",
    VOLUME_500000_KG="Workouts lifted 500,000 kg together.",
    VOLUME_1000000_KG="Workouts lifted a million kg together.",
    VOLUME_5000000_KG="Workouts lifted 5 million kg together.",
    VOLUME_10000000_KG="Workouts lifted 10 million kg together.",
    WEEKEND_WORKOUTS_25="25 workouts are completed on Saturdays and Sundays.",
    EARLY_WORKOUTS_25="25 completed workouts began before 06:00 on the clock of where they were.",
    LATE_WORKOUTS_25="25 completed workouts began at 23:00 or later on the clock of where they were.",
    FIRST_RECORD="A workout had more of an exercise than every earlier one, as it was told of it then.",
    RECORDS_10="Ten personal records, of each workout at most five.",
    RECORDS_100="A hundred personal records, of each workout at most five.",
    NEW_YEARS_DAY="A workout is completed on the first of January. Repeats every year.",
    COMEBACK="A workout is completed 30 days or more after the one before it. Repeats.",
    FIRST_GOAL_REACHED="The trend weight has come to a weight goal. A goal that its person calls completed does not count.",
)


@strawberry.type(description="Something that a person has achieved. Each is unlocked once, also what repeats.")
class Achievement:
    id: strawberry.ID = strawberry.field(description="Identifies it in the whole graph, for caches.")
    kind: domain.AchievementKind = strawberry.field(description="What it is.")
    reached_on: date = strawberry.field(
        description="The person's day on which it was reached, by what is logged now: it moves if an entry of then is added,"
        " corrected or deleted, and the achievement is gone as long as the entries do not bear it."
    )
    unlocked_at: datetime = strawberry.field(description="When it was first known; this never moves.")


def achievement_node(record: AchievementRecord) -> Achievement:
    return Achievement(
        id=strawberry.ID(f"{record.user_id}:{record.kind}"),
        kind=domain.AchievementKind(record.kind),
        reached_on=record.reached_on,
        unlocked_at=record.unlocked_at,
    )


@strawberry.type(
    description="How far a person is on the way to an achievement, by what is logged now. The way back is short: a deleted"
    " entry counts no more."
)
class AchievementProgress:
    id: strawberry.ID = strawberry.field(description="Identifies it in the whole graph, for caches.")
    kind: domain.AchievementKind = strawberry.field(description="What it is on the way to.")
    value: float = strawberry.field(
        description="What there is of it: workouts, kilograms, records, or days in a row up to now, today left open; of a run"
        " that was long enough, the longest. It goes on counting past the target."
    )
    target: float = strawberry.field(description="What is needed, in the same unit.")
    share: float = strawberry.field(description="Of the target, 0 to 1; 1 once it is reached.")
    times_reached: int = strawberry.field(
        description="0 or 1; for COMEBACK and NEW_YEARS_DAY, which repeat, how often. Those two are told once they are reached."
    )


async def read_progress(info: Info, user_id: str) -> list[AchievementProgress]:
    """Of a person whom the viewer may read."""
    loaders = loaders_of(info)
    today, streaks, training, goals = await asyncio.gather(
        today_of(info, user_id),
        loaders.streak_facts_by_user.load(user_id),
        loaders.training_totals_by_user.load(user_id),
        loaders.goals_reached_by_user.load(user_id),
    )
    meals = streak_of(Habit.MEALS, streaks.best.get(Habit.MEALS) if streaks else None, today)
    totals = dict(training or {}) | {domain.Measure.WEIGHT_GOALS: Decimal(goals or 0)}
    return [
        AchievementProgress(
            id=strawberry.ID(f"{user_id}:{each.kind}:progress"),
            kind=each.kind,
            value=rounded(each.value),
            target=each.needed,
            share=rounded(each.share, 4),
            times_reached=each.times,
        )
        for each in domain.progress(totals, meals.current, meals.longest)
    ]


@strawberry.type
class AchievementSubscription:
    @strawberry.subscription(
        description="What the viewer achieves from now on, and what was unlocked in the minute before or since an instant."
        " A subscription tells each once; the next one may tell it again, with the same `id`. All that the viewer has is in"
        " `User.achievements`.",
        directives=[READS_PROGRESS],
    )
    async def achievement_unlocked(
        self,
        info: Info,
        since: Annotated[
            datetime | None,
            strawberry.argument(
                description="Begin with what has been unlocked since this instant: the newest `unlockedAt` that the client has."
            ),
        ] = None,
    ) -> AsyncIterator[Achievement]:
        viewer_id = info.context.viewer.id
        first = beginning(info, since) - OVERLAP

        async def read() -> AsyncIterator[Reading[AchievementRecord]]:
            for record in await newest(info, partial(unlocked_since, user_id=viewer_id, since=first)):
                yield record.kind, record.unlocked_at, record

        async for record in states(info, achievement_channel(viewer_id), read):
            yield achievement_node(record)
