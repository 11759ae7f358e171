"""Prints the operations that subgraphs receive, once per plan.

`execute` calls it when it compiles a plan; the texts are short on purpose: they travel with every request.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from router.query_plan import EntityFetch, Fetch
from router.selection_set import Argument, Condition, Field, InlineFragment, SelectionSet


def print_root_query(fetch: Fetch, defaults: Mapping[str, str]) -> str:
    """`query($n:Int=5){users(first:$n){id}}`; `defaults` are the printed defaults of the client's variables.

    Defaults stay: a nullable variable may stand for a non-null argument only because it has one.
    """
    definitions = _print_definitions(fetch.variables, defaults)
    return f"{fetch.operation_type}{definitions}{print_selections(fetch.selections)}"


def print_entity_query(fetch: EntityFetch, defaults: Mapping[str, str]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The text, and for each lookup the response key and the variable for its representations.

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
    definitions = _print_definitions((*own, *fetch.variables), defaults)
    return f"query{definitions}{{{' '.join(fields)}}}", tuple(names)


def print_selections(selections: SelectionSet) -> str:
    """`{id name:fullName ...on Admin{role}}`; an empty set asks for `__typename`, as GraphQL has no empty one."""
    if not selections.items:
        return "{__typename}"
    return "{" + " ".join(_print_selection(item) for item in selections.items) + "}"


def _print_selection(item: Field | InlineFragment) -> str:
    """A directive must not repeat: a second condition of one kind goes on a fragment around the first."""
    directives: dict[str, str] = {}
    around = []
    for condition in dict.fromkeys(item.conditions):
        name, printed = ("skip" if condition.inverted else "include"), _print_condition(condition)
        if directives.setdefault(name, printed) != printed:
            around.append(printed)
    own = "".join(directives.values())
    text = _print_field(item, own) if isinstance(item, Field) else _print_fragment(item, own)
    for printed in around:
        text = f"...{printed}{{{text}}}"
    return text


def _print_condition(condition: Condition) -> str:
    return f"@{'skip' if condition.inverted else 'include'}(if:${condition.variable})"


def _print_field(field: Field, directives: str) -> str:
    alias = "" if field.response_key == field.name else f"{field.response_key}:"
    inner = "" if field.selections is None else print_selections(field.selections)
    return f"{alias}{field.name}{_print_arguments(field.arguments)}{directives}{inner}"


def _print_fragment(fragment: InlineFragment, directives: str) -> str:
    condition = f"on {fragment.type_condition}" if fragment.type_condition else ""
    return f"...{condition}{directives}{print_selections(fragment.selections)}"


def _print_arguments(arguments: tuple[Argument, ...]) -> str:
    if not arguments:
        return ""
    return "(" + ",".join(f"{argument.name}:{argument.value}" for argument in arguments) + ")"


def _print_definitions(variables: tuple[tuple[str, str], ...], defaults: Mapping[str, str]) -> str:
    if not variables:
        return ""
    printed = (
        f"${name}:{type_text}" + (f"={defaults[name]}" if name in defaults else "") for name, type_text in variables
    )
    return "(" + ",".join(printed) + ")"


def _free_name(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name = f"_{name}"
    return name
