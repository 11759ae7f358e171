"""Fields of the graph that are worked out of an object when an operation asks for them. Used by `pagination` and each subgraph's `api`.

A node converts most of what its record has: a decimal is rounded, a text becomes the member of an enum. Worked out in the
node's own making, all of it is paid for by operations that ask for three fields of twenty.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import strawberry

T = TypeVar("T")

if TYPE_CHECKING:
    #: Of Python's own code it is a method, so that mypy tells who takes it for the value.
    WorkedOut: TypeAlias = Callable[[], T]
else:

    class WorkedOut:
        """What Strawberry is told: the type of the value."""

        def __class_getitem__(cls, kind: Any) -> Any:
            return kind


def worked_out(by: Callable[[Any], T], *, description: str, directives: Sequence[object] = ()) -> WorkedOut[T]:
    """The field of a Strawberry type, in its place among the attributes. `by` is given the object, as its parameter `self`."""
    return cast("WorkedOut[T]", strawberry.field(resolver=by, description=description, directives=directives))
