"""Directives for operations: those that every subgraph defines, with what their definitions have in common."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphql import DirectiveDefinitionNode

from router.supergraph.api_schema import EXECUTABLE_LOCATIONS
from schema.codes import Finding, quoted
from schema.federation import Link
from schema.merge.descriptions import choose_description
from schema.merge.inputs import InputMerger
from schema.merge.model import Findings, MergedDirective
from schema.subgraph import InputValue, Subgraph
from schema.subgraph_reader import applied_directives


@dataclass(frozen=True, slots=True)
class Definitions:
    """One directive by the subgraphs that define it; `lacking` are those that do not."""

    name: str
    nodes: Mapping[str, DirectiveDefinitionNode]
    links: Mapping[str, Sequence[Link]]
    lacking: tuple[str, ...]

    @property
    def locations(self) -> dict[str, set[str]]:
        """Those in operations; a directive may be for definitions too."""
        return {
            name: {each.value for each in node.locations} & EXECUTABLE_LOCATIONS for name, node in self.nodes.items()
        }

    @property
    def common_locations(self) -> set[str]:
        return set.intersection(*self.locations.values())

    @property
    def is_repeatable(self) -> bool:
        return all(node.repeatable for node in self.nodes.values())

    def hint(self, code: str, message: str) -> Finding:
        return Finding(code, message, tuple(self.nodes), (f"@{self.name}",))


def merge_executable_directives(
    subgraphs: list[Subgraph], composed: Container[str], inputs: InputMerger, findings: Findings
) -> dict[str, MergedDirective]:
    """By name. One that is composed is there already, with its locations for operations."""
    result: dict[str, MergedDirective] = {}
    for name in sorted({name for subgraph in subgraphs for name in subgraph.directive_definitions}):
        each = Definitions(
            name,
            {s.name: s.directive_definitions[name] for s in subgraphs if name in s.directive_definitions},
            {s.name: s.links for s in subgraphs},
            tuple(s.name for s in subgraphs if name not in s.directive_definitions),
        )
        if name in composed or not any(each.locations.values()):
            continue
        for rule in RULES:
            findings.add(rule(each))
        if not each.lacking and each.common_locations:
            result[name] = _merged(each, inputs, findings)
    return result


def _merged(each: Definitions, inputs: InputMerger, findings: Findings) -> MergedDirective:
    descriptions = {s: node.description.value for s, node in each.nodes.items() if node.description}
    return MergedDirective(
        each.name,
        choose_description(descriptions, f"@{each.name}", findings),
        inputs.merge_arguments(
            {s: _arguments_of(node, each.links[s]) for s, node in each.nodes.items()}, f"@{each.name}"
        ),
        each.is_repeatable,
        sorted(each.common_locations),
    )


def _arguments_of(node: DirectiveDefinitionNode, links: Sequence[Link]) -> dict[str, InputValue]:
    return {
        each.name.value: InputValue(
            each.name.value,
            each.description.value if each.description else None,
            applied_directives(each.directives, links),
            type=each.type,
            default=each.default_value,
        )
        for each in node.arguments or ()
    }


# -- hints -------------------------------------------------------------------------------------------------------------


def is_everywhere(each: Definitions) -> Iterator[Finding]:
    if each.lacking:
        yield each.hint(
            "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE",
            f'Executable directive "@{each.name}" is defined in {quoted(list(each.nodes))} only and is left out of the '
            f"graph.",
        )


def has_a_common_location(each: Definitions) -> Iterator[Finding]:
    if not each.lacking and not each.common_locations:
        yield each.hint(
            "NO_EXECUTABLE_DIRECTIVE_INTERSECTION",
            f'Executable directive "@{each.name}" has no location that all subgraphs give it and is left out of the '
            f"graph.",
        )


def has_the_same_locations(each: Definitions) -> Iterator[Finding]:
    common = each.common_locations
    if not each.lacking and common and any(locations != common for locations in each.locations.values()):
        yield each.hint(
            "INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS",
            f'Executable directive "@{each.name}" has different locations; those in common, '
            f"{', '.join(sorted(common))}, are used.",
        )


def is_repeatable_everywhere(each: Definitions) -> Iterator[Finding]:
    without = [name for name, node in each.nodes.items() if not node.repeatable]
    if not each.lacking and each.common_locations and 0 < len(without) < len(each.nodes):
        yield each.hint(
            "INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE",
            f'Executable directive "@{each.name}" is not repeatable, since it is not in {quoted(without)}.',
        )


#: In the order in which their hints are told.
RULES: tuple[Callable[[Definitions], Iterator[Finding]], ...] = (
    is_everywhere,
    has_a_common_location,
    has_the_same_locations,
    is_repeatable_everywhere,
)
