"""Merging applied directives: which of them reach the supergraph, and what they say where subgraphs differ."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import orjson
from graphql import print_ast

from schema.merge.model import Findings
from schema.subgraph import Applied, Element

#: Directives of federation that a supergraph carries, each with the specification that defines it there.
CARRIED = ("inaccessible", "tag", "authenticated", "requiresScopes", "policy", "cost", "listSize")
_BUILT_IN = ("deprecated", "specifiedBy", "oneOf")


class DirectiveMerger:
    """Notes which directives the supergraph has to declare; `composed` are those of `@composeDirective`."""

    def __init__(self, composed: Mapping[str, bool], findings: Findings) -> None:
        self.composed = composed  # name -> repeatable
        self.used: set[str] = set()
        self._findings = findings

    def merge(self, elements: Mapping[str, Element], coordinate: str) -> list[str]:
        """The printed directives of one element, given as each subgraph has it."""
        printed: list[str] = []
        for name in (*_BUILT_IN, *CARRIED, *sorted(self.composed)):
            applied = [(subgraph, each) for subgraph, element in elements.items() for each in element.all(name)]
            if applied:
                self.used.add(name)
                printed += self._merge_one(name, applied, coordinate)
        return printed

    def _merge_one(self, name: str, applied: list[tuple[str, Applied]], coordinate: str) -> list[str]:
        texts = list(dict.fromkeys(print_directive(name, each) for _, each in applied))
        if name == "tag" or self.composed.get(name):
            return texts
        if len(texts) == 1:
            return texts
        if name in ("requiresScopes", "policy"):
            argument = "scopes" if name == "requiresScopes" else "policies"
            # What is asked in each subgraph has to be fulfilled: every combination of their alternatives.
            alternatives = [each.arguments.get(argument) or [] for _, each in applied]
            merged = {tuple(sorted(set().union(*choice))) for choice in product(*alternatives)}
            minimal = sorted(each for each in merged if not any(set(other) < set(each) for other in merged))
            return [f"@{name}({argument}: {_literal([list(each) for each in minimal])})"]
        if name == "cost":
            return [f"@cost(weight: {max(each.arguments.get('weight') or 0 for _, each in applied)})"]
        if name == "listSize":
            return [_merged_list_size([each for _, each in applied])]
        self._findings.hint(
            "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
            f'Directive "@{name}" is applied to "{coordinate}" with different arguments; "{texts[0]}" is used.',
            tuple(subgraph for subgraph, _ in applied),
            (coordinate,),
        )
        return texts[:1]


def _merged_list_size(applied: list[Applied]) -> str:
    sizes = [each.arguments["assumedSize"] for each in applied if each.arguments.get("assumedSize") is not None]
    arguments = []
    if sizes:
        arguments.append(f"assumedSize: {max(sizes)}")
    for name in ("slicingArguments", "sizedFields"):
        values = list(dict.fromkeys(value for each in applied for value in each.arguments.get(name) or ()))
        if values:
            arguments.append(f"{name}: {_literal(values)}")
    if all(each.arguments.get("requireOneSlicingArgument") is False for each in applied):
        arguments.append("requireOneSlicingArgument: false")
    return f"@listSize({', '.join(arguments)})"


def print_directive(name: str, applied: Applied) -> str:
    """Under its canonical name, arguments as the subgraph wrote them."""
    arguments = ", ".join(
        f"{argument.name.value}: {print_ast(argument.value)}" for argument in applied.node.arguments or ()
    )
    return f"@{name}({arguments})" if arguments else f"@{name}"


def _literal(value: Any) -> str:
    """A JSON value of strings, numbers and lists is a GraphQL value too."""
    return orjson.dumps(value).decode().replace(",", ", ")
