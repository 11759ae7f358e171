"""Achievements in GraphQL: what a person has reached, and what the viewer reaches now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from functools import partial
from typing import Annotated

import strawberry

from subgraphs.analytics.domain import achievement as domain
from subgraphs.analytics.projections.summary import achievement_channel
from subgraphs.analytics.queries.achievement import AchievementRecord, unlocked_since
from subgraphs.shell.context import Info
from subgraphs.shell.live import OVERLAP, Reading, beginning, newest, states
from subgraphs.shell.scalars import describe_enum
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
    FIRST_GOAL_REACHED="The trend weight has come to a weight goal. A goal that its person calls completed does not count.",
)


@strawberry.type(description="Something that a person has achieved. Each is unlocked once.")
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
