"""Turns choices into a fetch graph: which fields go to which fetch, and which fetches must come first.

`plan` makes a builder for each root selection set, and gives its nodes to `assemble`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from graphql import GraphQLSchema, is_abstract_type

from router.errors import PlanningFailedError
from router.planner.alike import MIN_GROUP, grouped
from router.planner.candidates import NOTHING, Choice, Excluded, Here, Moved
from router.planner.choose import Chooser
from router.planner.conditions import ALWAYS, Conditions, joined, needed_for, under, without
from router.planner.expand import Typed
from router.planner.fetch_graph import DraftRule, FetchNode, SelectionDraft
from router.planner.places import Place, RootTarget, child_place, landing_place, remembered, typed_place
from router.query_graph import EntityTarget, QueryGraph
from router.query_plan import AnyOf, ContextVariable, Path
from router.selection_set import Argument, Field, InlineFragment, SelectionSet
from router.supergraph import ContextArgument, parse_field_set, print_field_set

_Meaning = tuple[str, tuple[Argument, ...]]


@dataclass(slots=True)
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
    conditions: Conditions = ALWAYS
    #: object types that are asked the same here, of which `place` has the first; empty for one type
    alike: tuple[str, ...] = ()
    #: the same place as it was seen before the fetch that brought us here
    came_from: _Position | None = None

    def seen_by(self, node: FetchNode, draft: SelectionDraft, place: Place) -> _Position:
        """The same objects of the response, as another fetch asks for them."""
        return _Position(
            place=place,
            path=self.path,
            keys=self.keys,
            node=node,
            draft=draft,
            client_type=self.client_type,
            parent=self.parent,
            conditions=self.conditions,
            alike=self.alike,
            came_from=self.came_from,
        )


_ContextSource = tuple[ContextArgument, _Position]


class ResponseKeys:
    """Which field each response key of the tree stands for, so that what the planner adds never collides.

    What the client's `selections` ask at a place is looked up when something is to be added there.
    """

    def __init__(self, selections: SelectionSet) -> None:
        self._meanings: dict[tuple[str, ...], dict[str, set[_Meaning]]] = {}
        self._internal: dict[tuple[tuple[str, ...], _Meaning], str] = {}
        self._fields: dict[tuple[str, ...], list[Field]] = {(): [*_fields_of(selections)]}

    def _fields_at(self, keys: tuple[str, ...]) -> list[Field]:
        """The client's fields below these response keys, also those in fragments."""
        known = self._fields.get(keys)
        if known is None:
            known = self._fields[keys] = [
                inner
                for around in self._fields_at(keys[:-1])
                if around.response_key == keys[-1] and around.selections is not None
                for inner in _fields_of(around.selections)
            ]
        return known

    def _meanings_at(self, keys: tuple[str, ...]) -> dict[str, set[_Meaning]]:
        known = self._meanings.get(keys)
        if known is None:
            known = self._meanings[keys] = {}
            for each in self._fields_at(keys):
                known.setdefault(each.response_key, set()).add((each.name, each.arguments))
        return known

    def key_for(self, keys: tuple[str, ...], name: str, arguments: tuple[Argument, ...]) -> str:
        """The response key to use for a field that a key or `@requires` needs at `keys`."""
        meaning = (name, arguments)
        meanings = self._meanings_at(keys).setdefault(name, {meaning})
        if len(meanings) == 1 and meaning in meanings:
            return name
        if (keys, meaning) not in self._internal:
            self._internal[keys, meaning] = f"__k{len(self._internal)}_{name}"
        return self._internal[keys, meaning]


def _fields_of(selections: SelectionSet) -> Iterator[Field]:
    for item in selections.items:
        if isinstance(item, InlineFragment):
            yield from _fields_of(item.selections)
        else:
            yield item


