"""Custom directives of an operation: which there are, where subgraphs can be sent them, and how they are written.

`normalize` keeps them with the fields, for fragments by name do not exist after it. Those that only stand at fragment
spreads or fragment definitions have no place left then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graphql import DirectiveLocation, DirectiveNode, GraphQLSchema, print_ast, specified_directives

from router.operation.literals import variables_of
from router.selection_set import Argument

Applied = tuple[Argument, ...]

#: What the router itself does; everybody else's directives are for the subgraphs.
_OWN = frozenset({each.name for each in specified_directives} | {"defer", "stream"})


class CustomDirectives:
    """Those of one schema. A directive is in it only if all subgraphs know it, so each can be sent it."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    def of_field(self, nodes: Iterable[DirectiveNode]) -> Applied:
        return tuple(_applied(node, "field") for node in self._custom(nodes))

    def of_fragment(self, nodes: Iterable[DirectiveNode]) -> Applied:
        """Those that can stand at an inline fragment, which every fragment becomes."""
        return tuple(
            _applied(node, "fragment")
            for node in self._custom(nodes)
            if self.allows(node.name.value, DirectiveLocation.INLINE_FRAGMENT)
        )

    def joined_around(self, outer: Applied, nodes: Iterable[DirectiveNode] | None) -> Applied:
        return (*outer, *self.of_fragment(nodes)) if nodes else outer

    def of_definition(self, nodes: Iterable[DirectiveNode]) -> Applied:
        """The directives at an operation or a variable definition."""
        return self.of_field(nodes)

    def joined(self, first: Applied, second: Applied) -> Applied:
        """The directives of two occurrences of one response key. If a directive must not be repeated, the first one
        counts.
        """
        names = {each.name for each in first}
        more = [
            each for each in second if each not in first and (each.name not in names or self._may_repeat(each.name))
        ]
        return (*first, *more)

    def allows(self, name: str, location: DirectiveLocation) -> bool:
        definition = self._schema.get_directive(name)
        return definition is not None and location in definition.locations

    def _may_repeat(self, name: str) -> bool:
        definition = self._schema.get_directive(name)
        return definition is not None and definition.is_repeatable

    def _custom(self, nodes: Iterable[DirectiveNode]) -> Iterator[DirectiveNode]:
        return (node for node in nodes if node.name.value not in _OWN)


def _applied(node: DirectiveNode, place: str) -> Argument:
    arguments = node.arguments or ()
    text = f"({','.join(print_ast(each) for each in arguments)})" if arguments else ""
    variables = frozenset(name for each in arguments for name in variables_of(each.value))
    return Argument(node.name.value, text, variables, "fragment" if place == "fragment" else "field")


def printed(directives: Iterable[Argument]) -> str:
    """`@a(x:1)@b`"""
    return "".join(f"@{each.name}{each.value}" for each in directives)
