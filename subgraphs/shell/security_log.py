"""One log line for each security event: when, what, of whom, by whom, with which outcome, in which request.

Which mutations are such events stands at their declaration (`mutation(recorded=...)`); what each line has is decided here alone.
Lines are written after the rule of scopes and around it, so that what was refused is told too.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from inspect import isawaitable
from typing import Any

import structlog
from graphql import GraphQLObjectType, GraphQLResolveInfo
from strawberry.federation import Schema
from strawberry.types.base import StrawberryObjectDefinition

from router.log_lines import shown_subject
from subgraphs.shell.auth import KeyRing
from subgraphs.shell.context import Context
from subgraphs.shell.errors import SubgraphError

_log = structlog.get_logger("security")
_METADATA = "recorded"
DONE = "DONE"


class Recorded(Enum):
    """`REFUSALS` is for what clients do every few minutes: only what was refused is worth a line."""

    ALWAYS = "always"
    REFUSALS = "refusals"


def as_metadata(recorded: Recorded | None) -> dict[str, Recorded]:
    """What a field of Strawberry is given to be recorded."""
    return {} if recorded is None else {_METADATA: recorded}


def recorded_mutations(schema: Schema) -> dict[str, Recorded]:
    """By the names that clients know, those mutations that are security events."""
    mutation = schema.schema_converter.type_map.get("Mutation")
    definition = mutation.definition if mutation is not None else None
    if not isinstance(definition, StrawberryObjectDefinition):
        return {}
    name_of = schema.config.name_converter.get_graphql_name
    return {name_of(field): field.metadata[_METADATA] for field in definition.fields if _METADATA in field.metadata}


def record_security_events(schema: Schema) -> None:
    """Put the writing of a line around the resolver of every mutation that is a security event."""
    graphql_type = schema._schema.type_map.get("Mutation")  # noqa: SLF001 - Strawberry offers no other way to it
    for name, recorded in recorded_mutations(schema).items():
        assert isinstance(graphql_type, GraphQLObjectType)
        field = graphql_type.fields[name]
        assert field.resolve is not None
        field.resolve = _recording(field.resolve, recorded)


def _recording(resolve: Callable[..., Any], recorded: Recorded) -> Callable[..., Any]:
    async def resolve_and_record(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        viewer = info.context.viewer_or_none  # before: `deleteAccount` and `logout` end the session
        by = viewer.id if viewer is not None else None
        given = arguments.get("input") or {}
        try:
            payload = resolve(source, info, **arguments)
            if isawaitable(payload):
                payload = await payload
        except Exception as failure:
            outcome = failure.code if isinstance(failure, SubgraphError) else "FAILED"
            reason = failure.extensions.get("reason") if isinstance(failure, SubgraphError) else None
            _write(info, outcome, by, given, reason)
            raise
        refusals = getattr(payload, "user_errors", ())
        if refusals:
            _write(info, refusals[0].code.value, by, given, refusals[0].field)
        elif recorded is Recorded.ALWAYS:
            entered = getattr(payload, "user", None) if by is None else None
            _write(info, DONE, by if entered is None else str(entered.id), given, None)
        return payload

    return resolve_and_record


def _write(info: GraphQLResolveInfo[Any], outcome: str, by: str | None, given: Any, reason: str | None) -> None:
    context: Context = info.context
    write = _log.info if outcome == DONE else _log.warning
    write(
        "security_event",
        action=info.field_name,
        outcome=outcome,
        reason=reason,
        by=shown_subject(by),
        account=_account(given, context.resources.key_ring),
        from_network=_shown_network(context),
        correlation_id=context.correlation_id,
    )


def _shown_network(context: Context) -> str | None:
    address = context.client_address
    return None if address is None else context.resources.key_ring.pseudonym(address)


def _account(given: Any, key_ring: KeyRing) -> str | None:
    """Of the account that the input names, by its person's id or its address: attempts at one account belong together."""
    if not isinstance(given, Mapping):
        given = vars(given) if hasattr(given, "__dict__") else {}
    for name in ("userId", "user_id", "readerId", "email"):
        value = given.get(name)
        if isinstance(value, str):
            return key_ring.pseudonym(value.strip().casefold()) if name == "email" else shown_subject(value)
    return None
