"""The one shape of mutations: an `input`, a nullable payload, and `userErrors` for what a person can mend.

Commands raise what `errors` names and know nothing of payloads; `mutation` makes the mendable ones the payload's.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.base import StrawberryContainer
from strawberry.types.field import StrawberryField

from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.errors import SubgraphError, ValidationError
from subgraphs.shell.inputs import clean
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.scopes import RequiresScopes, writes


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
) -> Callable[[Callable[..., Any]], Any]:
    """Declare a mutation: a coroutine `(self, info, input) -> SomePayload | None`, with `SomePayload` a `Payload`.

    It is for whoever has signed in, and for API keys with the `key_scope`, if one is named; `is_public` ones are for everybody.
    Directives that name scopes themselves count instead.
    """
    names_scopes = is_public or any(isinstance(each, RequiresScopes) for each in directives)
    declare: Callable[[Callable[..., Any]], Any] = strawberry.mutation(
        description=description,
        extensions=[_MendableRefusals()],
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
            return await next_(source, info, **arguments)
        except SubgraphError as refusal:
            if not refusal.is_mendable:
                raise
            return _payload_type(info)(user_errors=_user_errors(refusal))


def _payload_type(info: Info) -> Any:
    declared = info.return_type
    return declared.of_type if isinstance(declared, StrawberryContainer) else declared


def _user_errors(refusal: SubgraphError) -> list[UserError]:
    code = UserErrorCode(refusal.code)
    if isinstance(refusal, ValidationError):
        return [UserError(code=code, field=field, message=message) for field, message in refusal.violations]
    return [UserError(code=code, field=refusal.extensions.get("field"), message=str(refusal))]
