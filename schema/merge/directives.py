"""Merging applied directives: which of them reach the supergraph, and what they say where subgraphs differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from graphql import print_ast

from schema.codes import Finding, locations_of, quoted
from schema.federation import DIRECTIVES_SINCE
from schema.merge.model import Findings
from schema.subgraph import Applied, Element

#: Directives of federation that a supergraph carries, each with the specification that defines it there.
CARRIED = ("inaccessible", "tag", "authenticated", "requiresScopes", "policy", "cost", "listSize")
RIGHTS = ("authenticated", "requiresScopes", "policy")
#: Directives that a supergraph passes on as each subgraph has them, by the specification that is linked for them.
PASSED_ON = {"connect": "connect", "source": "connect", "cacheTag": "cacheTag"}
_BUILT_IN = ("deprecated", "specifiedBy", "oneOf")

Arguments = dict[str, Any]
_DEFAULTS: dict[str, Arguments] = {"deprecated": {"reason": "No longer supported"}}


@dataclass(frozen=True, slots=True)
class ComposedDirective:
    """A directive of `@composeDirective`: `definition` as it is printed, `spec_name` without the subgraph's rename.

    What other than the composing `subgraphs` says with it stays there.
    """

    spec_name: str
    repeatable: bool
    definition: str
    subgraphs: frozenset[str]
    defaults: Arguments


class DirectiveMerger:
    """Notes which directives the supergraph has to declare; `composed` are those of `@composeDirective`, by name."""

    def __init__(
        self, composed: Mapping[str, ComposedDirective], graphs: Mapping[str, str], findings: Findings
    ) -> None:
        self.composed = composed
        self._graphs = graphs
        self.used: set[str] = set()
        self._findings = findings
        #: in the order in which they are printed; a composed one may have the name of one of federation's
        self._kinds: list[tuple[str, ComposedDirective | None]] = [(name, None) for name in (*_BUILT_IN, *CARRIED)]
        self._kinds += sorted(composed.items())
        self._first_uses: dict[str, dict[str, Applied]] = {}

    def merge(self, elements: Mapping[str, Element], coordinate: str) -> list[str]:
        """The printed directives of one element, given as each subgraph has it."""
        present = {name for element in elements.values() for each in element.directives for name in _names_of(each)}
        if not present:
            return []
        printed: list[str] = []
        for name, composed in self._kinds:
            if name not in present:
                continue
            applied = [
                (subgraph, each)
                for subgraph, element in elements.items()
                for each in _applications(name, composed, subgraph, element)
            ]
            if applied and composed is None:
                self.used.add(name)
                for subgraph, each in applied:
                    self._first_uses.setdefault(name, {}).setdefault(subgraph, each)
            if applied:
                printed += self.combine(name, applied, coordinate, composed)
        return printed + self._passed_on(elements)

    def _passed_on(self, elements: Mapping[str, Element]) -> list[str]:
        graphs: dict[tuple[str, str], list[str]] = {}
        for subgraph, element in elements.items():
            for each in element.directives:
                if each.means(*PASSED_ON):
                    self.used.add(PASSED_ON[each.name])
                    # Federation's own are known by their full names, others by what the subgraph's @link calls them.
                    name = f"federation__{each.name}" if each.name in DIRECTIVES_SINCE else each.node.name.value
                    graphs.setdefault((name, print_arguments(each)), []).append(self._graphs[subgraph])
        return [
            f'@join__directive(graphs: [{", ".join(names)}], name: "{name}", args: {{{arguments}}})'
            for (name, arguments), names in graphs.items()
        ]

    def check_composed_names(self) -> Iterator[Finding]:
        """DIRECTIVE_COMPOSITION_ERROR: the graph has one definition of each name."""
        for name in sorted(self.composed.keys() & self.used):
            others = tuple(sorted(self._first_uses.get(name, {})))
            yield Finding(
                "DIRECTIVE_COMPOSITION_ERROR",
                f'"@{name}" of another specification is composed in {quoted(sorted(self.composed[name].subgraphs))}, but '
                f"federation's @{name} is used in {quoted(list(others))}, and the graph can have one directive of that "
                f"name: import the other one under another name.",
                (*sorted(self.composed[name].subgraphs), *others),
                (f"@{name}",),
            )

    def check_names(self) -> Iterator[Finding]:
        """LINK_IMPORT_NAME_MISMATCH: what one subgraph calls `@tag` must not be called otherwise, or stand for something else, in another."""
        for name, uses in self._first_uses.items():
            local_names = {subgraph: use.node.name.value for subgraph, use in uses.items()}
            if name in CARRIED and len(set(local_names.values())) > 1:
                said = ", ".join(f'"@{local}" in subgraph "{subgraph}"' for subgraph, local in local_names.items())
                yield Finding(
                    "LINK_IMPORT_NAME_MISMATCH",
                    f"Federation's @{name} has different names: {said}. Import it under one name everywhere.",
                    tuple(uses),
                    (f"@{name}",),
                    tuple(location for subgraph, use in uses.items() for location in locations_of(subgraph, use.node)),
                )

    def combine(
        self,
        name: str,
        applied: list[tuple[str, Applied]],
        coordinate: str,
        composed: ComposedDirective | None = None,
    ) -> list[str]:
        """What all applications of one directive say together."""
        texts = [print_directive(name, each) for _, each in applied]
        if composed.repeatable if composed is not None else name == "tag":
            return list(dict.fromkeys(texts))
        defaults = composed.defaults if composed is not None else _DEFAULTS.get(name, {})
        said_at_first = defaults | applied[0][1].arguments
        if len(set(texts)) == 1 or all(defaults | each.arguments == said_at_first for _, each in applied):
            return texts[:1]
        where = tuple(subgraph for subgraph, _ in applied), (coordinate,)
        strictest = _STRICTEST.get(composed.spec_name if composed is not None else name)
        if strictest is not None:
            arguments = strictest([each.arguments for _, each in applied])
            said = ", ".join(f"{argument}: {value}" for argument, value in arguments.items())
            text = f"@{name}({said})" if said else f"@{name}"
            self._findings.hint(
                "MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
                f'Directive "@{name}" is applied to "{coordinate}" with different arguments, which are merged to '
                f'"{text}".',
                *where,
            )
            return [text]
        text = max(texts, key=texts.count)
        self._findings.hint(
            "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
            f'Directive "@{name}" is applied to "{coordinate}" with different arguments; "{text}" is used.',
            *where,
        )
        return [text]


def _names_of(applied: Applied) -> tuple[str, str]:
    """Federation's name and the subgraph's own: by one of them it may be one of those that are merged."""
    return applied.name, applied.node.name.value


def _applications(name: str, composed: ComposedDirective | None, subgraph: str, element: Element) -> list[Applied]:
    if composed is None:
        return element.all(name)
    return element.all_of_others(name) if subgraph in composed.subgraphs else []


# -- what directives say together: each rule takes the arguments of all and gives printed ones ------------------------


def _all_scopes(applied: list[Arguments]) -> dict[str, str]:
    return {"scopes": _conjunction([each.get("scopes") for each in applied])}


def _all_policies(applied: list[Arguments]) -> dict[str, str]:
    return {"policies": _conjunction([each.get("policies") for each in applied])}


def _conjunction(conditions: list[Any]) -> str:
    """What is asked in each subgraph has to be fulfilled: every combination of their alternatives."""
    if not any(conditions):
        return "[]"
    combined = {tuple(sorted(set().union(*choice))) for choice in product(*filter(None, conditions))}
    minimal = sorted(each for each in combined if not any(set(other) < set(each) for other in combined))
    return _literal([list(each) for each in minimal])


def _highest_weight(applied: list[Arguments]) -> dict[str, str]:
    return {"weight": str(max(each.get("weight") or 0 for each in applied))}


def _largest_list(applied: list[Arguments]) -> dict[str, str]:
    merged = {}
    sizes = _given("assumedSize", applied)
    if sizes:
        merged["assumedSize"] = str(max(sizes))
    for name in ("slicingArguments", "sizedFields"):
        values = list(dict.fromkeys(value for each in _given(name, applied) for value in each))
        if values:
            merged[name] = _literal(values)
    if False in _given("requireOneSlicingArgument", applied):
        merged["requireOneSlicingArgument"] = "false"
    return merged


def _strictest_cache_control(applied: list[Arguments]) -> dict[str, str]:
    """An answer lives no longer, and is seen by no more, than any subgraph allows."""
    merged = {}
    ages = _given("maxAge", applied)
    if ages:
        merged["maxAge"] = str(min(ages))
    elif True in _given("inheritMaxAge", applied):
        merged["inheritMaxAge"] = "true"
    scopes = _given("scope", applied)
    if scopes:
        merged["scope"] = "PRIVATE" if "PRIVATE" in scopes else scopes[0]
    return merged


def _given(name: str, applied: list[Arguments]) -> list[Any]:
    return [each[name] for each in applied if each.get(name) is not None]


_STRICTEST: dict[str, Callable[[list[Arguments]], dict[str, str]]] = {
    "requiresScopes": _all_scopes,
    "policy": _all_policies,
    "cost": _highest_weight,
    "listSize": _largest_list,
    "cacheControl": _strictest_cache_control,
}


def print_directive(name: str, applied: Applied) -> str:
    """Under its canonical name, arguments as the subgraph wrote them."""
    arguments = print_arguments(applied)
    return f"@{name}({arguments})" if arguments else f"@{name}"


def print_arguments(applied: Applied) -> str:
    return ", ".join(f"{each.name.value}: {print_ast(each.value)}" for each in applied.node.arguments or ())


def _literal(value: Any) -> str:
    """A JSON value of strings, numbers and lists is a GraphQL value too."""
    return json.dumps(value, ensure_ascii=False)
