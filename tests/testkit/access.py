"""One row of an access table: an operation, and what somebody else than the owner gets of it.

Used by the subgraphs' access tests, with what a schema offers, so that no operation can be missing from a table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, GraphQLUnionType
from strawberry.types.execution import ExecutionResult

from subgraphs.shell.graphql_schema import SubgraphSchema
from tests.testkit.subgraph import codes_of

_FEDERATION = {"_entities", "_service"}
# What another subgraph tells, and this one only asks for.
_EXTERNAL = {"User.id", "User.displayName", "User.physiology", "User.weeklyCheckIn"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """`text` is an operation in which $name stands for the owner's id of that name, or a fragment on an entity.

    Exactly one of these holds for a stranger: the error `code`, the answer `stranger`, or `public` and `own`, where the
    operation cannot touch the owner's data. A `public` one without a code has something to say to everybody.
    """

    coordinate: str
    text: str
    code: str | None = None
    stranger: Mapping[str, Any] | None = None
    public: bool = False
    own: bool = False

    def operation(
        self, owned: dict[str, str], representation_of: Callable[[str, dict[str, str]], dict[str, Any]]
    ) -> tuple[str, dict[str, Any]]:
        """The operation to send about the owner's things, and its variables."""
        if self.text.startswith("..."):
            name = self.text.split()[2]
            query = f"query ($representations: [_Any!]!) {{ _entities(representations: $representations) {{ {self.text} }} }}"
            return query, {"representations": [representation_of(name, owned)]}
        text = self.text
        for name, value in owned.items():
            text = text.replace(f"${name}", f'"{value}"')
        return text, {}

    def check_stranger(self, result: ExecutionResult) -> None:
        codes = codes_of(result)
        if self.code is not None:
            assert codes == [self.code]
        else:
            assert codes == []
        if self.stranger is not None:
            assert result.data == self.stranger


def root_fields(schema: SubgraphSchema) -> set[str]:
    """Coordinates of everything that can be asked directly."""
    core = _core(schema)
    roots = [root for root in (core.query_type, core.mutation_type, core.subscription_type) if root is not None]
    return {f"{root.name}.{name}" for root in roots for name in root.fields if name not in _FEDERATION}


def user_fields(schema: SubgraphSchema) -> set[str]:
    """Coordinates of what the subgraph itself tells of a person."""
    user = _core(schema).type_map["User"]
    assert isinstance(user, GraphQLObjectType)
    return {f"User.{name}" for name in user.fields} - _EXTERNAL


def entity_types(schema: SubgraphSchema) -> set[str]:
    """Those that the subgraph resolves; it may name others by a key that it does not resolve."""
    union = _core(schema).type_map["_Entity"]
    assert isinstance(union, GraphQLUnionType)
    return {member.name for member in union.types if _is_resolved(schema, member.name)}


def _is_resolved(schema: SubgraphSchema, name: str) -> bool:
    definition = schema.schema_converter.type_map[name].definition
    return hasattr(getattr(definition, "origin", None), "resolve_reference")


def _core(schema: SubgraphSchema) -> GraphQLSchema:
    return schema._schema
