"""Input objects of mutations: their text in one form, which of their fields were given, and a hash of what they say.

Used by `mutation` for every input and by `api` for changes: what is absent stays, what is null is cleared.
"""

import dataclasses
import hashlib
from collections.abc import Collection, Iterator
from typing import Any

import orjson
import strawberry
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.utils.str_converters import to_camel_case

from subgraphs.shell.errors import Checks, ConflictError
from subgraphs.shell.scalars import IdempotencyKey
from subgraphs.shell.text import has_control_characters, normal_text


def clean(input_object: Any) -> None:
    """Bring every text in it into one Unicode form, in place. Raises ValidationError with each place that is refused."""
    checks = Checks()
    _clean_object(checks, input_object, "")
    checks.done()


def _clean_object(checks: Checks, input_object: Any, path: str) -> None:
    for name, graphql_name in _fields(input_object):
        place = f"{path}{graphql_name}"
        setattr(input_object, name, _cleaned(checks, getattr(input_object, name), place))


def _cleaned(checks: Checks, value: Any, place: str) -> Any:
    if isinstance(value, str) and type(value) is str:  # an enum's member is a text too, of our own making
        checks.require(not has_control_characters(value), place, "must not have control or direction characters")
        return normal_text(value)
    if isinstance(value, list):
        return [_cleaned(checks, each, f"{place}.{position}") for position, each in enumerate(value)]
    if _is_input(value):
        _clean_object(checks, value, f"{place}.")
    return value


def given(input_object: Any, *names: str, never_null: Collection[str] = ()) -> dict[str, Any]:
    """The named fields (Python names) that the client sent, null included, by name.

    Raises ValidationError for a null in `never_null`: those can be changed and not cleared.
    """
    sent = {name: getattr(input_object, name) for name in (*names, *never_null)}
    changes = {name: value for name, value in sent.items() if value is not strawberry.UNSET}
    checks = Checks()
    for name in never_null:
        message = "cannot be cleared: leave it out to keep what it is"
        checks.require(changes.get(name, True) is not None, to_camel_case(name), message)
    checks.done()
    return changes


@dataclasses.dataclass(frozen=True, slots=True)
class RequestKey:
    """A client's key for one creation, and a hash of what was to be created: None in bulk loads. Stored together."""

    key: IdempotencyKey
    content: bytes | None = None

    def refuse_other_content(self, stored: bytes | None) -> None:
        """Raises ConflictError where the key was used for something else."""
        if stored is not None and self.content is not None and stored != self.content:
            raise ConflictError("This idempotency key was used with other content.", field="idempotencyKey")


def request_key(input_object: Any, *, without: Collection[str] = ()) -> RequestKey | None:
    """The key of an input with `idempotency_key`, None without one. `without` names secrets that must not be hashed."""
    key = input_object.idempotency_key
    if not key:
        return None
    content = _content(input_object, frozenset({"idempotency_key", *without}))
    told = orjson.dumps([type(input_object).__name__, content], option=orjson.OPT_SORT_KEYS, default=str)
    return RequestKey(key, hashlib.sha256(told).digest())


def _content(value: Any, without: frozenset[str]) -> Any:
    """As JSON; a field that is absent and one that is null say the same of something new."""
    if _is_input(value):
        fields = {name: getattr(value, name) for name, _ in _fields(value) if name not in without}
        return {name: _content(each, without) for name, each in fields.items() if each not in (None, strawberry.UNSET)}
    return [_content(each, without) for each in value] if isinstance(value, list) else value


def _is_input(value: Any) -> bool:
    definition = getattr(type(value), "__strawberry_definition__", None)
    return isinstance(definition, StrawberryObjectDefinition) and definition.is_input


def _fields(input_object: Any) -> Iterator[tuple[str, str]]:
    """Python's and GraphQL's name of each field."""
    definition: StrawberryObjectDefinition = type(input_object).__strawberry_definition__
    for field in definition.fields:
        yield field.python_name, field.graphql_name or to_camel_case(field.python_name)


def idempotency_key() -> Any:
    """Declares the field of every input that creates, of type `IdempotencyKey | None`."""
    return strawberry.field(
        default=None,
        description=(
            "Chosen by the client, new for each thing to create. Sent again with the same content it answers with what"
            " was created first; with other content it is a CONFLICT. Null: every request creates."
        ),
    )


def expected_version() -> Any:
    """Declares the field of every input that changes, of type `int | None`."""
    return strawberry.field(
        default=None,
        description="The `version` that the change was made from; STALE_VERSION if it is not the newest. Null: any.",
    )
