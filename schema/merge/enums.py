"""Merging enums: all values for output, common ones for input, equal sets for both."""

from __future__ import annotations

from schema.codes import quoted
from schema.merge.descriptions import common_description
from schema.merge.directives import DirectiveMerger
from schema.merge.model import Findings, MergedType, MergedValue
from schema.subgraph import Kind, Subgraph, TypeDefinition, named_type


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


def merge_enum(
    result: MergedType,
    definitions: dict[str, TypeDefinition],
    usage: EnumUsage,
    directives: DirectiveMerger,
    findings: Findings,
) -> None:
    assert result.kind is Kind.ENUM
    is_input, is_output = result.name in usage.as_input, result.name in usage.as_output
    for name in dict.fromkeys(value for definition in definitions.values() for value in definition.values):
        having = {s: definition.values[name] for s, definition in definitions.items() if name in definition.values}
        lacking = [subgraph for subgraph in definitions if subgraph not in having]
        coordinate = f"{result.name}.{name}"
        is_hidden = any(value.has("inaccessible") for value in having.values())
        if lacking and is_input and is_output and not is_hidden:
            findings.error(
                "ENUM_VALUE_MISMATCH",
                f'Enum "{result.name}" is used as input and as output, so all subgraphs must have the same values: '
                f'"{name}" is in {quoted(list(having))} but not in {quoted(lacking)}.',
                tuple(definitions),
                (coordinate,),
            )
        elif lacking and is_input and not is_output and not is_hidden:
            findings.hint(
                "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM",
                f'Value "{coordinate}" is not in {quoted(lacking)} and cannot be used as input.',
                tuple(lacking),
                (coordinate,),
            )
            continue
        elif lacking and not is_input:
            findings.hint(
                "INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM",
                f'Value "{coordinate}" of an output enum is not in {quoted(lacking)}.',
                tuple(lacking),
                (coordinate,),
            )
        description = common_description(having, coordinate, findings)
        result.values.append(MergedValue(name, list(having), description, directives.merge(having, coordinate)))
    if not is_input and not is_output:
        findings.hint("UNUSED_ENUM_TYPE", f'Enum "{result.name}" is used nowhere.', tuple(definitions), (result.name,))
    if not result.values:
        findings.error(
            "EMPTY_MERGED_ENUM_TYPE",
            f'Enum "{result.name}" is used as input and {quoted(list(definitions))} have no value in common.',
            tuple(definitions),
            (result.name,),
        )
