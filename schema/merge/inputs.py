"""Merging what clients send: input objects and arguments keep only what every subgraph accepts."""

from __future__ import annotations

from collections.abc import Mapping

from schema.codes import quoted
from schema.merge.descriptions import common_description
from schema.merge.directives import DirectiveMerger
from schema.merge.model import FieldJoin, Findings, MergedInputValue, MergedType
from schema.merge.references import same_defaults, strictest_input, value_text
from schema.subgraph import InputValue, TypeDefinition, is_required, type_text


class InputMerger:
    def __init__(self, directives: DirectiveMerger, findings: Findings) -> None:
        self.directives = directives
        self.findings = findings

    def merge_input_type(self, result: MergedType, definitions: dict[str, TypeDefinition]) -> None:
        """Fields that all subgraphs have; a mandatory one that some lack is an error."""
        for name in dict.fromkeys(name for definition in definitions.values() for name in definition.input_fields):
            values = {s: d.input_fields[name] for s, d in definitions.items() if name in d.input_fields}
            coordinate = f"{result.name}.{name}"
            # What clients never see need not be accepted by all.
            is_hidden = any(value.has("inaccessible") for value in values.values())
            if not is_hidden and self._is_missing_somewhere(
                values,
                list(definitions),
                coordinate,
                ("REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH", "INCONSISTENT_INPUT_OBJECT_FIELD", "Input field"),
            ):
                continue
            merged = self.merge_value(
                name, values, coordinate, ("FIELD_TYPE_MISMATCH", "INPUT_FIELD_DEFAULT_MISMATCH", "Input field")
            )
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
            if self._is_missing_somewhere(
                values,
                list(arguments),
                coordinate,
                ("REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH", "INCONSISTENT_ARGUMENT_PRESENCE", "Argument"),
            ):
                continue
            merged.append(
                self.merge_value(
                    name,
                    values,
                    coordinate,
                    ("FIELD_ARGUMENT_TYPE_MISMATCH", "FIELD_ARGUMENT_DEFAULT_MISMATCH", "Argument"),
                )
            )
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

    def merge_value(
        self, name: str, values: Mapping[str, InputValue], coordinate: str, codes: tuple[str, str, str]
    ) -> MergedInputValue:
        type_code, default_code, what = codes
        node = strictest_input([value.type for value in values.values()])
        if node is None:
            said = ", ".join(f'"{type_text(value.type)}" in subgraph "{s}"' for s, value in values.items())
            self.findings.error(
                type_code,
                f'{what} "{coordinate}" has incompatible types: {said}. Use one type; they may only differ in being mandatory.',
                tuple(values),
                (coordinate,),
            )
            node = next(iter(values.values())).type
        elif len({type_text(value.type) for value in values.values()}) > 1:
            self.findings.hint(
                f"INCONSISTENT_BUT_COMPATIBLE_{'FIELD' if what == 'Input field' else 'ARGUMENT'}_TYPE",
                f'{what} "{coordinate}" has different types; the strictest, "{type_text(node)}", is used.',
                tuple(values),
                (coordinate,),
            )
        return MergedInputValue(
            name,
            type_text(node),
            common_description(values, coordinate, self.findings),
            self._common_default(values, coordinate, default_code, what),
            self.directives.merge(values, coordinate),
        )

    def _common_default(self, values: Mapping[str, InputValue], coordinate: str, code: str, what: str) -> str | None:
        """What every subgraph takes for a missing value; where some have no default, the graph has none."""
        defaults = {subgraph: value.default for subgraph, value in values.items() if value.default is not None}
        said = ", ".join(f'{value_text(default)} in subgraph "{s}"' for s, default in defaults.items())
        if not same_defaults(defaults):
            self.findings.error(
                code,
                f'{what} "{coordinate}" has different default values: {said}. Use one.',
                tuple(defaults),
                (coordinate,),
            )
        elif 0 < len(defaults) < len(values):
            lacking = [subgraph for subgraph in values if subgraph not in defaults]
            self.findings.hint(
                "INCONSISTENT_DEFAULT_VALUE_PRESENCE",
                f'{what} "{coordinate}" has the default {said} but none in {quoted(lacking)}; in the graph it has none.',
                tuple(values),
                (coordinate,),
            )
            return None
        return value_text(next(iter(defaults.values()), None))

    def _is_missing_somewhere(
        self, values: Mapping[str, InputValue], subgraphs: list[str], coordinate: str, codes: tuple[str, str, str]
    ) -> bool:
        lacking = [subgraph for subgraph in subgraphs if subgraph not in values]
        if not lacking:
            return False
        required_code, hint_code, what = codes
        mandatory = [subgraph for subgraph, value in values.items() if is_required(value.type, value.default)]
        if mandatory:
            self.findings.error(
                required_code,
                f'{what} "{coordinate}" is required in {quoted(mandatory)} but does not exist in {quoted(lacking)}: '
                f"add it there or make it optional.",
                tuple(subgraphs),
                (coordinate,),
            )
        else:
            self.findings.hint(
                hint_code,
                f'{what} "{coordinate}" is left out of the graph: it does not exist in {quoted(lacking)}.',
                tuple(lacking),
                (coordinate,),
            )
        return True
