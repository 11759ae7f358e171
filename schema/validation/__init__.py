"""Rules on one subgraph as it is written. Called by `compose` before merging; every rule reports all that it finds."""

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
from schema.validation.graphql import check_graphql

Rule = Callable[[Subgraph], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    check_directive_definitions,
    check_graphql,
    check_keys,
    check_provides,
    check_requires,
    check_externals,
    check_interfaces,
    check_interface_objects,
    check_authorization,
    check_costs,
    check_contexts,
)


def validate_subgraph(subgraph: Subgraph) -> list[Finding]:
    """Every error of a subgraph; what contradicts federation's own definitions or GraphQL itself hides all others."""
    findings: list[Finding] = []
    for rule in RULES:
        findings += rule(subgraph)
        if findings and rule in (check_directive_definitions, check_graphql):
            break
    return findings


__all__ = ["RULES", "validate_subgraph"]
