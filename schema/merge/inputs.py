"""Merging what clients send: input objects and arguments keep only what every subgraph accepts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from schema.codes import quoted
from schema.merge.directives import DirectiveMerger
from schema.merge.model import FieldJoin, Findings, MergedInputValue, MergedType
from schema.merge.references import is_required, same_defaults, strictest_input, value_text
from schema.subgraph import InputValue, TypeDefinition, type_text


class InputMerger:
    def __init__(self, directives: DirectiveMerger, findings: Findings) -> None:
        self.directives = directives
        self.findings = findings

    def merge_input_type(self, result: MergedType, definitions: dict[str, TypeDefinition]) -> None:
        """Fields that all subgraphs have; a mandatory one that some lack is an error."""
        for name in dict.fromkeys(name for definition in definitions.values() for name in definition.input_fields):
            values = {s: d.input_fields[name] for s, d in definitions.items() if name in d.input_fields}
            coordinate = f"{result.name}.{name}"
            if self._is_missing_somewhere(
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
            if all(join.is_plain() for join in merged.joins):
                merged.joins = []
            result.input_fields[name] = merged
        if not result.input_fields:
            self.findings.error(
                "EMPTY_MERGED_INPUT_TYPE",
                f'Input type "{result.name}" has no field that {quoted(list(definitions))} have in common.',
                tuple(definitions),
                (result.name,),
            )

    def merge_arguments(
        self, arguments: Mapping[str, Mapping[str, InputValue]], coordinate: Callable[[str], str]
    ) -> list[MergedInputValue]:
        """`arguments` are those of one field, by subgraph; arguments filled from a context are not the client's."""
        merged = []
        for name in dict.fromkeys(name for own in arguments.values() for name in own):
            values = {s: own[name] for s, own in arguments.items() if name in own}
            if any(value.has("fromContext") for value in values.values()):
                continue
            if self._is_missing_somewhere(
                values,
                list(arguments),
                coordinate(name),
                ("REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH", "INCONSISTENT_ARGUMENT_PRESENCE", "Argument"),
            ):
                continue
            merged.append(
                self.merge_value(
                    name,
                    values,
                    coordinate(name),
                    ("FIELD_ARGUMENT_TYPE_MISMATCH", "FIELD_ARGUMENT_DEFAULT_MISMATCH", "Argument"),
                )
            )
        return merged

    def merge_value(
        self, name: str, values: Mapping[str, InputValue], coordinate: str, codes: tuple[str, str, str]
    ) -> MergedInputValue:
        type_code, default_code, what = codes
        node = strictest_input([value.type for value in values.values()])
        if node is None:
            said = ", ".join(f'"{type_text(value.type)}" in subgraph "{s}"' for s, value in values.items())
            self.findings.error(
                type_code, f'{what} "{coordinate}" has incompatible types: {said}.', tuple(values), (coordinate,)
            )
            node = next(iter(values.values())).type
        elif len({type_text(value.type) for value in values.values()}) > 1:
            self.findings.hint(
                "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE",
                f'{what} "{coordinate}" has different types; the strictest, "{type_text(node)}", is used.',
                tuple(values),
                (coordinate,),
            )
        defaults = {subgraph: value.default for subgraph, value in values.items()}
        if not same_defaults(defaults):
            said = ", ".join(f'{value_text(d) or "none"} in subgraph "{s}"' for s, d in defaults.items())
            self.findings.error(
                default_code,
                f'{what} "{coordinate}" has different default values: {said}.',
                tuple(values),
                (coordinate,),
            )
        return MergedInputValue(
            name,
            type_text(node),
            next((value.description for value in values.values() if value.description), None),
            value_text(next(iter(defaults.values()))),
            self.directives.merge(values, coordinate),
        )

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
