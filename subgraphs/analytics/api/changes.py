"""Which of a person's goals changed, for clients that keep a copy."""

import strawberry

from subgraphs.analytics.api.goal import Goal, goal_node
from subgraphs.analytics.loaders import loaders_of
from subgraphs.shell.changes import Changes, SyncedType, changes_field, owned
from subgraphs.shell.node import ID_DESCRIPTION

#: By the kinds of `synced.py`.
SYNCED_TYPES: dict[str, SyncedType] = {
    "goal": owned("Goal", lambda info: loaders_of(info).goal_by_id, goal_node),
}


@strawberry.type
class ChangesOfUser:
    """A field of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)
    goal_changes: Changes[Goal] = changes_field(
        "User.goalChanges",
        "Which of the person's goals",
        SYNCED_TYPES,
        lambda info: loaders_of(info).changes_by_user,
        more=" What reaches a goal by facts settles a moment after a write.",
    )
