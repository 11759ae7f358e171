"""What a client sees of a graph, read from its subgraphs or from anybody's supergraph of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from graphql import parse, print_ast

#: Types by name; of each its members with their types and arguments, "" where a member has none.
PublicSchema = dict[str, dict[str, str]]


def public_schema(*documents: str) -> PublicSchema:
    """All types of the documents with what any of them says of each, without those of federation and of directives.

    Of graphs in which nothing is `@inaccessible`, the schema that clients of their composition see is just that.
    Raises GraphQLError where a document does not parse.
    """
    types: PublicSchema = {}
    for document in documents:
        for definition in parse(document, no_location=True).definitions:
            if definition.kind.endswith(("type_definition", "type_extension")) and _is_public(definition):
                types.setdefault(definition.name.value, {}).update(_members(definition))
    return types


def differences(expected: PublicSchema, found: PublicSchema) -> list[str]:
    """Sentences about what is there and not expected, or the other way round; nothing where both are the same."""
    said = [f"{name} is missing" for name in sorted(expected.keys() - found.keys())]
    said += [f"{name} is too much" for name in sorted(found.keys() - expected.keys())]
    for name in sorted(expected.keys() & found.keys()):
        if expected[name] != found[name]:
            wrong = sorted(set(expected[name].items()) ^ set(found[name].items()))
            said.append(f"{name} differs in {', '.join(member for member, _type in wrong)}")
    return said


def _members(definition: Any) -> Iterator[tuple[str, str]]:
    for interface in getattr(definition, "interfaces", None) or ():
        yield f"implements {interface.name.value}", ""
    for member in getattr(definition, "fields", None) or ():
        if _is_public(member):
            yield member.name.value, f"{_arguments(getattr(member, 'arguments', ()))}{print_ast(member.type)}"
    for value in getattr(definition, "values", None) or ():
        yield value.name.value, ""
    for member in getattr(definition, "types", None) or ():
        yield member.name.value, ""


def _arguments(arguments: Iterable[Any] | None) -> str:
    return "".join(sorted(f"({each.name.value}: {print_ast(each.type)})" for each in arguments or ()))


def _is_public(node: Any) -> bool:
    name = node.name.value
    return "__" not in name and not name.startswith("_")
