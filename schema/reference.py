"""A reference of a schema in Markdown, for people who look things up: `python -m schema reference` and `fittracker schema export`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLType,
    GraphQLUnionType,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
    print_ast,
)
from graphql.type import GraphQLArgument, GraphQLInputField


def reference_of(schema: GraphQLSchema, title: str) -> str:
    """A page of a schema that was read from SDL. Root fields first, each with its arguments; then every type by kind and name.

    What is said of a thing is its description in the schema, so a description that is missing there is missing here. Root fields
    are headed by their coordinate (`Query.food`), for the heading `food` would have the same anchor as that of the type `Food`.
    """
    roots = (
        ("Queries", schema.query_type),
        ("Mutations", schema.mutation_type),
        ("Subscriptions", schema.subscription_type),
    )
    own_types = [
        type_
        for name, type_ in sorted(schema.type_map.items())
        if not is_introspection_type(type_)
        and not is_specified_scalar_type(type_)
        and type_ not in {root for _, root in roots}
    ]
    lines = [f"# {title}", ""]
    for heading, root in roots:
        if root is not None:
            lines += [f"## {heading}", ""]
            for name, field in sorted(root.fields.items()):
                lines += _root_field(f"{root.name}.{name}", field)
    for heading, kind in _KINDS.items():
        of_kind = [type_ for type_ in own_types if isinstance(type_, kind)]
        if of_kind:
            lines += [f"## {heading}", ""]
            for type_ in of_kind:
                lines += _type(type_)
    return "\n".join(lines).rstrip() + "\n"


_KINDS: Mapping[str, type[GraphQLNamedType]] = {
    "Objects": GraphQLObjectType,
    "Interfaces": GraphQLInterfaceType,
    "Unions": GraphQLUnionType,
    "Inputs": GraphQLInputObjectType,
    "Enums": GraphQLEnumType,
    "Scalars": GraphQLScalarType,
}


def _root_field(coordinate: str, field: GraphQLField) -> Iterator[str]:
    yield from (f"### {coordinate}", "", f"{_said(field.description)} Gives {_linked(field.type)}.".strip(), "")
    yield from _deprecated(field.deprecation_reason)
    if field.args:
        yield from _table(("argument", "type", "", "meaning"), (_input_row(*each) for each in field.args.items()))


def _type(type_: GraphQLNamedType) -> Iterator[str]:
    yield from (f"### {type_.name}", "")
    if type_.description:
        yield from (_said(type_.description), "")
    match type_:
        case GraphQLObjectType() | GraphQLInterfaceType():
            if type_.interfaces:
                yield from ("Is " + ", ".join(_linked(each) for each in type_.interfaces) + ".", "")
            yield from _table(("field", "type", "meaning"), (_field_row(*each) for each in type_.fields.items()))
        case GraphQLInputObjectType():
            yield from _table(("field", "type", "", "meaning"), (_input_row(*each) for each in type_.fields.items()))
        case GraphQLEnumType():
            rows = ((f"`{name}`", _meaning(value)) for name, value in type_.values.items())
            yield from _table(("value", "meaning"), rows)
        case GraphQLUnionType():
            yield from ("One of " + ", ".join(_linked(each) for each in type_.types) + ".", "")
        case GraphQLScalarType() if type_.specified_by_url:
            yield from (f"Specified by <{type_.specified_by_url}>.", "")


def _field_row(name: str, field: GraphQLField) -> tuple[str, ...]:
    arguments = "".join(
        f"<br>`{argument_name}`: {_linked(argument.type)}{_default(argument)} {_meaning(argument)}"
        for argument_name, argument in field.args.items()
    )
    return (f"`{name}`", _linked(field.type), _meaning(field) + arguments)


def _input_row(name: str, value: GraphQLArgument | GraphQLInputField) -> tuple[str, ...]:
    return (f"`{name}`", _linked(value.type), _default(value).strip(), _meaning(value))


def _default(value: GraphQLArgument | GraphQLInputField) -> str:
    """` = 20` where a default is declared, with a space before it; nothing where none is.

    A schema that was read from SDL, as all are that this module is given, keeps its defaults as literals.
    """
    if value.default is None or value.default.literal is None:
        return ""
    return f" `= {print_ast(value.default.literal)}`"


def _meaning(described: object) -> str:
    text = _said(getattr(described, "description", None))
    reason = getattr(described, "deprecation_reason", None)
    return f"{text} **Deprecated:** {_said(reason)}".strip() if reason else text


def _deprecated(reason: str | None) -> Iterator[str]:
    if reason:
        yield from (f"**Deprecated:** {_said(reason)}", "")


def _said(description: str | None) -> str:
    """A description on one line of a table, where a pipe would end the cell."""
    return " ".join((description or "").split()).replace("|", "\\|")


def _linked(type_: GraphQLType) -> str:
    """A type as it is written in the schema, its name a link to where this page tells of it."""
    name = get_named_type(type_).name
    before, _, after = str(type_).partition(name)
    if is_specified_scalar_type(get_named_type(type_)):
        return f"`{type_}`"
    return f"{_escaped(before)}[{name}](#{name.lower()}){_escaped(after)}"


def _escaped(brackets: str) -> str:
    return brackets.replace("[", "\\[").replace("]", "\\]")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
