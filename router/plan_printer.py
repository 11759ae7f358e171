"""A query plan for people and tools: an indented text, JSON, or a Mermaid flow chart; each fetch with its reason.

Called by the stage verbs, by `fittracker plan` and, in development, for a response's `extensions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

from router.executor.subgraph_query import print_entity_query, print_root_query
from router.query_plan import (
    ConditionNode,
    EntityFetch,
    EntityLookup,
    Fetch,
    Parallel,
    PlanNode,
    QueryPlan,
    RepresentationRule,
    Sequence,
    Subscription,
)
from router.selection_set import Condition, InlineFragment, SelectionSet

_INDENT = "  "


# -- text ------------------------------------------------------------------------------------------------------


def plan_as_text(plan: QueryPlan) -> str:
    """Example:

    QueryPlan {
      Sequence {
        Fetch(service: "users") {
          {
            me {
              id
            }
          }
        },
        Flatten(path: "me") {
          Fetch(service: "orders") {
            {
              ... on User {
                id
              }
            } =>
            {
              ... on User {
                total
              }
            }
          },  # User.total by key "id"
        },
      },
    }
    """
    body = "\n".join(_text(plan.node, 1)) if plan.node is not None else ""
    return f"QueryPlan {{\n{body}\n}}" if body else "QueryPlan {}"


def _text(node: PlanNode, depth: int) -> Iterator[str]:
    pad = _INDENT * depth
    match node:
        case Fetch(path=path) if path:
            yield f'{pad}Flatten(path: "{".".join(path)}") {{'
            yield from _text(replace(node, path=()), depth + 1)
            yield f"{pad}}},"
        case Fetch():
            yield f'{pad}Fetch(service: "{node.subgraph}") {{{_comment(node.reason)}'
            yield from _selection_text(node.selections, depth + 1)
            yield f"{pad}}},"
        case EntityFetch():
            yield from _entity_fetch_text(node, depth)
        case Sequence(nodes) | Parallel(nodes):
            yield f"{pad}{type(node).__name__} {{"
            for inner in nodes:
                yield from _text(inner, depth + 1)
            yield f"{pad}}},"
        case ConditionNode(conditions, inner):
            yield f"{pad}Condition(if: {' and '.join(map(_condition_text, conditions))}) {{"
            yield from _text(inner, depth + 1)
            yield f"{pad}}},"
        case Subscription():
            yield f"{pad}Subscription {{"
            yield from _part("Primary", node.primary, depth + 1)
            yield from _part("Rest", node.rest, depth + 1)
            yield f"{pad}}},"


def _part(name: str, node: PlanNode | None, depth: int) -> Iterator[str]:
    if node is None:
        return
    yield f"{_INDENT * depth}{name} {{"
    yield from _text(node, depth + 1)
    yield f"{_INDENT * depth}}},"


def _entity_fetch_text(node: EntityFetch, depth: int) -> Iterator[str]:
    """One lookup is a Flatten around a Fetch; several are the entries of one batch."""
    pad = _INDENT * depth
    if len(node.lookups) == 1:
        (lookup,) = node.lookups
        yield f"{pad}Flatten({_paths_text(lookup)}) {{"
        yield f'{pad}{_INDENT}Fetch(service: "{node.subgraph}") {{{_comment(node.reason)}'
        yield from _lookup_text(lookup, depth + 2)
        yield f"{pad}{_INDENT}}},"
        yield f"{pad}}},"
        return
    yield f'{pad}BatchFetch(service: "{node.subgraph}") {{{_comment(node.reason)}'
    for lookup in node.lookups:
        yield f"{pad}{_INDENT}Flatten({_paths_text(lookup)}) {{"
        yield from _lookup_text(lookup, depth + 2)
        yield f"{pad}{_INDENT}}},"
    yield f"{pad}}},"


def _lookup_text(lookup: EntityLookup, depth: int) -> Iterator[str]:
    pad = _INDENT * depth
    yield f"{pad}{{"
    for rule in lookup.representations:
        yield f"{pad}{_INDENT}... on {_rule_type(rule)} {{"
        yield from _items_text(rule.fields, depth + 2)
        yield f"{pad}{_INDENT}}}"
    yield f"{pad}}} =>"
    yield from _selection_text(lookup.selections, depth)


def _rule_type(rule: RepresentationRule) -> str:
    sources = " | ".join(sorted(rule.source_types))
    if not sources or sources == rule.typename:
        return rule.typename or sources
    return f"{sources} as {rule.typename}" if rule.typename else sources


def _paths_text(lookup: EntityLookup) -> str:
    paths = [".".join(path) for path in lookup.paths]
    return (
        f'path: "{paths[0]}"'
        if len(paths) == 1
        else f"paths: [{', '.join(f'{chr(34)}{path}{chr(34)}' for path in paths)}]"
    ) + (f", if: {_alternatives_text(lookup)}" if lookup.alternatives else "")


def _alternatives_text(lookup: EntityLookup) -> str:
    return " or ".join(" and ".join(map(_condition_text, conditions)) for conditions in lookup.alternatives)


def _selection_text(selections: SelectionSet, depth: int) -> Iterator[str]:
    yield f"{_INDENT * depth}{{"
    yield from _items_text(selections, depth + 1)
    yield f"{_INDENT * depth}}}"


def _items_text(selections: SelectionSet, depth: int) -> Iterator[str]:
    pad = _INDENT * depth
    for item in selections.items:
        conditions = "".join(f" @{'skip' if c.inverted else 'include'}(if: ${c.variable})" for c in item.conditions)
        if isinstance(item, InlineFragment):
            head = f"... on {item.type_condition}" if item.type_condition else "..."
        else:
            alias = f"{item.response_key}: " if item.response_key != item.name else ""
            arguments = ", ".join(f"{each.name}: {each.value}" for each in item.arguments if not each.directive_at)
            directives = "".join(f" @{each.name}{each.value}" for each in item.arguments if each.directive_at)
            head = f"{alias}{item.name}{f'({arguments})' if arguments else ''}{directives}"
        if item.selections is None:
            yield f"{pad}{head}{conditions}"
        else:
            yield f"{pad}{head}{conditions} {{"
            yield from _items_text(item.selections, depth + 1)
            yield f"{pad}}}"


def _condition_text(condition: Condition) -> str:
    return f"{'not ' if condition.inverted else ''}${condition.variable}"


def _comment(reason: str) -> str:
    return f"  # {reason}" if reason else ""


# -- JSON ------------------------------------------------------------------------------------------------------


def plan_as_json(node: PlanNode | None) -> dict[str, Any] | None:
    """Kinds have the names that every federation router gives them."""
    match node:
        case None:
            return None
        case Fetch(path=path) if path:
            return {"kind": "Flatten", "path": ".".join(path), "node": plan_as_json(replace(node, path=()))}
        case Fetch():
            return _fetch_as_json(node, "Fetch", print_root_query(node, {})) | {"operationKind": node.operation_type}
        case EntityFetch():
            kind = "BatchFetch" if len(node.lookups) > 1 else "Fetch"
            fetch = _fetch_as_json(node, kind, print_entity_query(node, {})[0])
            return fetch | {"entities": [_lookup_as_json(each) for each in node.lookups]}
        case Sequence(nodes) | Parallel(nodes):
            return {"kind": type(node).__name__, "nodes": [plan_as_json(each) for each in nodes]}
        case ConditionNode(conditions, inner):
            words = [("skip" if each.inverted else "include") + f" if ${each.variable}" for each in conditions]
            return {"kind": "Condition", "conditions": words, "node": plan_as_json(inner)}
        case Subscription():
            return {"kind": "Subscription", "primary": plan_as_json(node.primary), "rest": plan_as_json(node.rest)}


def _fetch_as_json(node: Fetch | EntityFetch, kind: str, operation: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "serviceName": node.subgraph,
        "operationKind": "query",
        "operation": operation,
        "variableUsages": [name for name, _ in node.variables],
        "reason": node.reason,
    }


def _lookup_as_json(lookup: EntityLookup) -> dict[str, Any]:
    return {
        "paths": [".".join(path) for path in lookup.paths],
        "requires": {_rule_type(rule): _one_line(rule.fields) for rule in lookup.representations},
        **({"if": _alternatives_text(lookup)} if lookup.alternatives else {}),
    }


def _one_line(selections: SelectionSet) -> str:
    return " ".join(" ".join(_items_text(selections, 0)).split())


# -- Mermaid ---------------------------------------------------------------------------------------------------


def plan_as_mermaid(plan: QueryPlan) -> str:
    """A flow chart: one box a fetch, an arrow where one waits for another."""
    lines = ["flowchart TD", '  request(["operation"])']
    numbers = count(1)

    def draw(node: PlanNode | None, after: list[str]) -> list[str]:
        """Draws what comes after the boxes `after`; gives the boxes that the next node waits for."""
        match node:
            case None:
                return after
            case Fetch() | EntityFetch():
                name = f"fetch{next(numbers)}"
                lines.append(f'  {name}["{_box_text(node)}"]')
                lines.extend(f"  {before} --> {name}" for before in after)
                return [name]
            case Sequence(nodes):
                for each in nodes:
                    after = draw(each, after)
                return after
            case Parallel(nodes):
                return [name for each in nodes for name in draw(each, after)]
            case ConditionNode(_, inner):
                return draw(inner, after)
            case Subscription():
                return draw(node.rest, draw(node.primary, after))

    lasts = dict.fromkeys(draw(plan.node, ["request"]))
    lines += [f'  {last} --> response(["response"])' for last in lasts]
    return "\n".join(lines)


def _box_text(node: Fetch | EntityFetch) -> str:
    title = f"{node.subgraph}: {node.operation_type}" if isinstance(node, Fetch) else f"{node.subgraph}: _entities"
    return f"{title}<br/>{node.reason}".replace('"', "#quot;")
