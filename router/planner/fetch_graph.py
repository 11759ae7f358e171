"""The fetch graph: what is asked of which subgraph at which path, and what waits for what.

Filled by `build`, given internal aliases by `conflicts`, put in order by `assemble`; nodes and drafts change in place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from router.planner.conditions import ALWAYS, Conditions, any_of, either, in_common, is_implied_by, joined, without
from router.query_plan import AnyOf, ContextVariable, Path
from router.selection_set import Argument, Field, InlineFragment, SelectionSet


@dataclass(slots=True)
class FieldEntry:
    """One field of a fetch; `children` is None for a leaf."""

    name: str
    response_key: str
    arguments: tuple[Argument, ...]
    conditions: Conditions
    children: SelectionDraft | None
    #: the alias that the subgraph is asked under, where two members of an abstract type disagree about a type
    sent_key: str | None = None


@dataclass(slots=True)
class SelectionDraft:
    """A selection set of a fetch while it grows; `type` is its type in the fetch's subgraph. One for several types is
    written once for each of them; `type` is then the first.
    """

    type: str
    types: tuple[str, ...] = ()
    fields: dict[tuple[str, Conditions], FieldEntry] = field(default_factory=dict)
    fragments: dict[str, SelectionDraft] = field(default_factory=dict)

    def add_field(
        self,
        name: str,
        response_key: str,
        arguments: tuple[Argument, ...] = (),
        conditions: Conditions = ALWAYS,
        child_type: str | None = None,
    ) -> FieldEntry:
        """The entry for the field, made where it is new."""
        slot = _slot(response_key, arguments) if child_type is None and arguments else response_key
        known = self.fields.get((slot, ALWAYS))
        if known is not None and (known.children is None or not conditions):
            return known
        if conditions:
            known = self.fields.get((slot, conditions))
        if known is None:
            children = SelectionDraft(child_type) if child_type is not None else None
            known = FieldEntry(name, response_key, arguments, conditions, children)
            self.fields[slot, conditions] = known
        return known

    def fragment(self, *type_names: str) -> SelectionDraft:
        """What is asked of objects of the type, or of these types alike."""
        if type_names == (self.type,):
            return self
        key = "|".join(type_names)
        if key not in self.fragments:
            self.fragments[key] = SelectionDraft(type_names[0], type_names)
        return self.fragments[key]

    def contradicts(self, selections: SelectionSet) -> bool:
        """Whether a response key would stand for two different fields if `selections` were asked here too."""
        for item in selections.items:
            if isinstance(item, InlineFragment):
                if self.contradicts(item.selections):
                    return True
                continue
            for entry in self.top_level_fields():
                if entry.response_key != item.response_key:
                    continue
                if (entry.name, _plain(entry.arguments)) != (item.name, _plain(item.arguments)):
                    return True
                if entry.children is not None and item.selections and entry.children.contradicts(item.selections):
                    return True
        return False

    def is_empty(self) -> bool:
        return not self.fields and all(fragment.is_empty() for fragment in self.fragments.values())

    def top_level_fields(self) -> Iterator[FieldEntry]:
        yield from self.fields.values()
        for fragment in self.fragments.values():
            yield from fragment.top_level_fields()

    def count_fields(self) -> int:
        own = sum(1 + (entry.children.count_fields() if entry.children else 0) for entry in self.fields.values())
        return own + sum(fragment.count_fields() for fragment in self.fragments.values())

    def agrees_with(self, other: SelectionDraft) -> bool:
        """Whether no field name stands for two response keys, so that both can become one representation."""
        mine = {entry.name: entry for entry in self.fields.values()}
        for entry in other.fields.values():
            known = mine.get(entry.name)
            if known is None:
                continue
            if known.response_key != entry.response_key:
                return False
            if known.children and entry.children and not known.children.agrees_with(entry.children):
                return False
        return all(
            fragment.agrees_with(other.fragments[name])
            for name, fragment in self.fragments.items()
            if name in other.fragments
        )

    def absorb(self, other: SelectionDraft) -> None:
        for key, entry in other.fields.items():
            known = self.fields.get(key)
            if known is None:
                children = SelectionDraft(entry.children.type) if entry.children is not None else None
                known = self.fields[key] = FieldEntry(
                    entry.name, entry.response_key, entry.arguments, entry.conditions, children, entry.sent_key
                )
            if known.children is not None and entry.children is not None:
                known.children.absorb(entry.children)
        for fragment in other.fragments.values():
            self.fragment(*fragment.types).absorb(fragment)

    def add_conditions(self, conditions: Conditions) -> None:
        """Ask for every field here only where these conditions hold too, except for `__typename`, which may always be
        asked. Fields that differed in these conditions only become one: `b @include(if: $v) { x } b { y }` under `$v` is
        `b @include(if: $v) { x y }`.
        """
        entries = list(self.fields.values())
        self.fields.clear()
        for entry in entries:
            if entry.name != "__typename":
                entry.conditions = joined(conditions, entry.conditions)
            known = self.fields.setdefault((_slot_of(entry), entry.conditions), entry)
            if known is not entry and known.children is not None and entry.children is not None:
                known.children.absorb(entry.children)
        for fragment in self.fragments.values():
            fragment.add_conditions(conditions)

    def to_selection_set(self, given: AnyOf = (ALWAYS,)) -> SelectionSet:
        """Fields in the order they were added, then fragments; an object with nothing asked is asked its type.

        One of the `given` holds wherever this is read: conditions that follow from it are left out.
        """
        items: list[Field | InlineFragment] = []
        leaves: dict[str, AnyOf] | None = None
        for entry in self.fields.values():
            selections = entry.children.to_selection_set() if entry.children is not None else None
            key = entry.sent_key or entry.response_key
            if not entry.conditions:
                items.append(Field(entry.name, key, entry.arguments, selections))
                continue
            alternatives: AnyOf = (entry.conditions,)
            if entry.children is None:
                # needed for several others, it stands here once for each of them and is written with the first
                leaves = self._conditional_leaves() if leaves is None else leaves
                alternatives = leaves.pop(_slot_of(entry), ())
            if any(is_implied_by(conditions, given) for conditions in alternatives):
                alternatives = (ALWAYS,)
            items += [Field(entry.name, key, entry.arguments, selections, each) for each in alternatives]
        for fragment in self.fragments.values():
            if not fragment.is_empty():
                inner = fragment.to_selection_set(given)
                items += [InlineFragment(name, inner) for name in fragment.types]
        return SelectionSet(tuple(items) or (Field("__typename", "__typename"),))

    def _conditional_leaves(self) -> dict[str, AnyOf]:
        """When leaves are asked that are not always, by response key and custom directives."""
        leaves: dict[str, AnyOf] = {}
        for entry in self.fields.values():
            slot = _slot_of(entry)
            if entry.children is None and entry.conditions and (slot, ALWAYS) not in self.fields:
                leaves[slot] = either(leaves.get(slot, ()), entry.conditions)
        return leaves


def _plain(arguments: tuple[Argument, ...]) -> list[Argument]:
    return [each for each in arguments if each.directive_at is None]


def _slot_of(entry: FieldEntry) -> str:
    return entry.response_key if entry.children is not None else _slot(entry.response_key, entry.arguments)


def _slot(response_key: str, arguments: tuple[Argument, ...]) -> str:
    """A leaf that occurs with several sets of custom directives is asked with each of them, under its conditions: the
    subgraph joins what is on.
    """
    return response_key + "".join(f"@{each.name}{each.value}" for each in arguments if each.directive_at is not None)


@dataclass(slots=True)
class DraftRule:
    """A representation rule while it grows: `fields` is a draft so that keys and required fields merge."""

    source_types: frozenset[str]
    typename: str | None
    fields: SelectionDraft

    def agrees_with(self, other: DraftRule) -> bool:
        """Two rules for the same objects must send the same type and not two values under one name."""
        if self.source_types and other.source_types:
            common = self.source_types & other.source_types
            if not common:
                return True
            if common not in (self.source_types, other.source_types):
                return False  # a rule for just the common types would be needed
        says_same = self.typename == other.typename or (self.says_own_type and other.says_own_type)
        return says_same and self.fields.agrees_with(other.fields)

    @property
    def says_own_type(self) -> bool:
        """Whether the representation of an object names the object's own `__typename`."""
        return self.typename is None or self.source_types == {self.typename}

    def is_for_others_of_the_type(self, other: DraftRule) -> bool:
        """Whether the rule sends other objects than the other rule's under the same type name, as happens in the
        subgraph of an interface object.
        """
        may_be_one_type = self.typename == other.typename or None in (self.typename, other.typename)
        return may_be_one_type and self.source_types != other.source_types

    def covers(self, other: DraftRule) -> bool:
        """Whether every object of the other rule is one of this rule too."""
        return not self.source_types or (bool(other.source_types) and other.source_types <= self.source_types)


