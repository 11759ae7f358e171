"""`Query.me`, which every subgraph has: the router begins in whichever it wants something of (decision 0282)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry

from subgraphs.shell.scopes import ANY_KEY


def viewer_field(resolver: Callable[..., Any]) -> Any:
    """All subgraphs have to say the same of the field: it may be any of them that answers."""
    as_field = strawberry.federation.field(shareable=True, description="The viewer.", directives=[ANY_KEY])
    return as_field(resolver)
