"""Which of a person's goals changed, for clients that keep a copy."""

import strawberry

from subgraphs.analytics.api.goal import Goal, goal_node
from subgraphs.analytics.loaders import loaders_of
from subgraphs.shell.changes import (
    CHANGES_DESCRIPTION,
    CHANGES_DIRECTIVES,
    Changes,
    FirstChanges,
    Since,
    SyncedType,
    owned,
    read_changes,
)
from subgraphs.shell.context import Info
from subgraphs.shell.node import ID_DESCRIPTION

#: By the kinds of `synced.py`.
SYNCED_TYPES: dict[str, SyncedType] = {
    "goal": owned("Goal", lambda info: loaders_of(info).goal_by_id, goal_node),
}


@strawberry.type
class ChangesOfUser:
    """A field of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)

    @strawberry.field(
        description="Which of the person's goals changed"
        + CHANGES_DESCRIPTION
        + " What reaches a goal by facts settles a moment after a write.",
        directives=CHANGES_DIRECTIVES,
    )
    async def goal_changes(self, info: Info, since: Since = None, first: FirstChanges = None) -> Changes[Goal]:
        return await read_changes(
            info, "User.goalChanges", self.id, SYNCED_TYPES, lambda info: loaders_of(info).changes_by_user, since, first
        )