@dataclass(slots=True, eq=False)
class FetchNode:
    """One fetch: a root operation, or entities made by `rules`; `parents` must have answered before it is sent."""

    subgraph: str
    path: Path
    draft: SelectionDraft
    operation_type: str = "query"
    rules: list[DraftRule] = field(default_factory=list)
    parents: set[FetchNode] = field(default_factory=set)
    reasons: list[str] = field(default_factory=list)
    #: context variables with their types
    contexts: dict[ContextVariable, str] = field(default_factory=dict)
    #: conditions of the fields that lead to the entities; where they do not hold, there are none
    conditions: Conditions = ALWAYS
    #: in which alternatives anything is asked of these entities, given that `conditions` hold
    needed: AnyOf = ()
    is_root: bool = False

    def need(self, conditions: Conditions) -> None:
        """Note that something is asked of this fetch where these conditions hold."""
        self.needed = either(self.needed, conditions)

    def common_conditions(self) -> Conditions:
        """The conditions without which nothing is asked of this fetch."""
        if ALWAYS in self.needed:
            return self.conditions
        return joined(self.conditions, in_common(self.needed))

    def loosen(self, conditions: Conditions) -> None:
        """Reduces the node's conditions to these, which are some of them, so that something can be added that is asked
        under these alone. The conditions that the node loses go down to the fields that it asks for already.

        Example: a node under `$a and $b` that asks for `x`, loosened to `$a`, stands under `$a` and asks for
        `x @include(if: $b)`.
        """
        own = without(self.conditions, conditions)
        if own:
            self.conditions = conditions
            self.needed = any_of(joined(own, each) for each in self.needed)
            self.draft.add_conditions(own)
            for rule in self.rules:
                rule.fields.add_conditions(own)

    def level(self) -> int:
        """The length of the longest chain of fetches that must answer before this one is sent."""
        if not any(parent.parents for parent in self.parents):
            return 1 if self.parents else 0
        known: dict[FetchNode, int] = {}

        def level_of(node: FetchNode) -> int:
            if node not in known:
                known[node] = 1 + max((level_of(parent) for parent in node.parents), default=-1)
            return known[node]

        return level_of(self)

    def waits_for(self, other: FetchNode) -> bool:
        waiting, seen = [self], {self}
        while waiting:
            node = waiting.pop()
            if node is other:
                return True
            waiting += node.parents - seen
            seen |= node.parents
        return False

    def accepts(self, rule: DraftRule) -> bool:
        """Whether entities of the rule can be asked together with those of the rules that are here."""
        return all(known.agrees_with(rule) for known in self.rules)

    def complete_rules(self) -> list[DraftRule]:
        """The rules, each with the fields of those that cover it, from many types to few. An object is represented by
        one rule only, the last of its type, so that one must have all fields which the subgraph needs of the object.
        """
        if len(self.rules) == 1:
            return self.rules
        complete = []
        for rule in sorted(self.rules, key=lambda rule: -len(rule.source_types)):
            fields = SelectionDraft("")
            for other in self.rules:
                if other.covers(rule):
                    fields.absorb(other.fields)
            complete.append(DraftRule(rule.source_types, rule.typename, fields))
        return complete

    def add_rule(self, rule: DraftRule) -> None:
        for known in self.rules:
            if known.source_types == rule.source_types and known.typename == rule.typename:
                known.fields.absorb(rule.fields)
                return
        self.rules.append(rule)
