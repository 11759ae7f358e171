"""Rules on one subgraph as it is written: a function each, in tuples that say which of them hide which."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from schema.codes import Finding
from schema.subgraph import Subgraph
from schema.validation.context import check_contexts
from schema.validation.cost import check_costs
from schema.validation.directives import (
    check_authorization,
    check_directive_definitions,
    check_interface_objects,
    check_interfaces,
)
from schema.validation.external import check_externals
from schema.validation.field_sets import check_keys, check_provides, check_requires
from schema.validation.graphql import check_composed_directives, check_graphql

Rule = Callable[[Subgraph], Iterator[Finding]]

#: What they find hides all else.
GRAPHQL_RULES: tuple[Rule, ...] = (check_directive_definitions, check_graphql)
#: Field sets that are none hide what is said of the fields beside them.
FIELD_SET_RULES: tuple[Rule, ...] = (check_keys, check_provides, check_requires)
FIELD_RULES: tuple[Rule, ...] = (check_interfaces, check_costs)
OTHER_RULES: tuple[Rule, ...] = (check_externals, check_interface_objects, check_authorization, check_contexts)
RULES = (*GRAPHQL_RULES, *FIELD_SET_RULES, *FIELD_RULES, *OTHER_RULES)


def validate_graphql(subgraph: Subgraph) -> list[Finding]:
    """What contradicts federation's own definitions, else what contradicts GraphQL itself."""
    return next((found for rule in GRAPHQL_RULES if (found := list(rule(subgraph)))), [])


def validate_federation(subgraph: Subgraph) -> list[Finding]:
    """What is wrong with federation's directives in a subgraph of valid GraphQL."""
    findings = [finding for rule in FIELD_SET_RULES for finding in rule(subgraph)]
    rules = OTHER_RULES if findings else (*OTHER_RULES, *FIELD_RULES)
    return findings + [finding for rule in rules for finding in rule(subgraph)]


__all__ = ["check_composed_directives", "validate_federation", "validate_graphql"]
