"""The fetch graph: what is asked of which subgraph at which path, and what waits for what.

Filled by `build`, put in order by `assemble`. The only mutable data of the planner.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from router.query_plan import ContextVariable, Path
from router.selection_set import Argument, Condition, Field, InlineFragment, SelectionSet


@dataclass(slots=True)
class FieldEntry:
    """One field of a fetch; `children` is None for a leaf."""

    name: str
    response_key: str
    arguments: tuple[Argument, ...]
    conditions: tuple[Condition, ...]
    children: SelectionDraft | None
    #: the alias that the subgraph is asked under, where two members of an abstract type disagree about a type
    sent_key: str | None = None


@dataclass(slots=True)
class SelectionDraft:
    """A selection set of a fetch while it grows; `type` is its type in the fetch's subgraph."""

    type: str
    fields: dict[tuple[str, tuple[Condition, ...]], FieldEntry] = field(default_factory=dict)
    fragments: dict[str, SelectionDraft] = field(default_factory=dict)

    def add_field(
        self,
        name: str,
        response_key: str,
        arguments: tuple[Argument, ...] = (),
        conditions: tuple[Condition, ...] = (),
        child_type: str | None = None,
    ) -> FieldEntry:
        """The entry for the field, made where it is new."""
        unconditional = self.fields.get((response_key, ()))
        if unconditional is not None and unconditional.children is None:
            return unconditional
        key = (response_key, conditions)
        if key not in self.fields:
            children = SelectionDraft(child_type) if child_type is not None else None
            self.fields[key] = FieldEntry(name, response_key, arguments, conditions, children)
        return self.fields[key]

    def fragment(self, type_name: str) -> SelectionDraft:
        if type_name == self.type:
            return self
        if type_name not in self.fragments:
            self.fragments[type_name] = SelectionDraft(type_name)
        return self.fragments[type_name]

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
                if (entry.name, entry.arguments) != (item.name, item.arguments):
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
                known = self.fields[key] = replace(
                    entry, children=SelectionDraft(entry.children.type) if entry.children is not None else None
                )
            if known.children is not None and entry.children is not None:
                known.children.absorb(entry.children)
        for name, fragment in other.fragments.items():
            self.fragment(name).absorb(fragment)

    def to_selection_set(self) -> SelectionSet:
        """Fields in the order they were added, then fragments; an object with nothing asked is asked its type."""
        items: list[Field | InlineFragment] = [
            Field(
                entry.name,
                entry.sent_key or entry.response_key,
                entry.arguments,
                entry.children.to_selection_set() if entry.children is not None else None,
                entry.conditions,
            )
            for entry in self.fields.values()
        ]
        items += [
            InlineFragment(name, fragment.to_selection_set())
            for name, fragment in self.fragments.items()
            if not fragment.is_empty()
        ]
        return SelectionSet(tuple(items) or (Field("__typename", "__typename"),))


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
        return self.typename == other.typename and self.fields.agrees_with(other.fields)

    def is_for_others_of_the_type(self, other: DraftRule) -> bool:
        """Whether other objects are asked for under one type, as those that an interface object stands for are."""
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
    #: conditions of the fields that lead to the entities; where they do not hold, keys may be missing
    conditions: tuple[Condition, ...] = ()
    is_root: bool = False

    def level(self) -> int:
        """How many fetches have to answer one after the other before this one."""
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
        """The rules, each with the fields of those that cover it: an object follows its narrowest rule only."""
        complete = []
        for rule in self.rules:
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
