"""Goals as they come along, live: told whenever the days that they are made of change."""

from collections.abc import AsyncIterator
from functools import partial

import strawberry

from subgraphs.analytics.api.goal import Goal, goal_node
from subgraphs.analytics.domain.goal import MOST_GOALS
from subgraphs.analytics.projections.summary import day_channel
from subgraphs.analytics.queries.goal import GoalPage, GoalRecord, Standing, goals_by_user, standings
from subgraphs.shell.context import Info, Resources
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.live import Reading, newest, states
from subgraphs.shell.read_pool import Reader
from subgraphs.shell.scopes import READS_PROGRESS


@strawberry.type
class GoalSubscription:
    @strawberry.subscription(
        description="The viewer's goals, followed or not: all as they stand first, then each that stands elsewhere, is set or"
        " is changed. A goal that is deleted is not told.",
        directives=[READS_PROGRESS],
    )
    async def goal_progress(self, info: Info) -> AsyncIterator[Goal]:
        viewer_id = info.context.viewer.id

        async def read() -> AsyncIterator[Reading[GoalRecord]]:
            for goal, standing in await newest(info, partial(_standings, info.context.resources, viewer_id)):
                yield goal.id, (goal, standing), goal

        async for goal in states(info, day_channel(viewer_id), read):
            yield goal_node(goal)


async def _standings(resources: Resources, user_id: str, connection: Reader) -> list[tuple[GoalRecord, Standing]]:
    """Every goal of the person, up to the hundred there may be, and where it stands."""
    page = KeysetList("User.goals", user_id, (str,)).page(MOST_GOALS, None, None, None)
    goals = (await goals_by_user(connection, [user_id], GoalPage(None, page))).get(user_id, [])
    stand = await standings(connection, [goal.id for goal in goals], resources.now())
    return [(goal, stand[goal.id]) for goal in goals if goal.id in stand]
