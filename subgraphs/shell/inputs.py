"""Input objects of mutations: their text in one form, which of their fields were given, and a hash of what they say.

Used by `mutation` for every input and by `api` for changes: what is absent stays, what is null is cleared.
"""

import dataclasses
import hashlib
import re
from collections.abc import Collection, Iterator
from typing import Any

import orjson
import strawberry
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.utils.str_converters import to_camel_case

from subgraphs.shell.errors import Checks, ConflictError
from subgraphs.shell.node import NodeKind
from subgraphs.shell.scalars import IdempotencyKey
from subgraphs.shell.text import has_control_characters, normal_text

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
_KIND = "kind of a client's id"


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
class MadeId:
    """An id that a client made, and the kind of thing that it is for, as the subgraph's `synced.py` names it."""

    id: str
    kind: str


@dataclasses.dataclass(frozen=True, slots=True)
class RequestKey:
    """A client's key for one creation, and a hash of what was to be created: None in bulk loads. Stored together.

    `made` is the id that the client made for it, if it did; it is the key too where the client gives no other.
    """

    key: IdempotencyKey
    content: bytes | None = None
    made: MadeId | None = None

    def refuse_other_content(self, stored: bytes | None) -> None:
        """Raises ConflictError where the key was used for something else."""
        if stored is not None and self.content is not None and stored != self.content:
            if self.made is not None and self.made.id == self.key:
                raise used_id()
            raise ConflictError("This idempotency key was used with other content.", field="idempotencyKey")


def used_id() -> ConflictError:
    """In the same words for an id of the person's with other content and for anybody else's."""
    return ConflictError("This id is in use: make another one.", field="id")


def made_id_of(request: RequestKey | None) -> str | None:
    """The id that a client made for what it creates; None where the server is to make one."""
    return None if request is None or request.made is None else request.made.id


def request_key(input_object: Any, *, without: Collection[str] = ()) -> RequestKey | None:
    """The key of an input with `idempotency_key`, None without one. `without` names secrets that must not be hashed."""
    made = _made_id(input_object)
    key = input_object.idempotency_key or (made and IdempotencyKey(made.id))
    if not key:
        return None
    content = _content(input_object, frozenset({"idempotency_key", *without}))
    told = orjson.dumps([type(input_object).__name__, content], option=orjson.OPT_SORT_KEYS, default=str)
    return RequestKey(key, hashlib.sha256(told).digest(), made)


def _made_id(input_object: Any) -> MadeId | None:
    """None where the server is to make one. Raises ValidationError for an id that no client may make."""
    definition: StrawberryObjectDefinition = type(input_object).__strawberry_definition__
    kind = next((field.metadata[_KIND] for field in definition.fields if _KIND in field.metadata), None)
    made = None if kind is None else input_object.id
    if made is None:
        return None
    start = f"{kind}_" if isinstance(kind, NodeKind) else ""
    checks = Checks()
    valid = made.startswith(start) and _UUID.fullmatch(made, len(start)) is not None
    checks.require(valid, "id", f"must be {start and f'{start} and '}a UUID of version 4 or 7, in lower case")
    checks.done()
    return MadeId(made, str(kind))


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


def client_made_id(kind: str) -> Any:
    """Declares the field `id` of an input that creates, of type `strawberry.ID | None`. `kind` is that of `synced.py`; of nodes
    it is their NodeKind, which their ids begin with.
    """
    start = f"`{kind}_` and a UUID" if isinstance(kind, NodeKind) else "a UUID"
    return strawberry.field(
        default=None,
        description=(
            f"The new thing's id, for clients that make ids themselves: {start} of version 7 or 4, in lower case. Sent again"
            " with the same content it answers with what was created first; it is a CONFLICT with other content, where it"
            " is in use, and where what had it was deleted. Null: the server makes one."
        ),
        metadata={_KIND: kind},
    )


def expected_version() -> Any:
    """Declares the field of every input that changes, of type `int | None`."""
    return strawberry.field(
        default=None,
        description="The `version` that the change was made from; STALE_VERSION if it is not the newest. Null: any.",
    )
