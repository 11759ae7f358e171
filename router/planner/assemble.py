"""Puts a fetch graph in order: fetches of one subgraph that can go together become one request, independent parts run
in parallel, the rest in sequence.

Called last by the planner; hands on the plan's nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

from router.planner.conflicts import resolve_conflicts
from router.planner.fetch_graph import DraftRule, FetchNode, SelectionDraft
from router.query_graph import QueryGraph
from router.query_plan import (
    ConditionNode,
    EntityFetch,
    EntityLookup,
    Fetch,
    Parallel,
    PlanNode,
    RepresentationRule,
    Sequence,
)
from router.selection_set import Condition, SelectionSet

#: Nodes that are sent as one request; all of one subgraph and one level.
_Request = tuple[FetchNode, ...]


def assemble(graph: QueryGraph, nodes: list[FetchNode], variable_types: Mapping[str, str]) -> PlanNode | None:
    """`variable_types` are the operation's, by name; each fetch gets those it mentions."""
    requests = _batched(nodes)
    if not requests:
        return None
    assembler = _Assembler(graph, variable_types)
    return assembler.arrange(requests)


def _batched(nodes: list[FetchNode]) -> list[_Request]:
    """One request per subgraph and level: entity lookups of different paths travel together."""
    batches: dict[tuple[object, ...], list[FetchNode]] = {}
    for number, node in enumerate(nodes):
        alone = number if node.is_root else -1
        key = (node.level(), node.subgraph, _common_conditions([node]), alone)
        batches.setdefault(key, []).append(node)
    return [tuple(batch) for batch in sorted(batches.values(), key=lambda batch: batch[0].level())]


class _Assembler:
    def __init__(self, graph: QueryGraph, variable_types: Mapping[str, str]) -> None:
        self.graph = graph
        self.variable_types = variable_types

    def arrange(self, requests: list[_Request]) -> PlanNode:
        parts = _independent_parts(requests)
        if len(parts) > 1:
            return _parallel([self.arrange(part) for part in parts])
        (part,) = parts
        members = {node for request in part for node in request}
        first = [request for request in part if not any(node.parents & members for node in request)]
        rest = [request for request in part if request not in first]
        head = _parallel([self.request(request) for request in first])
        return _sequence([head, self.arrange(rest)]) if rest else head

    def request(self, nodes: _Request) -> PlanNode:
        conditions = _common_conditions(nodes)
        node = self._root_fetch(nodes[0]) if nodes[0].is_root else self._entity_fetch(nodes)
        return ConditionNode(conditions, node) if conditions else node

    def _root_fetch(self, node: FetchNode) -> Fetch:
        renames = resolve_conflicts(self.graph, node.subgraph, node.draft)
        selections = node.draft.to_selection_set()
        return Fetch(
            node.subgraph,
            node.operation_type,
            selections,
            self._variables([selections]),
            renames,
            "; ".join(dict.fromkeys(node.reasons)) or f"{node.draft.type} fields of {node.subgraph}",
            node.path,
        )

    def _entity_fetch(self, nodes: _Request) -> EntityFetch:
        lookups: dict[tuple[object, ...], EntityLookup] = {}
        for node in nodes:
            renames = resolve_conflicts(self.graph, node.subgraph, node.draft)
            lookup = EntityLookup(
                (node.path,),
                tuple(_representation_rule(rule) for rule in node.complete_rules()),
                node.draft.to_selection_set(),
                renames,
                tuple(node.contexts),
            )
            # The same question about entities at another path is one question.
            same = (lookup.representations, lookup.selections, lookup.renames, lookup.contexts)
            known = lookups.get(same)
            paths = (*known.paths, node.path) if known is not None else (node.path,)
            lookups[same] = EntityLookup(paths, *same)
        reasons = dict.fromkeys(reason for node in nodes for reason in node.reasons)
        return EntityFetch(
            nodes[0].subgraph,
            tuple(lookups.values()),
            (
                *self._variables(lookup.selections for lookup in lookups.values()),
                *{context.name: text for node in nodes for context, text in node.contexts.items()}.items(),
            ),
            "; ".join(reasons),
        )

    def _variables(self, selection_sets: Iterable[SelectionSet]) -> tuple[tuple[str, str], ...]:
        used = {name for selections in selection_sets for name in selections.variables()}
        return tuple((name, text) for name, text in self.variable_types.items() if name in used)


def _independent_parts(requests: list[_Request]) -> list[list[_Request]]:
    """Requests that neither wait for one another nor for a common one within `requests`."""
    parts: list[tuple[set[FetchNode], list[_Request]]] = []
    for request in requests:
        linked = set(request) | {parent for node in request for parent in node.parents}
        touching = [part for part in parts if part[0] & linked]
        members = reduce(set.union, (part[0] for part in touching), set(request))
        order = [earlier for part in touching for earlier in part[1]]
        parts = [part for part in parts if part not in touching]
        parts.append((members, [*order, request]))
    return [part for _, part in parts]


def _parallel(nodes: list[PlanNode]) -> PlanNode:
    flat = [inner for node in nodes for inner in (node.nodes if isinstance(node, Parallel) else (node,))]
    return flat[0] if len(flat) == 1 else Parallel(tuple(flat))


def _sequence(nodes: list[PlanNode]) -> PlanNode:
    flat = [inner for node in nodes for inner in (node.nodes if isinstance(node, Sequence) else (node,))]
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat))


def _common_conditions(nodes: list[FetchNode] | _Request) -> tuple[Condition, ...]:
    """Conditions that every field of the fetches depends on."""
    common = [each for each in nodes[0].conditions if all(each in node.conditions for node in nodes)]
    entries = [entry for node in nodes for entry in node.draft.top_level_fields() if entry.name != "__typename"]
    for condition in entries[0].conditions if entries else ():
        if condition not in common and all(condition in entry.conditions for entry in entries):
            common.append(condition)
    return tuple(common)


def _representation_rule(rule: DraftRule) -> RepresentationRule:
    return RepresentationRule(rule.source_types, rule.typename, _representation_fields(rule.fields))


def _representation_fields(draft: SelectionDraft) -> SelectionSet:
    return draft.to_selection_set() if not draft.is_empty() else SelectionSet()
