"""Rules on one field of objects or interfaces across all subgraphs that have it, sharing and overriding aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from schema.codes import Finding, quoted
from schema.merge.directives import CARRIED
from schema.merge.references import TypeRelations, fits, same_defaults, value_text
from schema.subgraph import FieldDefinition
from schema.type_nodes import is_required, named_type, type_text


@dataclass(frozen=True, slots=True)
class FieldInSubgraphs:
    """A field as each subgraph that has it writes it; `resolving` are those in which it is not external, at least one.

    `widest` is the type that has room for those of all who resolve it, None where there is none.
    """

    coordinate: str
    all: Mapping[str, FieldDefinition]
    resolving: Mapping[str, FieldDefinition]
    widest: str | None
    relations: TypeRelations

    @property
    def type(self) -> str:
        """The type in the graph: where there is no widest one, which is an error, any goes on."""
        return self.widest or type_text(self.base.type)

    @property
    def base(self) -> FieldDefinition:
        """What external fields are compared with."""
        return next(iter(self.resolving.values()))

    def external(self) -> Iterator[tuple[str, FieldDefinition]]:
        for subgraph, each in self.all.items():
            if each.is_external:
                yield subgraph, each


Rule = Callable[[FieldInSubgraphs], Iterator[Finding]]


def check_directives_on_external(coordinate: str, fields: Mapping[str, FieldDefinition]) -> Iterator[Finding]:
    """MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL: what reaches the graph can only be said by who resolves the field."""
    for subgraph, each in fields.items():
        for name in ("deprecated", *CARRIED) if each.is_external else ():
            if each.has(name):
                yield Finding(
                    "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL",
                    f'[{subgraph}] @{name} cannot be applied to the @external field "{coordinate}": apply it in the '
                    f"subgraph that resolves the field.",
                    (subgraph,),
                    (coordinate,),
                )


def resolved_by_nobody(coordinate: str, fields: Mapping[str, FieldDefinition]) -> Finding:
    return Finding(
        "EXTERNAL_MISSING_ON_BASE",
        f'Field "{coordinate}" is marked @external in {quoted(list(fields))}, but no other subgraph resolves it: '
        f"remove the mark in the subgraph that does.",
        tuple(fields),
        (coordinate,),
    )


def types_have_a_widest(field: FieldInSubgraphs) -> Iterator[Finding]:
    """FIELD_TYPE_MISMATCH; where there is one, INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE"""
    types = {subgraph: type_text(each.type) for subgraph, each in field.resolving.items()}
    if field.widest is None:
        said = ", ".join(f'"{text}" in subgraph "{subgraph}"' for subgraph, text in types.items())
        yield Finding(
            "FIELD_TYPE_MISMATCH",
            f'Type of field "{field.coordinate}" is incompatible across subgraphs: it is {said}. Use one type; types may '
            f"differ only where one of them has room for all the others, as a nullable type or an interface has.",
            tuple(types),
            (field.coordinate,),
        )
    elif len(set(types.values())) > 1:
        yield Finding(
            "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE",
            f'Field "{field.coordinate}" has different types; the widest, "{field.type}", is used.',
            tuple(types),
            (field.coordinate,),
        )


def external_repeats_the_type(field: FieldInSubgraphs) -> Iterator[Finding]:
    """EXTERNAL_TYPE_MISMATCH"""
    for subgraph, each in field.external():
        if type_text(each.type) in (field.type, type_text(field.base.type)) or _is_narrowed(each, field):
            continue
        yield Finding(
            "EXTERNAL_TYPE_MISMATCH",
            f'Field "{field.coordinate}" has type "{type_text(each.type)}" where it is @external, in subgraph '
            f'"{subgraph}", but "{field.type}" where it is resolved, in {quoted(list(field.resolving))}: repeat the '
            f"latter.",
            (subgraph, *field.resolving),
            (field.coordinate,),
        )


def _is_narrowed(each: FieldDefinition, field: FieldInSubgraphs) -> bool:
    """Whether it names a type of its own, which is one of those that the graph's has."""
    name = named_type(each.type)
    return name != named_type(field.base.type) and field.relations.is_subtype(name, field.type.strip("[]!"))


def external_has_the_arguments(field: FieldInSubgraphs) -> Iterator[Finding]:
    """EXTERNAL_ARGUMENT_MISSING"""
    for subgraph, each in field.external():
        for name, argument in field.base.arguments.items():
            if name in each.arguments:
                continue
            is_everywhere = all(name in owner.arguments for owner in field.resolving.values())
            if is_everywhere or is_required(argument.type, argument.default):
                place = f"{field.coordinate}({name}:)"
                yield Finding(
                    "EXTERNAL_ARGUMENT_MISSING",
                    f'Field "{field.coordinate}" lacks the argument "{place}" where it is @external, in subgraph '
                    f'"{subgraph}".',
                    (subgraph,),
                    (place,),
                )


def external_repeats_argument_types(field: FieldInSubgraphs) -> Iterator[Finding]:
    """EXTERNAL_ARGUMENT_TYPE_MISMATCH"""
    for subgraph, each in field.external():
        for name, argument in field.base.arguments.items():
            own = each.arguments.get(name)
            if own is None or fits(argument.type, own.type):
                continue
            place = f"{field.coordinate}({name}:)"
            yield Finding(
                "EXTERNAL_ARGUMENT_TYPE_MISMATCH",
                f'Argument "{place}" has type "{type_text(own.type)}" where the field is @external, in subgraph '
                f'"{subgraph}", but "{type_text(argument.type)}" where it is resolved, in '
                f"{quoted(list(field.resolving))}: repeat the latter.",
                (subgraph,),
                (place,),
            )


def external_repeats_argument_defaults(field: FieldInSubgraphs) -> Iterator[Finding]:
    """EXTERNAL_ARGUMENT_DEFAULT_MISMATCH"""
    for subgraph, each in field.external():
        for name, argument in field.base.arguments.items():
            own = each.arguments.get(name)
            if own is None or same_defaults({subgraph: own.default, "": argument.default}):
                continue
            place = f"{field.coordinate}({name}:)"
            yield Finding(
                "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH",
                f'Argument "{place}" has the default {value_text(own.default) or "none"} where the field is '
                f'@external, in subgraph "{subgraph}", but {value_text(argument.default) or "none"} where it is '
                f"resolved, in {quoted(list(field.resolving))}: repeat the latter.",
                (subgraph,),
                (place,),
            )


#: In the order in which their findings are told. What an external field repeats is its owner's.
FIELD_RULES: tuple[Rule, ...] = (
    types_have_a_widest,
    external_repeats_the_type,
    external_has_the_arguments,
    external_repeats_argument_types,
    external_repeats_argument_defaults,
)
