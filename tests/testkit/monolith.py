"""The oracle: one graphql-core schema over the whole World, without any federation.

Used by the property test, which compares a router's answer with this one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult, GraphQLResolveInfo, GraphQLSchema, execute, parse

from tests.testkit.world import JsonObject, World, with_arguments, with_directives


class WithheldError(Exception):
    """In place of a value that the caller may not have."""


@dataclass(frozen=True, slots=True)
class Monolith:
    """`api_schema` is what clients of the supergraph see; `may_resolve` says whether its caller may have a field."""

    api_schema: GraphQLSchema
    world: World
    may_resolve: Callable[[GraphQLResolveInfo[Any]], bool] = lambda _: True

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
        if not self.may_resolve(info):
            raise WithheldError
        roots = {"Query", "Mutation", "Subscription"}
        fact = self.world.roots[info.parent_type.name] if info.parent_type.name in roots else source
        filled = self.world.contextual.get((info.parent_type.name, info.field_name))
        if filled is not None:
            (value,) = self.world.select(fact["@above"][filled[0]], filled[1]).values()
            arguments["c"] = value
        value = with_arguments(self.world.true_value(fact, info.field_name), info.return_type, arguments)
        value = with_directives(value, info)
        return self._below(value, fact) if self.world.contextual else value

    def _below(self, value: Any, fact: JsonObject) -> Any:
        """Objects that know the nearest object of each type above them."""
        if isinstance(value, list):
            return [self._below(element, fact) for element in value]
        if isinstance(value, dict) and "__typename" in value:
            return {**value, "@above": {**fact.get("@above", {}), fact.get("__typename", ""): fact}}
        return value
