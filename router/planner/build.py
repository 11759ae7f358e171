"""Turns choices into a fetch graph: which fields go to which fetch, and which fetches must come first.

Called by the planner for a root selection set; hands the nodes on to `assemble`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, get_named_type, is_abstract_type

from router.errors import PlanningFailedError
from router.planner.choose import NOTHING, Chooser, Excluded, Here, Moved
from router.planner.expand import Typed
from router.planner.fetch_graph import DraftRule, FetchNode, SelectionDraft
from router.planner.places import Place, RootTarget, child_place, landing_place, typed_place
from router.query_graph import EntityTarget, QueryGraph
from router.query_plan import ContextVariable, Path
from router.selection_set import Argument, Condition, Field, InlineFragment, SelectionSet
from router.supergraph import ContextArgument, parse_field_set, print_field_set

_Meaning = tuple[str, tuple[Argument, ...]]


@dataclass(frozen=True, slots=True)
class _Position:
    """A place in the response tree together with the fetch and the draft that ask for it.

    `path` has type filters, `keys` only response keys. `client_type` is the type clients see there, if they see one.
    """

    place: Place
    path: Path
    keys: tuple[str, ...]
    node: FetchNode | None
    draft: SelectionDraft | None
    client_type: str | None
    parent: _Position | None = None
    #: conditions of the fields that lead here
    conditions: tuple[Condition, ...] = ()
    #: the same place as it was seen before the fetch that brought us here
    came_from: _Position | None = None


_ContextSource = tuple[ContextArgument, _Position]


@dataclass(slots=True)
class ResponseKeys:
    """Which field each response key of the tree stands for, so that what the planner adds never collides."""

    _meanings: dict[tuple[str, ...], dict[str, set[_Meaning]]] = field(default_factory=dict)
    _internal: dict[tuple[tuple[str, ...], _Meaning], str] = field(default_factory=dict)

    def claim_all(self, selections: SelectionSet, keys: tuple[str, ...] = ()) -> None:
        """Note every field of the client's operation."""
        for item in selections.items:
            if isinstance(item, InlineFragment):
                self.claim_all(item.selections, keys)
                continue
            meanings = self._meanings.setdefault(keys, {}).setdefault(item.response_key, set())
            meanings.add((item.name, item.arguments))
            if item.selections is not None:
                self.claim_all(item.selections, (*keys, item.response_key))

    def key_for(self, keys: tuple[str, ...], name: str, arguments: tuple[Argument, ...]) -> str:
        """The response key to use for a field that a key or `@requires` needs at `keys`."""
        meaning = (name, arguments)
        taken = self._meanings.setdefault(keys, {})
        if not taken.setdefault(name, {meaning}) - {meaning}:
            return name
        if (keys, meaning) not in self._internal:
            self._internal[keys, meaning] = f"__k{len(self._internal)}_{name}"
        return self._internal[keys, meaning]


