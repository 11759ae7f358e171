"""What a request says of its caller's cell: its access token, the tokens in its body, or the address that it signs in with.

Nothing is verified here. Whoever lies is sent to a cell that does not know them, which verifies all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    value_from_ast_untyped,
)

from subgraphs.shell.auth import bearer_token
from subgraphs.shell.errors import Checks, UnauthenticatedError
from subgraphs.users.commands.cell import mark_of
from subgraphs.users.domain.account import check_email

#: The mutations of whoever has no session yet, and the field of their `input` that tells whose it is.
ENTRANCES: Mapping[str, str] = {
    "register": "email",
    "login": "email",
    "requestPasswordReset": "email",
    "beginPasskeyLogin": "email",
    "refresh": "refreshToken",
    "confirmRegistration": "token",
    "resetPassword": "token",
    "verifyEmail": "token",
    "loginWithPasskey": "challengeId",
    "exchangeApiKey": "key",
    "unsubscribe": "token",
}
_MOST_TOKENS = 15_000  # of a document, as the router's own limit


@dataclass(frozen=True, slots=True)
class Evidence:
    """A cell's name, or an e-mail address whose cell is to be looked up; both None where the request says nothing."""

    cell: str | None = None
    email: str | None = None


def of_header(authorization: str | None) -> Evidence:
    """By the claim `cell` of an access token."""
    try:
        token = bearer_token(authorization)
        claims = jwt.decode(token, options={"verify_signature": False}) if token else {}
    except (UnauthenticatedError, jwt.InvalidTokenError):
        return Evidence()
    cell = claims.get("cell")
    return Evidence(cell=cell) if isinstance(cell, str) else Evidence()


def of_operation(operation: Any, *, is_signed_in: bool) -> Evidence:
    """By what an entrance of the operation is given; `operation` is one request of the body, parsed from JSON.

    A persisted document comes without its text: then an `input` among the variables is read as if it were an entrance's,
    unless the caller is signed in, who may mean somebody else's address, or a new one of their own.
    """
    if not isinstance(operation, Mapping):
        return Evidence()
    variables = operation.get("variables")
    variables = variables if isinstance(variables, dict) else {}
    text = operation.get("query")
    if not isinstance(text, str) or not text:
        return Evidence() if is_signed_in else _of_input(variables.get("input"), dict.fromkeys(ENTRANCES.values()))
    if not any(name in text for name in ENTRANCES):  # most: nothing is parsed
        return Evidence()
    for field in _root_fields(text, operation.get("operationName")):
        entrance = ENTRANCES.get(field.name.value)
        given = next((each.value for each in field.arguments or () if each.name.value == "input"), None)
        if entrance is not None and given is not None:
            found = _of_input(value_from_ast_untyped(given, variables), [entrance])
            if found != Evidence():
                return found
    return Evidence()


def _root_fields(text: str, name: Any) -> Iterator[FieldNode]:
    """Of the operation of this name, or of all, and of the fragments; none where the document is no document, which the router will tell."""
    try:
        document = parse(text, no_location=True, max_tokens=_MOST_TOKENS)
    except (GraphQLError, RecursionError):
        return
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            own_name = definition.name.value if definition.name is not None else None
            if not isinstance(name, str) or own_name == name:
                yield from _fields(definition.selection_set)
        elif isinstance(definition, FragmentDefinitionNode):
            yield from _fields(definition.selection_set)


def _fields(selections: SelectionSetNode) -> Iterator[FieldNode]:
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            yield selection
        elif isinstance(selection, InlineFragmentNode):
            yield from _fields(selection.selection_set)


def _of_input(given: Any, names: Iterable[str]) -> Evidence:
    if not isinstance(given, Mapping):
        return Evidence()
    for name in names:
        value = given.get(name)
        if not isinstance(value, str):
            continue
        if name != "email":
            return Evidence(cell=mark_of(value))
        checks = Checks()
        check_email(checks, value)
        if not checks.violations:  # of what is no address, any cell will say so
            return Evidence(email=value)
    return Evidence()
