"""What merging looks up in all subgraphs again and again, found once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schema.field_sets import key_fields, provided_fields, required_and_provided_fields
from schema.merge.model import MergedType
from schema.merge.references import TypeRelations
from schema.subgraph import Kind, Subgraph

#: The root types, by the names that they have in every graph.
ROOTS = ("Query", "Mutation", "Subscription")


class SubgraphFacts:
    """Of fields, pairs of their type's name and their own, by the subgraph's name."""

    def __init__(self, subgraphs: Sequence[Subgraph]) -> None:
        self.subgraphs = {subgraph.name: subgraph for subgraph in subgraphs}
        self.relations = TypeRelations(subgraphs)
        self.key_fields = {subgraph.name: key_fields(subgraph) for subgraph in subgraphs}
        self.provided_fields = {subgraph.name: provided_fields(subgraph) for subgraph in subgraphs}
        self.used_by_field_sets = {
            subgraph.name: self.key_fields[subgraph.name] | required_and_provided_fields(subgraph)
            for subgraph in subgraphs
        }
        self.implementations = _implementations(subgraphs)

    def is_in_another(self, subgraph: str, type_name: str, field: str) -> bool:
        """Whether a type of the same name has the field in a subgraph other than this one."""
        return any(
            field in other.types[type_name].fields
            for name, other in self.subgraphs.items()
            if name != subgraph and type_name in other.types
        )

    def interface_asks(self, subgraph: str, type_name: str, field: str) -> bool:
        """Whether an interface of the type has the field, in this subgraph."""
        types = self.subgraphs[subgraph].types
        return any(field in types[name].fields for name in types[type_name].interfaces if name in types)


@dataclass(frozen=True, slots=True)
class GraphInQuestion:
    """All types as they are merged, beside what the subgraphs say: what rules on the whole graph look at."""

    types: Mapping[str, MergedType]
    facts: SubgraphFacts


def _implementations(subgraphs: Sequence[Subgraph]) -> dict[str, set[str]]:
    """Object types by interface, as any subgraph has them."""
    implementations: dict[str, set[str]] = {}
    for subgraph in subgraphs:
        for definition in subgraph.types.values():
            for interface in definition.interfaces if definition.kind is Kind.OBJECT else ():
                implementations.setdefault(interface, set()).add(definition.name)
    return implementations
