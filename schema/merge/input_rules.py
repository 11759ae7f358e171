"""Rules on one input field or argument across all subgraphs that have it, and on those that lack it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from graphql import TypeNode, ValueNode

from schema.codes import Finding, quoted
from schema.merge.references import same_defaults, strictest_input, value_text
from schema.subgraph import InputValue
from schema.type_nodes import is_required, type_text


@dataclass(frozen=True, slots=True)
class Words:
    """What a message calls an input value, and the codes of the rules that name it."""

    what: str
    type_mismatch: str
    compatible_types: str
    default_mismatch: str
    required_missing: str
    left_out: str


INPUT_FIELD = Words(
    what="Input field",
    type_mismatch="FIELD_TYPE_MISMATCH",
    compatible_types="INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE",
    default_mismatch="INPUT_FIELD_DEFAULT_MISMATCH",
    required_missing="REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
    left_out="INCONSISTENT_INPUT_OBJECT_FIELD",
)
ARGUMENT = Words(
    what="Argument",
    type_mismatch="FIELD_ARGUMENT_TYPE_MISMATCH",
    compatible_types="INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE",
    default_mismatch="FIELD_ARGUMENT_DEFAULT_MISMATCH",
    required_missing="REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
    left_out="INCONSISTENT_ARGUMENT_PRESENCE",
)


@dataclass(frozen=True, slots=True)
class InputInSubgraphs:
    """An input field or argument as each subgraph that has it writes it; `subgraphs` are those that have its owner."""

    words: Words
    coordinate: str
    values: Mapping[str, InputValue]
    subgraphs: tuple[str, ...]

    @property
    def lacking(self) -> tuple[str, ...]:
        return tuple(subgraph for subgraph in self.subgraphs if subgraph not in self.values)

    @property
    def strictest(self) -> TypeNode | None:
        """The type that every subgraph accepts; None where there is none."""
        return strictest_input([value.type for value in self.values.values()])

    @property
    def type(self) -> TypeNode:
        """The type in the graph: where there is no strictest one, which is an error, any goes on."""
        return self.strictest or next(iter(self.values.values())).type

    @property
    def is_hidden(self) -> bool:
        return any(value.has("inaccessible") for value in self.values.values())

    @property
    def mandatory_in(self) -> list[str]:
        return [subgraph for subgraph, value in self.values.items() if is_required(value.type, value.default)]

    @property
    def defaults(self) -> Mapping[str, ValueNode]:
        return {subgraph: value.default for subgraph, value in self.values.items() if value.default is not None}

    @property
    def default(self) -> str | None:
        """What every subgraph takes for a missing value; where some have no default, the graph has none."""
        if same_defaults(self.defaults) and len(self.defaults) < len(self.values):
            return None
        return value_text(next(iter(self.defaults.values()), None))


Rule = Callable[[InputInSubgraphs], Iterator[Finding]]


def mandatory_everywhere(value: InputInSubgraphs) -> Iterator[Finding]:
    """REQUIRED_…_MISSING_IN_SOME_SUBGRAPH: what one subgraph must be sent, the others would refuse."""
    if value.lacking and value.mandatory_in:
        yield Finding(
            value.words.required_missing,
            f'{value.words.what} "{value.coordinate}" is required in {quoted(value.mandatory_in)} but does not exist in '
            f"{quoted(value.lacking)}: add it there or make it optional.",
            value.subgraphs,
            (value.coordinate,),
        )


def known_everywhere(value: InputInSubgraphs) -> Iterator[Finding]:
    """INCONSISTENT_INPUT_OBJECT_FIELD, INCONSISTENT_ARGUMENT_PRESENCE: an optional one is left out of the graph."""
    if value.lacking and not value.mandatory_in:
        yield Finding(
            value.words.left_out,
            f'{value.words.what} "{value.coordinate}" is left out of the graph: it does not exist in '
            f"{quoted(value.lacking)}.",
            value.lacking,
            (value.coordinate,),
        )


def types_have_a_strictest(value: InputInSubgraphs) -> Iterator[Finding]:
    """FIELD_TYPE_MISMATCH, FIELD_ARGUMENT_TYPE_MISMATCH; where there is one, INCONSISTENT_BUT_COMPATIBLE_…_TYPE."""
    types = {subgraph: type_text(each.type) for subgraph, each in value.values.items()}
    if value.strictest is None:
        said = ", ".join(f'"{text}" in subgraph "{subgraph}"' for subgraph, text in types.items())
        yield Finding(
            value.words.type_mismatch,
            f'{value.words.what} "{value.coordinate}" has incompatible types: {said}. Use one type; they may only differ '
            f"in being mandatory.",
            tuple(types),
            (value.coordinate,),
        )
    elif len(set(types.values())) > 1:
        yield Finding(
            value.words.compatible_types,
            f'{value.words.what} "{value.coordinate}" has different types; the strictest, "{type_text(value.type)}", is '
            f"used.",
            tuple(types),
            (value.coordinate,),
        )


def defaults_are_the_same(value: InputInSubgraphs) -> Iterator[Finding]:
    """INPUT_FIELD_DEFAULT_MISMATCH, FIELD_ARGUMENT_DEFAULT_MISMATCH: a missing value would mean two things."""
    if not same_defaults(value.defaults):
        yield Finding(
            value.words.default_mismatch,
            f'{value.words.what} "{value.coordinate}" has different default values: {_defaults_told(value)}. Use one.',
            tuple(value.defaults),
            (value.coordinate,),
        )


def defaults_are_everywhere(value: InputInSubgraphs) -> Iterator[Finding]:
    """INCONSISTENT_DEFAULT_VALUE_PRESENCE: where some have no default, the graph has none."""
    if same_defaults(value.defaults) and 0 < len(value.defaults) < len(value.values):
        lacking = [subgraph for subgraph in value.values if subgraph not in value.defaults]
        yield Finding(
            "INCONSISTENT_DEFAULT_VALUE_PRESENCE",
            f'{value.words.what} "{value.coordinate}" has the default {_defaults_told(value)} but none in '
            f"{quoted(lacking)}; in the graph it has none.",
            tuple(value.values),
            (value.coordinate,),
        )


def _defaults_told(value: InputInSubgraphs) -> str:
    return ", ".join(f'{value_text(default)} in subgraph "{s}"' for s, default in value.defaults.items())


#: What is told of an input value that some lack; it is not in the graph then.
PRESENCE_RULES: tuple[Rule, ...] = (mandatory_everywhere, known_everywhere)
#: What is told of one that is in the graph, in this order.
VALUE_RULES: tuple[Rule, ...] = (types_have_a_strictest, defaults_are_the_same, defaults_are_everywhere)
