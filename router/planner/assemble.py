"""Puts a fetch graph in order: fetches of one subgraph that can go together become one request, independent parts run
in parallel, the rest in sequence.

`plan` calls it last, with the nodes that `build` has made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from router.planner.conditions import Conditions, without
from router.planner.conflicts import resolve_conflicts
from router.planner.fetch_graph import DraftRule, FetchNode
from router.query_graph import QueryGraph
from router.query_plan import (
    AnyOf,
    ConditionNode,
    EntityFetch,
    EntityLookup,
    Fetch,
    Parallel,
    PlanNode,
    RepresentationRule,
    Sequence,
)
from router.selection_set import SelectionSet

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
    """One request for each subgraph, level and common condition: entity lookups of different paths go into one request.
    Root fetches stay alone.
    """
    batches: dict[tuple[int, str, Conditions, int], list[FetchNode]] = {}
    for number, node in enumerate(nodes):
        alone = number if node.is_root else -1
        key = (node.level(), node.subgraph, node.common_conditions(), alone)
        batches.setdefault(key, []).append(node)
    by_level = sorted(batches.items(), key=lambda item: item[0][0])
    return [tuple(batch) for _, batch in by_level]


class _Assembler:
    def __init__(self, graph: QueryGraph, variable_types: Mapping[str, str]) -> None:
        self.graph = graph
        self.variable_types = variable_types

    def arrange(self, requests: list[_Request]) -> PlanNode:
        """Groups that do not depend on each other run in parallel; of one group, what waits for nothing runs before the
        rest.

        Example: `{ me { name bio age } top { bio } }`, where a has the users, b each `bio` and c each `age`. The fetch
        of a is needed by all, so there is one group, and a comes first. The rest falls into two groups, of b and of c:
        `Sequence(a, Parallel(b, c))`. The fetch of b is for the paths `me` and `top` at once, since `_batched` and
        `_entity_fetch` have made one request with one lookup of the two.
        """
        if len(requests) == 1:
            return self.request(requests[0])
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
        conditions = nodes[0].common_conditions()  # those of a batch are the same
        node = self._root_fetch(nodes[0]) if nodes[0].is_root else self._entity_fetch(nodes, conditions)
        return ConditionNode(conditions, node) if conditions else node

    def _root_fetch(self, node: FetchNode) -> Fetch:
        renames = resolve_conflicts(self.graph, node.subgraph, node.draft)
        selections = node.draft.to_selection_set()
        return Fetch(
            subgraph=node.subgraph,
            operation_type=node.operation_type,
            selections=selections,
            variables=self._variables([selections]),
            renames=renames,
            reason="; ".join(dict.fromkeys(node.reasons)) or f"{node.draft.type} fields of {node.subgraph}",
            path=node.path,
        )

    def _entity_fetch(self, nodes: _Request, conditions: Conditions) -> EntityFetch:
        """`conditions` are known to hold."""
        lookups = [self._lookup(node, conditions) for node in nodes]
        if len(lookups) > 1:
            lookups = _once_each(lookups)
        reasons = dict.fromkeys([reason for node in nodes for reason in node.reasons])
        return EntityFetch(
            nodes[0].subgraph,
            tuple(lookups),
            (
                *self._variables([lookup.selections for lookup in lookups]),
                *{context.name: text for node in nodes for context, text in node.contexts.items()}.items(),
            ),
            "; ".join(reasons),
        )

    def _lookup(self, node: FetchNode, conditions: Conditions) -> EntityLookup:
        renames = resolve_conflicts(self.graph, node.subgraph, node.draft)
        return EntityLookup(
            (node.path,),
            tuple([_representation_rule(rule, node.needed) for rule in node.complete_rules()]),
            node.draft.to_selection_set(),
            renames,
            tuple(node.contexts),
            _alternatives(node.needed, conditions),
        )

    def _variables(self, selection_sets: Iterable[SelectionSet]) -> tuple[tuple[str, str], ...]:
        if not self.variable_types:
            return ()
        used = {name for selections in selection_sets for name in selections.variables()}
        return tuple((name, text) for name, text in self.variable_types.items() if name in used)


def _once_each(lookups: list[EntityLookup]) -> list[EntityLookup]:
    """The same question about entities at another path is one question."""
    found: dict[tuple[object, ...], EntityLookup] = {}
    for each in lookups:
        same = (each.representations, each.selections, each.renames, each.contexts, each.alternatives)
        known = found.get(same)
        found[same] = each if known is None else EntityLookup((*known.paths, *each.paths), *same)
    return [*found.values()]


def _independent_parts(requests: list[_Request]) -> list[list[_Request]]:
    """Groups of requests such that no request waits for one of another group.

    Example: of `a`, `b` (which waits for `a`), `c` (which waits for `a`) and `d`, the groups are `[a, b, c]` and `[d]`.
    """
    parts: list[tuple[set[FetchNode], list[_Request]]] = []
    for request in requests:
        members, linked = set(request), set(request).union(*[node.parents for node in request])
        order: list[_Request] = []
        others = []
        for part in parts:
            if part[0].isdisjoint(linked):
                others.append(part)
            else:
                members |= part[0]
                order += part[1]
        parts = [*others, (members, [*order, request])]
    return [part for _, part in parts]


def _parallel(nodes: list[PlanNode]) -> PlanNode:
    flat = [inner for node in nodes for inner in (node.nodes if isinstance(node, Parallel) else (node,))]
    return flat[0] if len(flat) == 1 else Parallel(tuple(flat))


def _sequence(nodes: list[PlanNode]) -> PlanNode:
    flat = [inner for node in nodes for inner in (node.nodes if isinstance(node, Sequence) else (node,))]
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat))


def _alternatives(needed: AnyOf, conditions: Conditions) -> AnyOf:
    """When anything of a lookup is asked, given that the `conditions` hold; empty where it always is."""
    alternatives = tuple(without(each, conditions) for each in needed)
    return alternatives if all(alternatives) else ()


def _representation_rule(rule: DraftRule, needed: AnyOf) -> RepresentationRule:
    fields = rule.fields.to_selection_set(needed) if not rule.fields.is_empty() else SelectionSet()
    return RepresentationRule(rule.source_types, rule.typename, fields)