class FetchGraphBuilder:
    """Builds the nodes of one root selection set; several builders of one plan may share `response_keys`.

    Example: `{ me { name orders { total } } }`, where users answers `me { name }` and orders the rest by the key `id`.

    1. At the root the choice is a move to users: a root node, `_build_here` with `me` in it.
    2. Below `me` the choice is: `name` here, so it goes into the same node; `orders` after a move to orders by `id`.
    3. `_build_moved` first has `_representation` ask for `id` at the place it leaves (`internal`: the client did not, so it
       may get a response key of the planner's), which adds it to users' node and makes that node a parent.
    4. `_entity_node` finds or makes the node of orders at the path `me`; `orders { total }` goes into it.
    """

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
        position = _Position(Place(None, root_type), path=(), keys=(), node=None, draft=None, client_type=root_type)
        self._build(position, selections)
        return self.nodes

    def _build(
        self,
        position: _Position,
        selections: SelectionSet,
        excluded: Excluded = NOTHING,
        *,
        internal: bool = False,
        conditions: Conditions = ALWAYS,
    ) -> set[FetchNode]:
        """Ask for all of `selections`; gives the fetches that answer them.

        `internal` selections (keys, required fields) may be asked under internal response keys. They are asked under the
        `conditions` of what they are asked for: `total @include(if: $v)`, which requires `weight`, asks for
        `weight @include(if: $v)`, and for the key that leads to who knows the weight as well.
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
        groups: dict[str, tuple[str, ...]] | None = None
        for step in choice.steps:
            if isinstance(step, Here):
                self._build_here(position, under(step.field, conditions), contributors, internal=internal)
                continue
            if isinstance(step, Moved):
                self._build_moved(position, step, excluded, contributors, internal=internal, conditions=conditions)
                continue
            if groups is None:
                groups = self._groups(position, choice, excluded)
            if step.type in groups:  # else it is built with the first of its group
                typed = self._typed(position, *groups[step.type])
                contributors |= self._build(typed, step.selections, excluded, internal=internal, conditions=conditions)
        if not choice.steps and position.node is not None:
            contributors.add(position.node)
        return contributors

    def _groups(self, position: _Position, choice: Choice, excluded: Excluded) -> dict[str, tuple[str, ...]]:
        """Which types of an interface or union are built together, by the first type of each group."""
        steps = [step for step in choice.steps if isinstance(step, Typed)]
        if len(steps) < MIN_GROUP:
            return {step.type: (step.type,) for step in steps}
        return {group[0]: group for group in grouped(self.chooser, position.place, steps, excluded)}

    def _ask_typename_if_abstract(self, position: _Position) -> None:
        place, client_type = position.place, position.client_type
        if position.draft is None or place.subgraph is None:
            return
        key = ("typename", place.subgraph, place.type, client_type)
        if remembered(self.graph, key, lambda: self._is_abstract(place, client_type)):
            position.draft.add_field("__typename", "__typename")

    def _is_abstract(self, place: Place, client_type: str | None) -> bool:
        """In the place's subgraph or to clients; an object that stands for an interface is not."""
        subgraph = place.subgraph or ""
        if self.graph.is_interface_object(subgraph, place.type):
            return False
        return self.graph.is_abstract(subgraph, place.type) or is_abstract_type(
            self._api_schema.type_map.get(client_type or "")
        )

    # -- in the fetch that is already there ----------------------------------------------------------------------

    def _build_here(self, position: _Position, item: Field, contributors: set[FetchNode], *, internal: bool) -> None:
        """Adds the fetches that answer the item to the `contributors`."""
        node, draft = position.node, position.draft
        assert node is not None
        assert draft is not None
        contributors.add(node)
        key = item.response_key
        if internal and item.name != "__typename":
            key = self.response_keys.key_for(position.keys, item.name, item.arguments)
        if item.name == "__typename":
            draft.add_field("__typename", key, (), ALWAYS if internal else item.conditions)
            return
        if item.selections is None:
            draft.add_field(item.name, key, item.arguments, item.conditions)
            return
        below = child_place(self.graph, position.place, item.name)
        own, inner = item.conditions, ALWAYS
        if own and (key, ALWAYS) in draft.fields:  # what is asked anyway carries the rest inside, under its conditions
            own, inner = ALWAYS, item.conditions
        entry = draft.add_field(item.name, key, item.arguments, own, below.type)
        declared = self.graph.declared_field(position.place.subgraph or "", position.place.type, item.name)
        path = (*position.path, key)
        if declared is not None and declared.list_depth:
            path = (*path, *("@",) * declared.list_depth)
        client_type = position.client_type
        child = _Position(
            place=below,
            path=path,
            keys=(*position.keys, key),
            node=node,
            draft=entry.children,
            client_type=self.graph.client_type(client_type, item.name) if client_type is not None else None,
            parent=position,
            conditions=joined(position.conditions, own),
        )
        contributors |= self._build(child, item.selections, internal=internal, conditions=inner)

    def _typed(self, position: _Position, *type_names: str) -> _Position:
        """The place for objects of the type, or of all these types, which are alike."""
        assert position.draft is not None
        first, *others = type_names
        return replace(
            position,
            place=typed_place(position.place, first),
            path=(*_without_type_filter(position.path), self._type_filter(position.place, type_names)),
            draft=position.draft.fragment(*type_names),
            client_type=first if first in self._api_schema.type_map else position.client_type,
            alike=type_names if others else (),
        )

    def _type_filter(self, place: Place, type_names: Iterable[str]) -> str:
        """`|Book`, or of an interface or union `|Book|Film`: objects say their own type, never an abstract one."""
        assert place.subgraph is not None
        names = [name for each in type_names for name in self.graph.possible_types(place.subgraph, each)]
        return f"|{'|'.join(names)}"

    # -- in another fetch ----------------------------------------------------------------------------------------

    def _build_moved(
        self,
        position: _Position,
        step: Moved,
        excluded: Excluded,
        contributors: set[FetchNode],
        *,
        internal: bool,
        conditions: Conditions,
    ) -> None:
        """Adds the fetches that answer the step's item to the `contributors`.

        Example: `box { total @include(if: $v) }` from freight, which knows a `Box` by `id` and requires its `weight`
        for the total, while boxes answers `box`. `needed` is `$v`, so boxes is asked for
        `id @include(if: $v) weight @include(if: $v)`, the representation has both, and the fetch of `total` stands
        under the condition `$v` in the plan.
        """
        target = step.target
        if isinstance(target, RootTarget):
            assert isinstance(step.item, Field)
            self._build_root(position, target, under(step.item, conditions), contributors, internal=internal)
            return
        needed = tuple(
            [without(joined(conditions, alternative), position.conditions) for alternative in needed_for(step.item)]
        )
        sources = self._context_sources(position, step)
        before = self._sources_before(position, step, sources) if sources else None
        if before is not None:
            item, contexts, _ = self._with_context(step.item, before, position, needed)
            assert position.node is not None
            assert isinstance(item, Field)
            position.node.contexts |= contexts
            self._build_here(position, under(item, conditions), contributors, internal=internal)
            return
        parents, rule = self._representation(position, step, excluded, needed)
        item, contexts, suppliers = self._with_context(step.item, sources, position, needed)
        types = position.alike if position.alike and target.type == position.place.type else (target.type,)
        node = self._entity_node(target, position, parents | suppliers, rule, item, types)
        for alternative in needed:
            node.need(joined(without(position.conditions, node.conditions), alternative))
        node.contexts |= contexts
        node.reasons.append(_reason(step, len(types) - 1))
        landing = position.seen_by(node, node.draft.fragment(*types), landing_place(self.graph, target))
        landing.alike = types if len(types) > 1 else ()
        landing.came_from = position
        # `_entity_node` may have joined a node that was there already, and that is sent under fewer conditions than this
        # position is reached under: the others are then those of the fields that are asked in it
        conditions = joined(without(position.conditions, node.conditions), conditions)
        if isinstance(item, Field) and item.name != "__typename":
            self._ask_typename_if_abstract(landing)
            self._build_here(landing, under(item, conditions), contributors, internal=internal)
        else:
            contributors |= self._build(landing, SelectionSet((item,)), internal=internal, conditions=conditions)

    def _build_root(
        self,
        position: _Position,
        target: RootTarget,
        item: Field,
        contributors: set[FetchNode],
        *,
        internal: bool,
    ) -> None:
        node = self._root_node(target, position)
        node.need(item.conditions)
        landing = position.seen_by(node, node.draft, landing_place(self.graph, target))
        self._build_here(landing, item, contributors, internal=internal)

    def _representation(
        self, position: _Position, step: Moved, excluded: Excluded, needed: AnyOf
    ) -> tuple[set[FetchNode], DraftRule]:
        """Asks for the key and for what the field requires, under each of the alternatives in which the field is
        `needed`. Gives the fetches that bring them, and the rule by which representations are made of them.
        """
        target = step.target
        assert isinstance(target, EntityTarget)
        parents = {position.node} if position.node is not None else set()
        rule = self._rule_for(position, target)
        for selections, exclusion in (
            (step.key.fields if step.key else None, (target.subgraph, None)),
            (step.requires, (target.subgraph, f"{target.type}.{getattr(step.item, 'name', '')}")),
        ):
            if selections is None:
                continue
            for conditions in needed:
                parents |= self._build(
                    position, selections, excluded | {exclusion}, internal=True, conditions=conditions
                )
                self._add_representation_fields(rule.fields, selections, position.keys, conditions)
        return parents, rule

    def _context_sources(self, position: _Position, step: Moved) -> list[_ContextSource]:
        """Each of the field's arguments that a context fills, with the object above that sets it."""
        item, target = step.item, step.target
        edge = self.graph.field(target.subgraph, target.type, item.name) if isinstance(item, Field) else None
        arguments = edge.context_arguments if edge is not None else ()
        return [(wanted, self._ancestor_with(position, wanted.context)) for wanted in arguments]

    def _sources_before(
        self, position: _Position, step: Moved, sources: list[_ContextSource]
    ) -> list[_ContextSource] | None:
        """The sources as they were seen before the fetch that is here, if that fetch can be sent with their values
        already. That is so where it asks for entities at or below the objects that set the contexts, and where the
        fetch before it can answer the context's selection without another move. None where the values have to be
        fetched first.
        """
        node = position.node
        if node is None or node.is_root or step.requires is not None:
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
        self, item: Field | InlineFragment, sources: list[_ContextSource], position: _Position, needed: AnyOf
    ) -> tuple[Field | InlineFragment, dict[ContextVariable, str], set[FetchNode]]:
        """The item with its arguments from contexts, their variables, and the fetches that bring the values."""
        if not sources or not isinstance(item, Field):
            return item, {}, set()
        contexts: dict[ContextVariable, str] = {}
        suppliers: set[FetchNode] = set()
        arguments = list(item.arguments)
        for wanted, ancestor in sources:
            selections = parse_field_set(wanted.selection)
            for alternative in needed:
                conditions = without(joined(position.conditions, alternative), ancestor.conditions)
                suppliers |= self._build(ancestor, selections, internal=True, conditions=conditions)
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
        """A root operation to the subgraph, at the top or for root objects deeper in the tree."""
        is_mutation = target.type == self.graph.supergraph.root_types.get("mutation")
        known = [node for node in self.nodes if node.is_root]
        if is_mutation:
            known = known[-1:]  # mutations run one after the other: only the last can take one more
        for node in known:
            same = (node.subgraph, node.path, node.conditions) == (target.subgraph, position.path, position.conditions)
            if same:
                return node
        node = FetchNode(
            target.subgraph,
            position.path,
            SelectionDraft(target.type),
            self.operation_type,
            conditions=position.conditions,
            is_root=True,
        )
        if position.node is not None:
            node.operation_type = "mutation" if is_mutation else "query"
            node.parents = {position.node, *(known if is_mutation else ())}
        self.nodes.append(node)
        return node

    def _entity_node(
        self,
        target: EntityTarget,
        position: _Position,
        parents: set[FetchNode],
        rule: DraftRule,
        item: Field | InlineFragment,
        types: tuple[str, ...],
    ) -> FetchNode:
        """A fetch of the subgraph for that path: one that is there and can take the item too, or else a new one.

        A fetch that is there can take it if it is sent no earlier than `parents` allow, and if waiting for them delays
        it no further.
        """
        subgraph, path = target.subgraph, _without_type_filter(position.path)
        level = 1 + max(parent.level() for parent in parents)
        for node in self.nodes:
            if (
                node.subgraph == subgraph
                and node.path == path
                and not node.is_root
                and _is_one_within_the_other(node.conditions, position.conditions)
                and node.level() >= level
                and _can_take(node, target.type, rule, item, types)
                and not any(parent.waits_for(node) for parent in parents)
            ):
                if set(position.conditions) <= set(node.conditions):
                    node.loosen(position.conditions)
                else:
                    rule.fields.add_conditions(without(position.conditions, node.conditions))
                node.parents |= parents
                node.add_rule(rule)
                return node
        node = FetchNode(subgraph, path, SelectionDraft(""), parents=set(parents), conditions=position.conditions)
        node.add_rule(rule)
        self.nodes.append(node)
        return node

    def _rule_for(self, position: _Position, target: EntityTarget) -> DraftRule:
        """The rule for the objects at the position; its fields are added by `_representation`."""
        place = position.place
        is_own_type = target.typename == place.type
        if position.alike:
            return DraftRule(frozenset(position.alike), None if is_own_type else target.typename, SelectionDraft(""))
        source_types = frozenset({place.type}) if position.path and position.path[-1].startswith("|") else frozenset()
        if source_types and self.graph.is_abstract(place.subgraph or "", place.type):
            source_types = frozenset(self.graph.possible_types(place.subgraph or "", place.type))
        return DraftRule(source_types, target.typename, SelectionDraft(""))

    def _add_representation_fields(
        self,
        draft: SelectionDraft,
        selections: SelectionSet,
        keys: tuple[str, ...],
        conditions: Conditions = ALWAYS,
    ) -> None:
        for item in selections.items:
            if isinstance(item, InlineFragment):
                inner = draft.fragment(item.type_condition) if item.type_condition else draft
                self._add_representation_fields(inner, item.selections, keys, conditions)
            elif item.name == "__typename":
                draft.add_field("__typename", "__typename")
            else:
                # The key to read from the tree; the key to write is the field's own name.
                key = self.response_keys.key_for(keys, item.name, item.arguments)
                child_type = "" if item.selections is not None else None
                entry = draft.add_field(item.name, key, (), conditions, child_type)
                if item.selections is not None and entry.children is not None:
                    self._add_representation_fields(entry.children, item.selections, (*keys, key))


