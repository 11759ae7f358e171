"""What analytics knows of a food: how often the viewer ate it."""

from __future__ import annotations

from typing import Any

import strawberry

from subgraphs.analytics.loaders import loaders_of
from subgraphs.shell.context import Info
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.scalars import CACHE_PRIVATE_BRIEFLY
from subgraphs.shell.scopes import READS_DIARY


@strawberry.federation.type(keys=["id"], description="Something to eat or drink.")
class Food:
    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)

    @classmethod
    def resolve_reference(cls, id: strawberry.ID, **_: Any) -> Food:
        return cls(id=id)

    @strawberry.field(
        description="How many of the viewer's meal items are of it. Settles a moment after a write.",
        directives=[READS_DIARY, CACHE_PRIVATE_BRIEFLY],
    )
    def times_logged(self, info: Info) -> int:
        return loaders_of(info).times_logged_by_user_and_food.then((info.context.viewer.id, self.id), _or_none_at_all)


def _or_none_at_all(times: int | None) -> int:
    return times or 0
