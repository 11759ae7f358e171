"""Merging enums: all values for output, common ones for input, equal sets for both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from schema.codes import Finding, quoted
from schema.merge.descriptions import common_description
from schema.merge.directives import DirectiveMerger
from schema.merge.model import Findings, MergedType, MergedValue
from schema.subgraph import Element, Kind, Subgraph, TypeDefinition
from schema.type_nodes import named_type


class EnumUsage:
    """Where in the whole graph a type is used as input and as output."""

    def __init__(self, subgraphs: list[Subgraph]) -> None:
        self.as_input: set[str] = set()
        self.as_output: set[str] = set()
        for subgraph in subgraphs:
            for definition in subgraph.types.values():
                self.as_input |= {named_type(each.type) for each in definition.input_fields.values()}
                for field_definition in definition.fields.values():
                    self.as_output.add(named_type(field_definition.type))
                    self.as_input |= {
                        named_type(each.type)
                        for each in field_definition.arguments.values()
                        if not each.has("fromContext")
                    }
            for node in subgraph.directive_definitions.values():
                self.as_input |= {named_type(argument.type) for argument in node.arguments or ()}


@dataclass(frozen=True, slots=True)
class ValueInSubgraphs:
    """One value of an enum: which subgraphs have it, which that have the enum do not, and what the enum is used as."""

    enum: str
    name: str
    having: Mapping[str, Element]
    lacking: tuple[str, ...]
    is_input: bool
    is_output: bool

    @property
    def coordinate(self) -> str:
        return f"{self.enum}.{self.name}"

    @property
    def is_hidden(self) -> bool:
        return any(value.has("inaccessible") for value in self.having.values())

    @property
    def may_not_be_lacking(self) -> bool:
        """What is hidden, clients can neither send nor see, so that it may differ where the enum is an input."""
        return bool(self.lacking) and not (self.is_input and self.is_hidden)


Rule = Callable[[ValueInSubgraphs], Iterator[Finding]]


def outputs_may_have_more(value: ValueInSubgraphs) -> Iterator[Finding]:
    """INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM: the graph has it, for some subgraph may answer with it."""
    if value.may_not_be_lacking and not value.is_input:
        yield Finding(
            "INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM",
            f'Value "{value.coordinate}" of an output enum is not in {quoted(value.lacking)}.',
            value.lacking,
            (value.coordinate,),
        )


def inputs_are_what_all_take(value: ValueInSubgraphs) -> Iterator[Finding]:
    """INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM: the graph leaves it out, for some subgraph would refuse it."""
    if value.may_not_be_lacking and value.is_input and not value.is_output:
        yield Finding(
            _LEFT_OUT,
            f'Value "{value.coordinate}" is not in {quoted(value.lacking)} and cannot be used as input.',
            value.lacking,
            (value.coordinate,),
        )


def both_are_equal(value: ValueInSubgraphs) -> Iterator[Finding]:
    """ENUM_VALUE_MISMATCH: what is answered may be sent back, so all have to know it."""
    if value.may_not_be_lacking and value.is_input and value.is_output:
        yield Finding(
            "ENUM_VALUE_MISMATCH",
            f'Enum "{value.enum}" is used as input and as output, so all subgraphs must have the same values: '
            f'"{value.name}" is in {quoted(list(value.having))} but not in {quoted(value.lacking)}.',
            (*value.having, *value.lacking),
            (value.coordinate,),
        )


_LEFT_OUT = "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM"
VALUE_RULES: tuple[Rule, ...] = (outputs_may_have_more, inputs_are_what_all_take, both_are_equal)


def merge_enum(
    result: MergedType,
    definitions: Mapping[str, TypeDefinition],
    usage: EnumUsage,
    directives: DirectiveMerger,
    findings: Findings,
) -> None:
    assert result.kind is Kind.ENUM
    is_input, is_output = result.name in usage.as_input, result.name in usage.as_output
    for value in _values(result.name, definitions, is_input=is_input, is_output=is_output):
        told = [finding for rule in VALUE_RULES for finding in rule(value)]
        findings.add(told)
        if all(finding.code != _LEFT_OUT for finding in told):
            description = common_description(value.having, value.coordinate, findings)
            merged = directives.merge(value.having, value.coordinate)
            result.values.append(MergedValue(value.name, list(value.having), description, merged))
    if not is_input and not is_output:
        findings.hint("UNUSED_ENUM_TYPE", f'Enum "{result.name}" is used nowhere.', tuple(definitions), (result.name,))
    if not result.values:
        findings.error(
            "EMPTY_MERGED_ENUM_TYPE",
            f'Enum "{result.name}" is used as input and {quoted(list(definitions))} have no value in common.',
            tuple(definitions),
            (result.name,),
        )


def _values(
    enum: str, definitions: Mapping[str, TypeDefinition], *, is_input: bool, is_output: bool
) -> Iterator[ValueInSubgraphs]:
    for name in dict.fromkeys(value for definition in definitions.values() for value in definition.values):
        having = {s: definition.values[name] for s, definition in definitions.items() if name in definition.values}
        lacking = tuple(subgraph for subgraph in definitions if subgraph not in having)
        yield ValueInSubgraphs(enum, name, having, lacking, is_input, is_output)