class FetchGraphBuilder:
    """Builds the nodes of one root selection set; several builders of one plan may share `response_keys`."""

    def __init__(self, graph: QueryGraph, chooser: Chooser, response_keys: ResponseKeys, operation_type: str) -> None:
        self.graph = graph
        self.chooser = chooser
        self.response_keys = response_keys
        self.operation_type = operation_type
        self.nodes: list[FetchNode] = []
        self._context_names: dict[tuple[Path, SelectionSet, str], str] = {}
        self._api_schema: GraphQLSchema = graph.supergraph.api_schema

    def build(self, root_type: str, selections: SelectionSet) -> list[FetchNode]:
        """Raises PlanningFailedError, PlanningLimitError."""
        position = _Position(Place(None, root_type), (), (), None, None, root_type)
        self._build(position, selections)
        return self.nodes

    def _build(
        self, position: _Position, selections: SelectionSet, excluded: Excluded = NOTHING, *, internal: bool = False
    ) -> set[FetchNode]:
        """Ask for all of `selections`; gives the fetches that answer them.

        `internal` selections (keys, required fields) may be asked under internal response keys.
        """
        self.chooser.budget.look()
        choice = self.chooser.choose(position.place, selections, excluded)
        if choice is None:
            raise PlanningFailedError(
                "The operation cannot be planned.",
                detail=f'no way to answer "{print_field_set(selections)}" of {position.place}',
            )
        contributors: set[FetchNode] = set()
        self._ask_typename_if_abstract(position)
        for step in choice.steps:
            if isinstance(step, Here):
                contributors |= self._build_here(position, step.field, internal=internal)
            elif isinstance(step, Typed):
                contributors |= self._build(
                    self._typed(position, step.type), step.selections, excluded, internal=internal
                )
            else:
                contributors |= self._build_moved(position, step, excluded, internal=internal)
        if not choice.steps and position.node is not None:
            contributors.add(position.node)
        return contributors

    def _ask_typename_if_abstract(self, position: _Position) -> None:
        place = position.place
        if (
            position.draft is None
            or place.subgraph is None
            or self.graph.is_interface_object(place.subgraph, place.type)
        ):
            return
        client_type = self._api_schema.type_map.get(position.client_type or "")
        if self.graph.is_abstract(place.subgraph, place.type) or (
            client_type is not None and is_abstract_type(client_type)
        ):
            position.draft.add_field("__typename", "__typename")

    # -- in the fetch that is already there ----------------------------------------------------------------------

    def _build_here(self, position: _Position, item: Field, *, internal: bool) -> set[FetchNode]:
        node, draft = position.node, position.draft
        assert node is not None
        assert draft is not None
        key = item.response_key
        if internal and item.name != "__typename":
            key = self.response_keys.key_for(position.keys, item.name, item.arguments)
        if item.name == "__typename":
            draft.add_field("__typename", key, (), item.conditions)
            return {node}
        if item.selections is None:
            draft.add_field(item.name, key, item.arguments, item.conditions)
            return {node}
        below = child_place(self.graph, position.place, item.name)
        entry = draft.add_field(item.name, key, item.arguments, item.conditions, below.type)
        declared = self.graph.declared_field(position.place.subgraph or "", position.place.type, item.name)
        child = _Position(
            below,
            (*position.path, key, *("@",) * (declared.list_depth if declared else 0)),
            (*position.keys, key),
            node,
            entry.children,
            self._client_type_of(position.client_type, item.name),
            position,
            position.conditions + tuple(each for each in item.conditions if each not in position.conditions),
        )
        return {node} | self._build(child, item.selections, internal=internal)

    def _typed(self, position: _Position, type_name: str) -> _Position:
        assert position.draft is not None
        return replace(
            position,
            place=typed_place(position.place, type_name),
            path=(*_without_type_filter(position.path), f"|{type_name}"),
            draft=position.draft.fragment(type_name),
            client_type=type_name if type_name in self._api_schema.type_map else position.client_type,
        )

    def _client_type_of(self, parent: str | None, name: str) -> str | None:
        parent_type = self._api_schema.type_map.get(parent or "")
        if isinstance(parent_type, GraphQLObjectType | GraphQLInterfaceType) and name in parent_type.fields:
            return str(get_named_type(parent_type.fields[name].type).name)
        return None

    # -- in another fetch ----------------------------------------------------------------------------------------

    def _build_moved(self, position: _Position, step: Moved, excluded: Excluded, *, internal: bool) -> set[FetchNode]:
        target = step.target
        if isinstance(target, RootTarget):
            node = self._root_node(target, position)
            landing = replace(
                position,
                place=landing_place(self.graph, target),
                node=node,
                draft=node.draft,
            )
            assert isinstance(step.item, Field)
            return self._build_here(landing, step.item, internal=internal)
        sources = self._context_sources(position, step)
        before = self._sources_before(position, step, sources)
        if before is not None:
            item, contexts, _ = self._with_context(step.item, before)
            assert position.node is not None
            assert isinstance(item, Field)
            position.node.contexts |= contexts
            return self._build_here(position, item, internal=internal)
        needed = [
            (selections, exclusion)
            for selections, exclusion in (
                (step.key.fields if step.key else None, (target.subgraph, None)),
                (step.requires, (target.subgraph, f"{target.type}.{getattr(step.item, 'name', '')}")),
            )
            if selections is not None
        ]
        parents = {position.node} if position.node is not None else set()
        for selections, exclusion in needed:
            parents |= self._build(position, selections, excluded | {exclusion}, internal=True)
        item, contexts, suppliers = self._with_context(step.item, sources)
        parents |= suppliers
        rule = self._rule(position, target.typename, [selections for selections, _ in needed])
        node = self._entity_node(target, position, parents, rule, item)
        node.contexts |= contexts
        node.reasons.append(_reason(step))
        landing = _Position(
            landing_place(self.graph, target),
            position.path,
            position.keys,
            node,
            node.draft.fragment(target.type),
            position.client_type,
            position.parent,
            position.conditions,
            position,
        )
        if isinstance(item, Field) and item.name != "__typename":
            self._ask_typename_if_abstract(landing)
            return self._build_here(landing, item, internal=internal)
        return self._build(landing, SelectionSet((item,)), internal=internal)

    def _context_sources(self, position: _Position, step: Moved) -> list[_ContextSource]:
        """Each of the field's arguments that a context fills, with the object above that sets it."""
        item, target = step.item, step.target
        edge = self.graph.field(target.subgraph, target.type, item.name) if isinstance(item, Field) else None
        arguments = edge.context_arguments if edge is not None else ()
        return [(wanted, self._ancestor_with(position, wanted.context)) for wanted in arguments]

    def _sources_before(
        self, position: _Position, step: Moved, sources: list[_ContextSource]
    ) -> list[_ContextSource] | None:
        """The sources as they were seen before the fetch that is here, if it can be sent with their values: it asks for
        entities at or below the objects that set the contexts, and what came before it has the values.
        """
        node = position.node
        if not sources or node is None or node.is_root or step.requires is not None:
            return None
        if step.target.subgraph != node.subgraph:
            return None
        before = []
        for wanted, ancestor in sources:
            outside = ancestor.came_from if ancestor.node is node else ancestor
            if outside is None or len(_without_type_filter(ancestor.path)) > len(node.path):
                return None
            choice = self.chooser.choose(outside.place, parse_field_set(wanted.selection))
            if choice is None or choice.cost.depth > 0:
                return None
            before.append((wanted, outside))
        return before

    def _with_context(
        self, item: Field | InlineFragment, sources: list[_ContextSource]
    ) -> tuple[Field | InlineFragment, dict[ContextVariable, str], set[FetchNode]]:
        """The item with its arguments from contexts, their variables, and the fetches that bring the values."""
        if not sources or not isinstance(item, Field):
            return item, {}, set()
        contexts: dict[ContextVariable, str] = {}
        suppliers: set[FetchNode] = set()
        arguments = list(item.arguments)
        for wanted, ancestor in sources:
            selections = parse_field_set(wanted.selection)
            suppliers |= self._build(ancestor, selections, internal=True)
            draft = SelectionDraft("")
            self._add_representation_fields(draft, selections, ancestor.keys)
            value = draft.to_selection_set()
            same = (ancestor.path, value, wanted.type)
            name = self._context_names.setdefault(same, f"__c{len(self._context_names)}_{wanted.name}")
            contexts[ContextVariable(name, ancestor.path, value)] = wanted.type
            arguments.append(Argument(wanted.name, f"${name}", frozenset({name})))
        return replace(item, arguments=tuple(arguments)), contexts, suppliers

    def _ancestor_with(self, position: _Position, context: str) -> _Position:
        """The nearest object above that sets the context."""
        ancestor = position.parent
        while ancestor is not None:
            if context in self.graph.contexts_of(ancestor.place.type):
                return ancestor
            ancestor = ancestor.parent
        raise PlanningFailedError(
            "The operation cannot be planned.", detail=f'nothing above {position.place} sets the context "{context}"'
        )

    def _root_node(self, target: RootTarget, position: _Position) -> FetchNode:
        conditions = position.conditions
        for node in self.nodes:
            same = node.subgraph == target.subgraph and node.path == position.path and node.conditions == conditions
            if same and node.is_root:
                return node
        draft = SelectionDraft(target.type)
        node = FetchNode(
            target.subgraph, position.path, draft, self.operation_type, conditions=conditions, is_root=True
        )
        if position.node is not None:  # a root object deeper in the tree
            node.operation_type = "query"
            node.parents.add(position.node)
        self.nodes.append(node)
        return node

    def _entity_node(
        self,
        target: EntityTarget,
        position: _Position,
        parents: set[FetchNode],
        rule: DraftRule,
        item: Field | InlineFragment,
    ) -> FetchNode:
        """A fetch of the subgraph for that path which can wait for `parents` without being sent any later.

        Objects of some types are not asked for what is wanted of others, where the subgraph knows them by one name only
        (interface objects): a field may fail, need what they do not send, or stand for another under its response key.
        """
        subgraph, path = target.subgraph, _without_type_filter(position.path)
        level = 1 + max(parent.level() for parent in parents)
        for node in self.nodes:
            if (
                node.subgraph == subgraph
                and node.path == path
                and not node.is_root
                and node.conditions == position.conditions
                and node.level() >= level
                and node.accepts(rule)
                and not (
                    target.type in node.draft.fragments
                    and any(known.is_for_others_of_the_type(rule) for known in node.rules)
                )
                and not node.draft.fragment(target.type).contradicts(SelectionSet((item,)))
                and not any(parent.waits_for(node) for parent in parents)
            ):
                node.parents |= parents
                node.add_rule(rule)
                return node
        node = FetchNode(subgraph, path, SelectionDraft(""), parents=set(parents), conditions=position.conditions)
        node.add_rule(rule)
        self.nodes.append(node)
        return node

    def _rule(self, position: _Position, typename: str | None, needed: Iterable[SelectionSet]) -> DraftRule:
        place = position.place
        source_types = frozenset({place.type}) if position.path and position.path[-1].startswith("|") else frozenset()
        if source_types and self.graph.is_abstract(place.subgraph or "", place.type):
            source_types = frozenset(self.graph.possible_types(place.subgraph or "", place.type))
        rule = DraftRule(source_types, typename, SelectionDraft(""))
        for selections in needed:
            self._add_representation_fields(rule.fields, selections, position.keys)
        return rule

    def _add_representation_fields(
        self, draft: SelectionDraft, selections: SelectionSet, keys: tuple[str, ...]
    ) -> None:
        for item in selections.items:
            if isinstance(item, InlineFragment):
                inner = draft.fragment(item.type_condition) if item.type_condition else draft
                self._add_representation_fields(inner, item.selections, keys)
            elif item.name == "__typename":
                draft.add_field("__typename", "__typename")
            else:
                # The key to read from the tree; the key to write is the field's own name.
                key = self.response_keys.key_for(keys, item.name, item.arguments)
                entry = draft.add_field(item.name, key, (), (), "" if item.selections is not None else None)
                if item.selections is not None and entry.children is not None:
                    self._add_representation_fields(entry.children, item.selections, (*keys, key))


def _without_type_filter(path: Path) -> Path:
    return path[:-1] if path and path[-1].startswith("|") else path


def _reason(step: Moved) -> str:
    if isinstance(step.item, Field):
        what = f"{step.target.type}.{step.item.name}"
    else:
        what = f"{step.target.type} as {step.item.type_condition}"
    key = f' by key "{step.key.text}"' if step.key is not None else ""
    requires = f', which requires "{print_field_set(step.requires)}"' if step.requires is not None else ""
    return f"{what}{key}{requires}"
