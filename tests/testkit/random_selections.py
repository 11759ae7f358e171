"""Random queries of a schema whose resolvers really run, for tests that hold two executions of it against each other.

They begin at a given type, and arguments have only the values that the test names. `random_operation` makes up whole operations with
arguments of every kind, which stubs answer and such resolvers would mostly refuse.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, get_named_type, is_abstract_type, is_leaf_type
from graphql.type import is_required_argument

#: What conditions name; only those that a query uses may be declared.
_CONDITIONS = {
    "$c0": "$c0: Boolean! = true",
    "$c1": "$c1: Boolean! = false",
    "$c2": "$c2: Boolean! = true",
}


class RandomSelections:
    """Equal seeds select equally of equal schemas."""

    def __init__(
        self,
        schema: GraphQLSchema,
        seed: int,
        arguments: Mapping[str, Sequence[str]] | None = None,
        variables: Mapping[str, str] | None = None,
        most_fields: int = 6,
    ) -> None:
        """`arguments` has, by an argument's name, what may be written after the field; fields that require others are left out."""
        self._schema = schema
        self._random = random.Random(seed)
        self._arguments = arguments or {}
        self._variables = {**(variables or {}), **_CONDITIONS}
        self._most_fields = most_fields
        self._aliases = 0

    def query(self, selection: str) -> str:
        """A whole operation of a selection of Query."""
        used = [declared for name, declared in self._variables.items() if name in selection]
        return (f"query({', '.join(used)}) " if used else "") + selection

    def of(self, parent: GraphQLObjectType, depth: int) -> str:
        """A selection of a type; `depth` is how many levels of objects may be below it."""
        fields = [
            (name, field)
            for name, field in parent.fields.items()
            if not name.startswith("_")
            and (depth > 0 or is_leaf_type(get_named_type(field.type)))
            and not any(is_required_argument(each) and key not in self._arguments for key, each in field.args.items())
        ]
        most = min(len(fields), self._most_fields)
        chosen = self._random.sample(fields, self._random.randint(most // 2, most))
        parts = [self._field(name, field, depth) for name, field in chosen]
        if not parts or self._random.random() < 0.3:
            parts.insert(self._random.randint(0, len(parts)), "__typename")
        return "{" + " ".join(parts) + "}"

    def _field(self, name: str, field: GraphQLField, depth: int) -> str:
        kind = get_named_type(field.type)
        known = [each for each in field.args if each in self._arguments]
        arguments = self._random.choice(["", *self._arguments[known[0]]]) if known else ""
        alias = ""
        if arguments or self._random.random() < 0.2:  # two of one name must agree in what they are asked with
            self._aliases += 1
            alias = f"a{self._aliases}: "
        condition = self._random.choice(["", "", "", " @skip(if: $c0)", " @include(if: $c1)", " @skip(if: $c2)"])
        return f"{alias}{name}{arguments}{condition} {'' if is_leaf_type(kind) else self._inner(kind, depth - 1)}"

    def _inner(self, kind: Any, depth: int) -> str:
        if not is_abstract_type(kind):
            return self.of(kind, depth)
        spread = [f"... on {each.name} {self.of(each, depth)}" for each in self._schema.get_possible_types(kind)]
        return "{ __typename " + " ".join(spread) + "}"
