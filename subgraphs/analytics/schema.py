"""The analytics subgraph's federated schema: what `api/*` offers, merged."""

import strawberry

from subgraphs.analytics.api.achievement import AchievementSubscription
from subgraphs.analytics.api.food import Food
from subgraphs.analytics.api.goal import Goal, GoalMutation, GoalQuery
from subgraphs.analytics.api.goal_live import GoalSubscription
from subgraphs.analytics.api.report import ReportQuery
from subgraphs.analytics.api.streak import StreakMutation
from subgraphs.analytics.api.summary import DailySummary, DiaryDay, SummaryQuery, SummarySubscription
from subgraphs.analytics.api.timeline import ENTRIES_ELSEWHERE
from subgraphs.analytics.api.user import User, UserQuery
from subgraphs.shell.graphql_schema import SubgraphSchema


@strawberry.type
class Query(UserQuery, SummaryQuery, GoalQuery, ReportQuery):
    """The viewer's own; everything else is a field of User."""


@strawberry.type
class Mutation(GoalMutation, StreakMutation):
    """Every change to goals and to days that streaks rest on; the summaries follow events alone."""


@strawberry.type
class Subscription(SummarySubscription, GoalSubscription, AchievementSubscription):
    """What is told as it happens."""


schema = SubgraphSchema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[User, DailySummary, DiaryDay, Goal, Food, *ENTRIES_ELSEWHERE],
)
