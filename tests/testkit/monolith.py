"""The oracle: one graphql-core schema over the whole World, without any federation.

Used by the property test, which compares a router's answer with this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult, GraphQLResolveInfo, GraphQLSchema, execute, parse

from tests.testkit.world import JsonObject, World, with_arguments


@dataclass(frozen=True, slots=True)
class Monolith:
    """`api_schema` is what clients of the supergraph see."""

    api_schema: GraphQLSchema
    world: World

    def answer(self, operation: str, variables: JsonObject) -> JsonObject:
        """The response to a valid operation: `data` and, if any, `errors`."""
        result = execute(
            self.api_schema,
            parse(operation),
            root_value={},
            variable_values=variables,
            field_resolver=self._resolve,
            type_resolver=lambda fact, _info, _type: fact["__typename"],
        )
        assert isinstance(result, ExecutionResult)
        return dict(result.formatted)

    def _resolve(self, source: JsonObject, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        roots = {"Query", "Mutation", "Subscription"}
        fact = self.world.roots[info.parent_type.name] if info.parent_type.name in roots else source
        return with_arguments(self.world.true_value(fact, info.field_name), info.return_type, arguments)
