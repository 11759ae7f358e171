"""Merging unions: all members that any subgraph knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from schema.codes import Finding, quoted
from schema.merge.model import Findings, MergedType
from schema.subgraph import TypeDefinition


def merge_union(result: MergedType, definitions: Mapping[str, TypeDefinition], findings: Findings) -> None:
    for subgraph, definition in definitions.items():
        result.members += [(subgraph, member) for member in definition.members]
    for member in dict.fromkeys(member for _, member in result.members):
        for rule in MEMBER_RULES:
            findings.add(rule(result.name, member, definitions))


def members_are_known_everywhere(
    union: str, member: str, definitions: Mapping[str, TypeDefinition]
) -> Iterator[Finding]:
    """INCONSISTENT_UNION_MEMBER: the graph has it, for some subgraph may answer with it."""
    without = tuple(name for name, definition in definitions.items() if member not in definition.members)
    if without:
        yield Finding(
            "INCONSISTENT_UNION_MEMBER",
            f'Union "{union}" has the member "{member}", which {quoted(without)} does not know.',
            without,
            (union,),
        )


#: Rules on one member of a union across all subgraphs that have the union.
MEMBER_RULES: tuple[Callable[[str, str, Mapping[str, TypeDefinition]], Iterator[Finding]], ...] = (
    members_are_known_everywhere,
)
