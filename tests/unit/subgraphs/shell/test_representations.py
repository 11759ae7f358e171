"""What a router sends of an entity is read as by the rules written out, whatever it sends."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from graphql import (
    GraphQLError,
    GraphQLObjectType,
    build_schema,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from subgraphs.shell.representations import RepresentationReader

SCHEMA = build_schema("""
scalar Moment
enum Sex { FEMALE MALE }
union Any = Body | Person
interface Named { name: String }
type Body { weightKg: Float! age: Int sex: Sex isTold: Boolean! notes: [String!] of: Person friends: [[Person]!] }
type Person implements Named { id: ID! name: String other: ID body: Body bodies: [Body!]! at: Moment any: Any named: Named }
type Query { person: Person }
""")
PERSON = SCHEMA.type_map["Person"]
LEAVES = (
    None,
    True,
    0,
    3,
    -1,
    2**31,
    2**31 - 1,
    -(2**31) - 1,
    1.5,
    7.0,
    1e400,
    -1e400,
    float("nan"),
    "",
    "x",
    "MALE",
    "male",
    "5",
    10**400,
)


def read_plainly(declared: Any, value: Any, place: str) -> Any:
    """The rules, one after another."""
    if value is None:
        if is_non_null_type(declared):
            raise GraphQLError(f"{place} cannot be null in a representation.")
        return None
    kind = get_nullable_type(declared)
    if is_leaf_type(kind):
        try:
            read = kind.coerce_input_value(value)
        except GraphQLError as error:
            raise GraphQLError(f"{place}: {error.message}") from None
        return read if kind.name == "ID" else value
    if is_list_type(kind):
        if not isinstance(value, list):
            raise GraphQLError(f"{place} must be a list in a representation.")
        return [read_plainly(kind.of_type, each, place) for each in value]
    if not isinstance(value, dict):
        raise GraphQLError(f"{place} must be an object in a representation.")
    return read_fields(getattr(kind, "fields", {}), value, place)


def read_fields(fields: Mapping[str, Any], value: Mapping[str, Any], place: str) -> dict[str, Any]:
    return {
        name: read_plainly(fields[name].type, each, f"{place}.{name}") if name in fields else each
        for name, each in value.items()
    }


class Senders:
    """Random values, mostly of the type that is declared."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def of(self, declared: Any, depth: int) -> Any:
        if self._random.random() < 0.06:
            return self._random.choice((*LEAVES, [], {}, [1], {"id": 1}))
        kind = get_nullable_type(declared)
        if is_leaf_type(kind):
            return self._random.choice(self._right_leaves(kind.name))
        if is_list_type(kind):
            return [self.of(kind.of_type, depth - 1) for _ in range(self._random.randrange(3))]
        if depth <= 0:
            return {}
        return self.object(getattr(kind, "fields", {}), depth)

    def object(self, fields: Mapping[str, Any], depth: int) -> dict[str, Any]:
        names = [name for name in fields if self._random.random() < 0.6]
        extra = [name for name in ("__typename", "more") if self._random.random() < 0.3]
        return {
            **{name: self._random.choice(LEAVES) for name in extra},
            **{name: self.of(fields[name].type, depth - 1) for name in names},
        }

    def _right_leaves(self, name: str) -> tuple[Any, ...]:
        of_kind: dict[str, tuple[Any, ...]] = {
            "Float": (1, 2.5, -0.0), "Int": (4, 5.0), "Boolean": (True, False), "Sex": ("MALE",), "ID": ("a", 7), "String": ("t",)
        }  # fmt: skip
        return of_kind.get(name, LEAVES)


def outcome(read: Any, *given: Any) -> str:
    try:
        return repr(read(*given))
    except GraphQLError as error:
        return f"refused: {error.message}"


def test_each_representation_is_read_or_refused_as_by_the_plain_rules() -> None:
    assert isinstance(PERSON, GraphQLObjectType)
    reader, refused, read = RepresentationReader(PERSON), 0, 0
    for seed in range(4000):
        sent = Senders(seed).object(PERSON.fields, 5)
        wanted = outcome(read_fields, PERSON.fields, sent, "Person")
        assert outcome(reader.read, sent, "Person") == wanted, sent
        refused, read = refused + wanted.startswith("refused"), read + (not wanted.startswith("refused"))
    assert min(refused, read) > 500


@pytest.mark.parametrize("value", LEAVES)
@pytest.mark.parametrize("name", ["weightKg", "age", "sex", "isTold"])
def test_a_required_value_of_a_wrong_type_is_told_with_its_place(name: str, value: Any) -> None:
    assert isinstance(PERSON, GraphQLObjectType)
    body = SCHEMA.type_map["Body"]
    assert isinstance(body, GraphQLObjectType)
    wanted = outcome(read_plainly, body.fields[name].type, value, f"Person.body.{name}")
    found = outcome(RepresentationReader(PERSON).read, {"id": "1", "body": {name: value}}, "Person")
    assert found == (wanted if wanted.startswith("refused") else repr({"id": "1", "body": {name: value}}))
