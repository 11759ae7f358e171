"""Goals as they come along, live: told whenever the days that they are made of change."""

from collections.abc import AsyncIterator
from functools import partial

import strawberry

from subgraphs.analytics.api.goal import Goal, goal_node
from subgraphs.analytics.domain.goal import MOST_GOALS, GoalStatus
from subgraphs.analytics.projections.summary import day_channel
from subgraphs.analytics.queries.goal import GoalPage, GoalRecord, Standing, goals_by_user, standings
from subgraphs.shell.context import Info, Resources
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.live import heard
from subgraphs.shell.repetition import patiently

_Seen = tuple[GoalRecord, Standing]


@strawberry.type
class GoalSubscription:
    @strawberry.subscription(
        description="The viewer's goals: all that are followed at first, then each that stands elsewhere, or is followed"
        " no more, after a day of the viewer changed."
    )
    async def goal_progress(self, info: Info) -> AsyncIterator[Goal]:
        viewer_id = info.context.viewer.id
        seen: dict[str, _Seen] = {}
        async for _ in heard(info, day_channel(viewer_id)):
            known = await patiently(partial(_standings, info.context.resources, viewer_id))
            info.context.renew_loaders()
            for goal, standing in known.values():
                before = seen.get(goal.id)
                is_told = goal.status == GoalStatus.ACTIVE or before is not None
                if is_told and before != (goal, standing):
                    yield goal_node(goal)
            seen = {
                goal_id: each
                for goal_id, each in known.items()
                if each[0].status == GoalStatus.ACTIVE or goal_id in seen
            }


async def _standings(resources: Resources, user_id: str) -> dict[str, _Seen]:
    """Every goal of the person, up to the hundred there may be, and where it stands."""
    page = KeysetList("User.goals", user_id, (str,)).page(MOST_GOALS, None, None, None)
    async with resources.database.primary().reading() as connection:
        goals = (await goals_by_user(connection, [user_id], GoalPage(None, page))).get(user_id, [])
        stand = await standings(connection, [goal.id for goal in goals], resources.now())
    return {goal.id: (goal, stand[goal.id]) for goal in goals if goal.id in stand}
