"""The users subgraph's federated schema: what `api/*` offers, merged."""

import strawberry

from subgraphs.graphql_schema import SubgraphSchema
from subgraphs.users.api.session import SessionMutation
from subgraphs.users.api.user import User, UserMutation, UserQuery
from subgraphs.users.api.weight import WeightEntry, WeightMutation


@strawberry.type
class Query(UserQuery):
    """Whoever asks, and whoever may be asked about."""


@strawberry.type
class Mutation(SessionMutation, UserMutation, WeightMutation):
    """Every change to accounts, sessions and weighings."""


schema = SubgraphSchema(query=Query, mutation=Mutation, types=[User, WeightEntry])
