"""The one shape of mutations: an `input`, a nullable payload, and `userErrors` for what a person can mend.

Commands raise what `errors` names and know nothing of payloads; `mutation` makes the mendable ones the payload's.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.base import StrawberryContainer, StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from events.conflicts import despite_conflicts
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.database import counted_commits
from subgraphs.shell.errors import StaleVersionError, SubgraphError, ValidationError
from subgraphs.shell.inputs import clean
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.node import Node, kind_of, type_name_of
from subgraphs.shell.scopes import RequiresScopes, writes
from subgraphs.shell.security_log import Recorded, as_metadata

#: The fields of inputs that name what is to be changed; of a workout's set the version is the workout's.
_TARGETS = ("workout_id", "food_id", "meal_id", "id")


@strawberry.enum(description="Why a mutation was refused, where a person can mend it.")
class UserErrorCode(Enum):
    VALIDATION_ERROR = strawberry.enum_value("VALIDATION_ERROR", description="The value breaks a rule.")
    CONFLICT = strawberry.enum_value("CONFLICT", description="It contradicts what exists already.")
    STALE_VERSION = strawberry.enum_value(
        "STALE_VERSION", description="It was changed in the meantime: read it again and decide anew."
    )
    NOT_FOUND = strawberry.enum_value(
        "NOT_FOUND", description="There is no such thing, or none that the viewer may use."
    )


@strawberry.federation.type(
    shareable=True, description="A refusal that a person can mend. Nothing was written by the mutation that has one."
)
class UserError:
    code: UserErrorCode = strawberry.field(description="What kind of refusal it is, for programs.")
    field: str | None = strawberry.field(
        description="The place in `input`, such as `items.2.grams`; null where no single field is to blame."
    )
    message: str = strawberry.field(description="What is wrong, in English, for developers and as a fallback.")
    current_version: int | None = strawberry.field(
        default=None, description="Of STALE_VERSION: the `version` that there is. Null of everything else."
    )
    node_id: strawberry.Private[str | None] = None

    @strawberry.field(  # type: ignore[untyped-decorator]
        description="Of STALE_VERSION: the thing as it is now, for a client that puts its change onto that. Null of everything"
        " else, and of what is no node: that is told by the changes since the last synchronisation."
    )
    async def current(self, info: Info) -> Node | None:
        kind = None if self.node_id is None else kind_of(self.node_id)
        definition = None if kind is None else info.schema.get_type_by_name(type_name_of(kind))
        if not isinstance(definition, StrawberryObjectDefinition):
            return None
        info.context.read_primary()
        found: Node | None = await definition.origin.load(info, self.node_id)
        return found


@strawberry.type
class Payload:
    """What every mutation's payload has. Its other fields are nullable: a refused mutation has nothing to show."""

    user_errors: list[UserError] = strawberry.field(
        default_factory=list,
        description="Why nothing was changed, all reasons at once; empty where it was.",
        directives=[list_size(5)],
    )


def mutation(
    *,
    description: str,
    directives: Sequence[object] = (),
    key_scope: KeyScope | None = None,
    is_public: bool = False,
    recorded: Recorded | None = None,
) -> Callable[[Callable[..., Any]], Any]:
    """Declare a mutation: a coroutine `(self, info, input) -> SomePayload | None`, with `SomePayload` a `Payload`.

    It is for whoever has signed in, and for API keys with the `key_scope`, if one is named; `is_public` ones are for everybody.
    Directives that name scopes themselves count instead. `recorded` ones are security events, each a line in the log.
    """
    names_scopes = is_public or any(isinstance(each, RequiresScopes) for each in directives)
    declare: Callable[[Callable[..., Any]], Any] = strawberry.mutation(
        description=description,
        extensions=[_MendableRefusals()],
        metadata=as_metadata(recorded),
        directives=[*directives, *([] if names_scopes else [writes(key_scope)])],
    )
    return declare


class _MendableRefusals(FieldExtension):
    """Cleans the input, and answers a refusal with the payload. Failures stay errors, with the field null."""

    def apply(self, field: StrawberryField) -> None:
        for argument in field.arguments:
            argument.description = argument.description or "What to do, and on which conditions."

    async def resolve_async(self, next_: Callable[..., Any], source: Any, info: Info, **arguments: Any) -> Any:
        try:
            clean(arguments["input"])
            return await _despite_conflicts(next_, source, info, arguments)
        except SubgraphError as refusal:
            if not refusal.is_mendable:
                raise
            return _payload_type(info)(user_errors=_user_errors(refusal, arguments["input"]))


async def _despite_conflicts(resolve: Callable[..., Any], source: Any, info: Info, arguments: dict[str, Any]) -> Any:
    """What the resolver returns, begun anew where Postgres rolled its transaction back before it had committed any."""
    with counted_commits() as commits:

        async def again() -> Any:
            return await resolve(source, info, **arguments)

        def may_be_repeated() -> bool:
            if commits.count:
                return False
            info.context.renew_loaders()  # they remember what was read, and failures
            return True

        return await despite_conflicts(again, may_be_repeated)


def _payload_type(info: Info) -> Any:
    declared = info.return_type
    return declared.of_type if isinstance(declared, StrawberryContainer) else declared


def _user_errors(refusal: SubgraphError, input_object: Any) -> list[UserError]:
    code = UserErrorCode(refusal.code)
    if isinstance(refusal, ValidationError):
        return [UserError(code=code, field=field, message=message) for field, message in refusal.violations]
    error = UserError(code=code, field=refusal.extensions.get("field"), message=str(refusal))
    if isinstance(refusal, StaleVersionError):
        error.current_version = refusal.extensions["currentVersion"]
        error.node_id = next((getattr(input_object, each) for each in _TARGETS if hasattr(input_object, each)), None)
    return [error]
