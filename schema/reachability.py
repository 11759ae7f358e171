"""From where in the query graph can which field be had? Moves by keys, `@requires` and `@provides` included.

An option is a way of being at an object; several ways may be open at once, as where two subgraphs share a field: then
what can be reached from either can be had, for the router may ask both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from router.query_graph import EntityTarget, QueryGraph, provided_selection
from router.selection_set import Field, InlineFragment, SelectionSet
from router.supergraph import TypeKind, print_field_set


@dataclass(frozen=True, slots=True)
class Option:
    """An object as `subgraph` knows it: of type `type` there, with what `@provides` adds on this way."""

    subgraph: str
    type: str
    provided: SelectionSet | None = None

    def __hash__(self) -> int:
        """Without what is provided: to hash a selection takes longer than to compare those of the few options that are alike."""
        return hash((self.subgraph, self.type))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why `subgraph`, which resolves a field, cannot be asked for it; None where there is no such subgraph.

    `is_about_keys` says whether another key would lead there.
    """

    text: str
    subgraph: str | None = None
    is_about_keys: bool = False


class Reachability:
    """Memoises by (object type, option): from equal options the same can be reached.

    Questions come back to themselves: does `T.a`, which requires `b`, lead to `T.b`, which requires `a`? The inner
    question is cut short (`_in_progress`) and answered with no, which is right for the outer one but not for whoever asks
    the inner one by itself later. So nothing is remembered while `_cuts` has grown since the question began.
    """

    def __init__(self, graph: QueryGraph) -> None:
        self.graph = graph
        self.subgraphs = list(graph.supergraph.subgraphs)
        self._root_names = set(graph.supergraph.root_types.values())
        self._closures: dict[tuple[str, Option, frozenset[str]], frozenset[Option]] = {}
        self._after: dict[tuple[str, str, Option], frozenset[Option]] = {}
        self._brought: dict[tuple[Option, str, str, frozenset[Option], frozenset[str]], bool] = {}
        self._in_progress: set[tuple[str, str, str]] = set()
        self._cuts = 0

    def roots(self, name: str) -> frozenset[Option]:
        return frozenset(
            Option(subgraph, name) for subgraph in self.subgraphs if self.graph.view(subgraph, name) is not None
        )

    def narrow(self, options: Iterable[Option], object_type: str) -> frozenset[Option]:
        """The options under which an object at an abstract place can be of this type."""
        return frozenset(narrowed for option in options for narrowed in self._narrow_one(option, object_type))

    def after_field(self, options: Iterable[Option], name: str, field: str) -> frozenset[Option]:
        """The ways of being at the field's value, for an object of type `name`; empty where it cannot be had."""
        if name in self._root_names:
            # Every subgraph can be asked anew, wherever the object comes from.
            resolving = frozenset(Option(subgraph, name) for subgraph in self.graph.subgraphs_resolving(name, field))
            return frozenset(self._direct(resolving, name, field, frozenset()))
        return frozenset(after for option in options for after in self._after_from(option, name, field))

    def around(self, options: Iterable[Option], name: str) -> frozenset[Option]:
        """All options that moves from these lead to; none for a root, where every subgraph can be asked anew."""
        if name in self._root_names:
            return frozenset()
        return frozenset().union(*(self._closure(option, name) for option in options))

    def is_at_hand(self, around: Iterable[Option], field: str) -> bool:
        """Whether one of the options around resolves the field by itself: then `after_field` is not empty."""
        for option in around:
            edge = self.graph.field(option.subgraph, option.type, field)
            if edge is not None and edge.requires is None:
                return True
        return False

    def keys(self, name: str) -> tuple[tuple[str, str], ...]:
        """(subgraph, key) of every key by which an object of the type can be asked for."""
        return tuple((target.subgraph, key.text) for target in self.graph.entity_targets(name) for key in target.keys)

    def reasons(self, options: Iterable[Option], name: str, field: str) -> Iterator[Reason]:
        """Why no option leads to the field: one or more for each subgraph that resolves it."""
        owners = [
            (subgraph, type_name)
            for subgraph in self.subgraphs
            for type_name in self._names_of(subgraph, name)
            if self.graph.field(subgraph, type_name, field) is not None
        ]
        reached = {option.subgraph for start in options for option in self._closure(start, name)}
        if not owners:
            yield Reason(f'no subgraph resolves "{name}.{field}" there')
        for subgraph, type_name in owners:
            edge = self.graph.field(subgraph, type_name, field)
            if subgraph in reached and edge is not None and edge.requires is not None:
                yield Reason(
                    f'subgraph "{subgraph}" resolves it, but what it @requires, "{print_field_set(edge.requires)}", '
                    f"cannot be fetched and brought there by a @key",
                    subgraph,
                )
            else:
                yield from self._reasons_not_to_get_to(subgraph, type_name, name)

    def _reasons_not_to_get_to(self, subgraph: str, type_name: str, name: str) -> Iterator[Reason]:
        targets = [target for target in self.graph.entity_targets(name) if target.subgraph == subgraph]
        if not targets:
            why = f'subgraph "{subgraph}" resolves it, but "{type_name}" has no resolvable @key there'
            yield Reason(why, subgraph, is_about_keys=True)
        for target in targets:
            for key in target.keys:
                why = f'cannot move to subgraph "{subgraph}" by the key "{key.text}": it cannot be fetched before'
                yield Reason(why, subgraph, is_about_keys=True)

    def is_abstract(self, option: Option) -> bool:
        """Whether the subgraph returns an interface or a union there, an interface object included."""
        view = self.graph.view(option.subgraph, option.type)
        return view is not None and (view.kind is not TypeKind.OBJECT or view.is_interface_object)

    def knows_object_type(self, option: Option) -> bool:
        """Whether it can be found out what object type is there: an interface object's subgraph does not know it."""
        if not self.graph.is_interface_object(option.subgraph, option.type):
            return True
        return any(
            not self.graph.is_interface_object(reached.subgraph, reached.type)
            for name in self.possible_types(option)
            for reached in self._closure(option, name)
        )

    # -- being somewhere ---------------------------------------------------------------------------------------

    def _names_of(self, subgraph: str, name: str) -> list[str]:
        """The type itself, and interface objects that stand for it in the subgraph."""
        names = [name] if self.graph.view(subgraph, name) is not None else []
        return names + [
            target.type
            for target in self.graph.entity_targets(name)
            if target.subgraph == subgraph and target.type != name
        ]

    def _narrow_one(self, option: Option, object_type: str) -> Iterator[Option]:
        if self.graph.is_interface_object(option.subgraph, option.type):
            if object_type in self.graph.supergraph_possible_types(option.type):
                yield option
        elif object_type in self.graph.possible_types(option.subgraph, option.type):
            yield Option(option.subgraph, object_type, option.provided)

    def _closure(self, start: Option, name: str, excluded: frozenset[str] = frozenset()) -> frozenset[Option]:
        """All options that moves from `start` lead to, for an object of type `name`.

        `excluded` are subgraphs whose keys are being looked for: what needs them first cannot be a way to them. For
        example, A resolves `T.id`, B has the keys "id" and "sku", C has the key "sku" only:

        * from A, the key "id" can be had at once, so B is reached in the first round;
        * C's "sku" is only to be had from B, so C is reached in the second, which is why rounds go on until nothing moves;
        * whether C can be reached at all asks for "sku" without C (it is excluded): had only C a `sku`, C would be a way
          to its own key.
        """
        known = self._closures.get((name, start, excluded))
        if known is not None:
            return known
        if name in self._root_names:
            return self.roots(name) | {start}
        cuts = self._cuts
        reached = frozenset((start,))
        waiting = self._targets(start, name)
        moved = True
        while moved and waiting:
            moved = False
            for target in list(waiting):
                if not self._can_move(target, name, reached, excluded):
                    continue
                waiting.remove(target)
                arrived = self.narrow((Option(target.subgraph, target.type),), name) - reached
                reached |= arrived
                waiting += [new for each in arrived for new in self._targets(each, name) if new not in waiting]
                moved = True
            there = {(option.subgraph, option.type) for option in reached if option != start}
            waiting = [target for target in waiting if (target.subgraph, target.type) not in there]
        if cuts == self._cuts:
            self._closures[name, start, excluded] = reached
        return reached

    def _can_move(self, target: EntityTarget, name: str, reached: frozenset[Option], excluded: frozenset[str]) -> bool:
        """Whether some key of the target can be had from where one is, without being there."""
        without = excluded | {target.subgraph}
        return target.subgraph not in excluded and any(
            self._can_get(key.fields, name, reached, without) for key in target.keys
        )

    def _targets(self, option: Option, name: str) -> list[EntityTarget]:
        if self.graph.is_interface_object(option.subgraph, option.type):
            # Who does not know the object's type can only move on as the interface.
            return list(self.graph.entity_targets(option.type))
        return list(self.graph.entity_targets(name))

    # -- fields ------------------------------------------------------------------------------------------------

    def _after_from(self, start: Option, name: str, field: str) -> frozenset[Option]:
        known = self._after.get((name, field, start))
        if known is None:
            cuts = self._cuts
            closed = self._closure(start, name)
            known = frozenset(self._direct(closed, name, field, frozenset()))
            if cuts == self._cuts:
                self._after[name, field, start] = known
        return known

    def _direct(self, reached: frozenset[Option], name: str, field: str, excluded: frozenset[str]) -> Iterator[Option]:
        """The field's values from any of the reached options, without another move."""
        for option in reached:
            found, below = provided_selection(self.graph, option.subgraph, option.type, field, option.provided)
            if found:
                declared = self.graph.declared_field(option.subgraph, option.type, field)
                if declared is not None:
                    yield Option(option.subgraph, declared.type, below)
                    continue
            edge = self.graph.field(option.subgraph, option.type, field)
            if edge is None:
                continue
            if edge.requires is None or self._is_brought(edge.requires, option, name, field, reached, excluded):
                yield Option(option.subgraph, edge.type, edge.provides)

    def _is_brought(
        self,
        requires: SelectionSet,
        option: Option,
        name: str,
        field: str,
        reached: frozenset[Option],
        excluded: frozenset[str],
    ) -> bool:
        """Whether what the option's field requires can be had, and be brought to it."""
        known = self._brought.get((option, name, field, reached, excluded))
        if known is not None:
            return known
        question = (option.subgraph, option.type, field)
        if question in self._in_progress:
            self._cuts += 1
            return False
        cuts = self._cuts
        self._in_progress.add(question)
        try:
            brought = self._can_get(requires, name, reached, excluded) and self._can_come_back(
                option, name, reached, excluded
            )
        finally:
            self._in_progress.discard(question)
        if cuts == self._cuts:
            self._brought[option, name, field, reached, excluded] = brought
        return brought

    def _can_come_back(self, option: Option, name: str, reached: frozenset[Option], excluded: frozenset[str]) -> bool:
        """Whether a key leads to where the option is: what a field requires travels with a key, even to where one was."""
        without = excluded | {option.subgraph}
        return any(
            self._can_get(key.fields, name, reached, without)
            for target in self._targets(option, name)
            if target.subgraph == option.subgraph
            for key in target.keys
        )

    def _can_get(
        self, selections: SelectionSet, name: str, options: frozenset[Option], excluded: frozenset[str]
    ) -> bool:
        """Whether every field of the selection can be had for an object of type `name`, from these options alone."""
        return all(self._can_get_item(item, name, options, excluded) for item in selections.items)

    def _can_get_item(
        self, item: Field | InlineFragment, name: str, options: frozenset[Option], excluded: frozenset[str]
    ) -> bool:
        if isinstance(item, InlineFragment):
            condition = item.type_condition
            if condition is None or condition == name or name in self.graph.supergraph_possible_types(condition):
                return self._can_get(item.selections, name, options, excluded)
            return True
        if item.name == "__typename":
            return True
        after = frozenset(self._direct(options, name, item.name, excluded))
        if not after:
            return False
        if item.selections is None:
            return True
        # Whatever object type is found at that place, the rest has to be there too.
        names = {possible for option in after for possible in self.possible_types(option)}
        return all(self._can_get_below(item.selections, each, self.narrow(after, each), excluded) for each in names)

    def _can_get_below(
        self, selections: SelectionSet, name: str, options: frozenset[Option], excluded: frozenset[str]
    ) -> bool:
        reached = frozenset(each for option in options for each in self._closure(option, name, excluded))
        return self._can_get(selections, name, reached, excluded)

    def possible_types(self, option: Option) -> Iterable[str]:
        """The object types that can be found where an option stands."""
        if self.graph.is_interface_object(option.subgraph, option.type):
            return self.graph.supergraph_possible_types(option.type)
        return self.graph.possible_types(option.subgraph, option.type)
