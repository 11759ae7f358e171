"""Merging what clients send: input objects and arguments keep only what every subgraph accepts."""

from __future__ import annotations

from collections.abc import Mapping

from schema.codes import quoted
from schema.merge.descriptions import common_description
from schema.merge.directives import DirectiveMerger
from schema.merge.input_rules import ARGUMENT, INPUT_FIELD, PRESENCE_RULES, VALUE_RULES, InputInSubgraphs
from schema.merge.model import FieldJoin, Findings, MergedInputValue, MergedType
from schema.subgraph import InputValue, TypeDefinition
from schema.type_nodes import is_required, type_text


class InputMerger:
    def __init__(self, directives: DirectiveMerger, findings: Findings) -> None:
        self.directives = directives
        self.findings = findings

    def merge_input_type(self, result: MergedType, definitions: dict[str, TypeDefinition]) -> None:
        """Fields that all subgraphs have; a mandatory one that some lack is an error."""
        for name in dict.fromkeys(name for definition in definitions.values() for name in definition.input_fields):
            values = {s: d.input_fields[name] for s, d in definitions.items() if name in d.input_fields}
            value = InputInSubgraphs(INPUT_FIELD, f"{result.name}.{name}", values, tuple(definitions))
            # What clients never see need not be accepted by all.
            if not value.is_hidden and self._is_left_out(value):
                continue
            merged = self.merge_value(name, value)
            merged.joins = [
                FieldJoin(subgraph, type=type_text(value.type) if type_text(value.type) != merged.type else None)
                for subgraph, value in values.items()
            ]
            if len(values) == len(definitions) and all(join.is_plain() for join in merged.joins):
                merged.joins = []
            result.input_fields[name] = merged
        if not result.input_fields:
            self.findings.error(
                "EMPTY_MERGED_INPUT_TYPE",
                f'Input type "{result.name}" has no field that {quoted(list(definitions))} have in common.',
                tuple(definitions),
                (result.name,),
            )

    def merge_arguments(self, arguments: Mapping[str, Mapping[str, InputValue]], owner: str) -> list[MergedInputValue]:
        """`arguments` are those of one field or directive, by subgraph, the coordinate of which is `owner`.

        Arguments filled from a context are not the client's.
        """
        merged = []
        for name in dict.fromkeys(name for own in arguments.values() for name in own):
            values = {s: own[name] for s, own in arguments.items() if name in own}
            coordinate = f"{owner}({name}:)"
            if any(value.has("fromContext") for value in values.values()):
                self._check_contextual(values, coordinate)
                continue
            value = InputInSubgraphs(ARGUMENT, coordinate, values, tuple(arguments))
            if not self._is_left_out(value):
                merged.append(self.merge_value(name, value))
        return merged

    def _check_contextual(self, values: Mapping[str, InputValue], coordinate: str) -> None:
        """Nobody sends an argument that one subgraph takes from a context; the others have to do without."""
        others = [subgraph for subgraph, value in values.items() if not value.has("fromContext")]
        if not others:
            return
        stuck = [subgraph for subgraph in others if is_required(values[subgraph].type, values[subgraph].default)]
        taker = quoted([subgraph for subgraph in values if subgraph not in others])
        if stuck:
            self.findings.error(
                "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
                f'Argument "{coordinate}" is filled from a context in {taker} and so is no argument of the graph, but '
                f"it is mandatory in {quoted(stuck)}: use @fromContext there too or make it optional.",
                tuple(values),
                (coordinate,),
            )
        else:
            self.findings.hint(
                "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
                f'Argument "{coordinate}" is left out of the graph: {taker} fills it from a context, '
                f"{quoted(others)} does not.",
                tuple(values),
                (coordinate,),
            )

    def merge_value(self, name: str, value: InputInSubgraphs) -> MergedInputValue:
        for rule in VALUE_RULES:
            self.findings.add(rule(value))
        return MergedInputValue(
            name,
            type_text(value.type),
            common_description(value.values, value.coordinate, self.findings),
            value.default,
            self.directives.merge(value.values, value.coordinate),
        )

    def _is_left_out(self, value: InputInSubgraphs) -> bool:
        for rule in PRESENCE_RULES:
            self.findings.add(rule(value))
        return bool(value.lacking)
