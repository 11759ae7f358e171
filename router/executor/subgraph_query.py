"""Prints the operations that subgraphs receive.

`execute` prints them when it compiles a plan (those with `@fromContext` later, for the number of context values that a
request has), `plan_printer` for people. The texts are short on purpose: they travel with every request.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from router.operation import Operation
from router.query_plan import EntityFetch, Fetch
from router.selection_set import Argument, Condition, Field, InlineFragment, SelectionSet


class FetchPrinter:
    """Prints the fetches of one client operation, with what they take over of it: what stands behind the types of its
    variables, and its executable directives where a fetch's operation may have them.
    """

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._declared = {
            each.name: (f"={each.default}" if each.default is not None else "") + each.directives
            for each in operation.variables
        }

    def root(self, fetch: Fetch) -> tuple[Fetch, str]:
        """The fetch with all variables that it needs, and its text."""
        directives, variables = self._operation_directives(fetch.operation_type, fetch.variables)
        if variables is not fetch.variables:
            fetch = replace(fetch, variables=variables)
        return fetch, print_root_query(fetch, self._declared, directives)

    def entities(self, fetch: EntityFetch) -> tuple[EntityFetch, str, tuple[tuple[str, str], ...]]:
        """The fetch with all variables that it needs, and what `print_entity_query` gives of it."""
        directives, variables = self._operation_directives("query", fetch.variables)
        if variables is not fetch.variables:
            fetch = replace(fetch, variables=variables)
        return fetch, *print_entity_query(fetch, self._declared, directives)

    def _operation_directives(
        self, operation_type: str, variables: tuple[tuple[str, str], ...]
    ) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The client's directives that may stand at such an operation, and the variables with those that they mention."""
        if not self._operation.directives:
            return "", variables
        applied = [each.applied for each in self._operation.directives if operation_type in each.operation_types]
        mentioned = {name for each in applied for name in each.variables} - {name for name, _ in variables}
        more = tuple((each.name, each.type) for each in self._operation.variables if each.name in mentioned)
        return "".join(f"@{each.name}{each.value}" for each in applied), (*variables, *more)


def print_root_query(fetch: Fetch, declared: Mapping[str, str], directives: str = "") -> str:
    """`query($n:Int=5)@d{users(first:$n){id}}`; `declared` is what follows the types of the client's variables: their
    printed defaults and directives. `directives` are the operation's.

    Defaults stay: a nullable variable may stand for a non-null argument only because it has one.
    """
    definitions = _print_definitions(fetch.variables, declared)
    return f"{fetch.operation_type}{definitions}{directives}{print_selections(fetch.selections)}"


def print_entity_query(
    fetch: EntityFetch, declared: Mapping[str, str], directives: str = ""
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The text, as `print_root_query` makes it, and for each lookup the response key and the variable for its
    representations.

    Each lookup has a variable of its own: some servers change representations while they read them.
    """
    taken = {name for name, _ in fetch.variables}
    if len(fetch.lookups) == 1:
        names = [("_entities", _free_name("representations", taken))]
    else:
        names = [(f"_e{index}", _free_name(f"r{index}", taken)) for index in range(len(fetch.lookups))]
    own = tuple((variable, "[_Any!]!") for _, variable in names)
    fields = []
    for (response_key, variable), lookup in zip(names, fetch.lookups, strict=True):
        alias = "" if response_key == "_entities" else f"{response_key}:"
        fields.append(f"{alias}_entities(representations:${variable}){print_selections(lookup.selections)}")
    definitions = _print_definitions((*own, *fetch.variables), declared)
    return f"query{definitions}{directives}{{{' '.join(fields)}}}", tuple(names)


def print_selections(selections: SelectionSet) -> str:
    """`{id name:fullName ...on Admin{role}}`; an empty set asks for `__typename`, as GraphQL has no empty one."""
    if not selections.items:
        return "{__typename}"
    return "{" + " ".join([_print_selection(item) for item in selections.items]) + "}"


def _print_selection(item: Field | InlineFragment) -> str:
    """A directive must not repeat: a second condition of one kind goes on a fragment around the first."""
    if isinstance(item, Field) and not item.conditions and not item.arguments:
        return _print_field(item, "")
    directives: dict[str, str] = {}
    around = []
    for condition in dict.fromkeys(item.conditions):
        name, printed = ("skip" if condition.inverted else "include"), _print_condition(condition)
        if directives.setdefault(name, printed) != printed:
            around.append(printed)
    own = "".join(directives.values())
    if isinstance(item, Field):
        around += [f"@{each.name}{each.value}" for each in item.arguments if each.directive_at == "fragment"]
    text = _print_field(item, own) if isinstance(item, Field) else _print_fragment(item, own)
    for printed in around:
        text = f"...{printed}{{{text}}}"
    return text


def _print_condition(condition: Condition) -> str:
    return f"@{'skip' if condition.inverted else 'include'}(if:${condition.variable})"


def _print_field(field: Field, directives: str) -> str:
    alias = "" if field.response_key == field.name else f"{field.response_key}:"
    inner = "" if field.selections is None else print_selections(field.selections)
    arguments = _print_arguments(field.arguments) if field.arguments else ""
    return f"{alias}{field.name}{arguments}{directives}{inner}"


def _print_fragment(fragment: InlineFragment, directives: str) -> str:
    condition = f"on {fragment.type_condition}" if fragment.type_condition else ""
    return f"...{condition}{directives}{print_selections(fragment.selections)}"


def _print_arguments(arguments: tuple[Argument, ...]) -> str:
    """The arguments in parentheses, then the directives."""
    own = ",".join(f"{each.name}:{each.value}" for each in arguments if each.directive_at is None)
    directives = "".join(f"@{each.name}{each.value}" for each in arguments if each.directive_at == "field")
    return (f"({own})" if own else "") + directives


def _print_definitions(variables: tuple[tuple[str, str], ...], declared: Mapping[str, str]) -> str:
    if not variables:
        return ""
    return "(" + ",".join(f"${name}:{type_text}{declared.get(name, '')}" for name, type_text in variables) + ")"


def _free_name(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name = f"_{name}"
    return name