def _can_take(
    node: FetchNode, typename: str, rule: DraftRule, item: Field | InlineFragment, types: tuple[str, ...]
) -> bool:
    """Whether a fetch of entities can also ask for the item, of the objects of `rule`.

    In the subgraph of an interface object, objects of different types are asked for under one name. A fetch for some of
    them is not used for others there: a field may fail for them, or require what they do not send, or have a response
    key that means another field.
    """
    if not node.accepts(rule):
        return False
    if typename in node.draft.fragments and any(known.is_for_others_of_the_type(rule) for known in node.rules):
        return False
    return not node.draft.fragment(*types).contradicts(SelectionSet((item,)))


def _is_one_within_the_other(one: Conditions, other: Conditions) -> bool:
    return set(one) <= set(other) or set(other) <= set(one)


def _without_type_filter(path: Path) -> Path:
    return path[:-1] if path and path[-1].startswith("|") else path


def _reason(step: Moved, others: int) -> str:
    if isinstance(step.item, Field):
        what = f"{step.target.type}.{step.item.name}" + (f" (and of {others} more types)" if others else "")
    else:
        what = f"{step.target.type} as {step.item.type_condition}"
    key = f' by key "{step.key.text}"' if step.key is not None else ""
    requires = f', which requires "{print_field_set(step.requires)}"' if step.requires is not None else ""
    return f"{what}{key}{requires}"
