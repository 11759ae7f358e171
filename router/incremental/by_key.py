"""What a deferred part asks of the items of a list, asked by their key: null in one of them then leaves the others alone.

Called by `share_fetches`. A part that goes the way to its objects again is one operation, in which a subgraph makes a whole
list null for one item that must not be.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from router.query_plan import EntityFetch, EntityLookup, Fetch, Path, RepresentationRule
from router.selection_set import Field, InlineFragment, SelectionSet
from router.supergraph import Key, SubgraphField, SubgraphType, Supergraph, TypeKind


def asked_by_key(
    fetch: Fetch, known: Iterable[Fetch], supergraph: Supergraph
) -> tuple[Fetch | None, EntityFetch | None]:
    """What is left of the fetch, and what can be asked by keys that the `known` fetches bring.

    Example: `{ org { users { id bio } } }` with `bio: String!` and `users: [User!]`, of a part that is deferred inside
    `{ org { users { id } } }`. Asked through `org`, one user without a bio would make the whole list null. So nothing
    is left of the fetch, and `_entities` is asked for `... on User { bio }` of every user: null there concerns one user
    only.
    """
    if fetch.operation_type != "query" or fetch.path or fetch.renames:
        return fetch, None
    splitter = _Splitter(supergraph.views[fetch.subgraph])
    brought = [each.selections for each in known if each.subgraph == fetch.subgraph and not each.path]
    rest, lookups = splitter.split(fetch.selections, brought, supergraph.root_types["query"], ())
    if not lookups:
        return fetch, None
    types = dict(fetch.variables)
    entities = EntityFetch(
        fetch.subgraph,
        tuple(lookups),
        used_variables(types, (lookup.selections for lookup in lookups)),
        f"deferred fields of list items in {fetch.subgraph}",
    )
    if not rest.items:
        return None, entities
    return replace(fetch, selections=rest, variables=used_variables(types, [rest])), entities


def used_variables(types: dict[str, str], selection_sets: Iterable[SelectionSet]) -> tuple[tuple[str, str], ...]:
    """Those of the variables, with their types, that the selections mention."""
    names = {name for selections in selection_sets for name in selections.variables()}
    return tuple((name, text) for name, text in types.items() if name in names)


@dataclass(frozen=True, slots=True)
class _Splitter:
    view: dict[str, SubgraphType]  # types as the subgraph knows them

    def split(
        self,
        selections: SelectionSet,
        known: list[SelectionSet],
        type_name: str,
        path: Path,
        *,
        spoils: bool = False,
    ) -> tuple[SelectionSet, list[EntityLookup]]:
        """What still has to be asked through these fields, and the lookups for items of lists below and for objects in
        the items, the innermost first.

        `spoils`: null for this object would be null for the list that it stands in.
        """
        rest: list[Field | InlineFragment] = []
        lookups: list[EntityLookup] = []
        for item in selections.items:
            if isinstance(item, InlineFragment):
                narrowed, found = self._narrowed(item, known, type_name, path, spoils=spoils)
                lookups += found
                rest += narrowed
                continue
            field = self._field(type_name, item.name)
            if field is None or item.selections is None:
                rest.append(item)
                continue
            place = (*path, item.response_key, *("@",) * field.list_depth)
            inner, found = self._below(field, item.selections, _below(known, item.response_key), place, spoils=spoils)
            lookups += found
            if inner.items:
                rest.append(replace(item, selections=inner))
        left = SelectionSet(tuple(rest))
        if lookups and all(item.selections is None for item in rest) and not _news(left, known).items:
            left = SelectionSet()
        return left, lookups

    def _narrowed(
        self, item: InlineFragment, known: list[SelectionSet], type_name: str, path: Path, *, spoils: bool
    ) -> tuple[list[InlineFragment], list[EntityLookup]]:
        """The same for a fragment. Under a condition it stays as it is: a lookup has none."""
        inner_type = item.type_condition or type_name
        if item.conditions or (inner_type != type_name and not path):
            return [item], []
        types = self._possible(inner_type)
        place = path if inner_type == type_name else (*path, f"|{'|'.join(types)}|")
        inside = [_of_types(each, types, self) for each in known]
        inner, found = self.split(item.selections, inside, inner_type, place, spoils=spoils)
        return ([replace(item, selections=inner)] if inner.items else []), found

    def _possible(self, type_name: str) -> tuple[str, ...]:
        """The object types that an object of the type may be of in the subgraph."""
        type_ = self.view.get(type_name)
        is_abstract = type_ is not None and type_.kind is not TypeKind.OBJECT
        return tuple(sorted(type_.possible_types)) if type_ is not None and is_abstract else (type_name,)

    def has_only(self, condition: str | None, types: tuple[str, ...]) -> bool:
        """Whether objects of each of the types fulfil a fragment's condition."""
        return condition is None or {*types} <= {condition, *self._possible(condition)}

    def _below(
        self, field: SubgraphField, selections: SelectionSet, known: list[SelectionSet], place: Path, *, spoils: bool
    ) -> tuple[SelectionSet, list[EntityLookup]]:
        """The same for what is below a field; all of it by key where null would spoil siblings."""
        spoils = _leaves_item(field) if field.list_depth else spoils and field.type_text.endswith("!")
        inner, lookups = self.split(selections, known, field.type, place, spoils=spoils)
        if spoils and self._may_be_nulled(field.type, _news(inner, known)):
            lookup = self._lookup(field.type, inner, known, place)
            if lookup is not None:
                return SelectionSet(), [*lookups, lookup]
        return inner, lookups

    def _field(self, type_name: str, name: str) -> SubgraphField | None:
        type_ = self.view.get(type_name)
        return type_.fields.get(name) if type_ is not None else None

    def _may_be_nulled(self, type_name: str, selections: SelectionSet) -> bool:
        """Whether null for one of the fields would be null for their object."""
        for item in selections.items:
            if isinstance(item, InlineFragment):
                if self._may_be_nulled(item.type_condition or type_name, item.selections):
                    return True
            elif item.name != "__typename":
                field = self._field(type_name, item.name)
                if field is None or field.type_text.endswith("!"):
                    return True
        return False

    def _lookup(
        self, type_name: str, selections: SelectionSet, known: list[SelectionSet], path: Path
    ) -> EntityLookup | None:
        """None where some of the items have no key that is known."""
        types = self._possible(type_name)
        source_types = types if types != (type_name,) else ()
        if source_types and not any(_is_type_name(item) for each in known for item in each.items):
            return None
        rules, asked = [], []
        for each in types:
            fields = _of_types(selections, (each,), self)
            inside = [_of_types(brought, (each,), self) for brought in known]
            if all(map(_is_type_name, _news(fields, inside).items)):
                continue
            key = self._known_key(each, inside)
            if key is None or not self._resolves(each, fields):
                return None
            rules.append(RepresentationRule(frozenset(source_types and (each,)), each, key.fields))
            asked.append(InlineFragment(each, _without_key(fields, key)))
        return EntityLookup((path,), tuple(rules), SelectionSet(tuple(asked))) if rules else None

    def _resolves(self, type_name: str, selections: SelectionSet) -> bool:
        """Whether the subgraph resolves all of it wherever it is asked: not what it provides on the way of the list only."""
        for item in selections.items:
            if isinstance(item, InlineFragment):
                if not self._resolves(item.type_condition or type_name, item.selections):
                    return False
            elif item.name != "__typename":
                field = self._field(type_name, item.name)
                if field is None or (field.external and not self._is_in_key(type_name, item.name)):
                    return False
                if item.selections is not None and not self._resolves(field.type, item.selections):
                    return False
        return True

    def _is_in_key(self, type_name: str, name: str) -> bool:
        keys = self.view[type_name].keys
        return any(isinstance(item, Field) and item.name == name for key in keys for item in key.fields.items)

    def _known_key(self, type_name: str, known: list[SelectionSet]) -> Key | None:
        type_ = self.view.get(type_name)
        if type_ is None or type_.kind is not TypeKind.OBJECT:
            return None
        return next((key for key in type_.keys if key.resolvable and _is_plain(key, known)), None)


def _of_types(selections: SelectionSet, types: tuple[str, ...], view: _Splitter) -> SelectionSet:
    """What of the selections is asked of an object of each of the types, with the fragments on the way opened."""
    items: list[Field | InlineFragment] = []
    for item in selections.items:
        if isinstance(item, Field):
            items.append(item)
        elif view.has_only(item.type_condition, types):
            inner = _of_types(item.selections, types, view)
            items += [replace(item, type_condition=None, selections=inner)] if item.conditions else inner.items
    return SelectionSet(tuple(items))


def _without_key(fields: SelectionSet, key: Key) -> SelectionSet:
    return SelectionSet(
        tuple(item for item in fields.items if item not in key.fields.items and not _is_type_name(item))
    )


def _is_type_name(item: Field | InlineFragment) -> bool:
    return isinstance(item, Field) and item.name == item.response_key == "__typename"


def _leaves_item(field: SubgraphField) -> bool:
    """Whether null for an item of the list would be null for the list."""
    return f"{field.type}!]" in field.type_text


def _is_plain(key: Key, known: list[SelectionSet]) -> bool:
    """Whether all its fields are leaves that are known under their own names."""
    brought = {item for each in known for item in each.items}
    return all(isinstance(item, Field) and item.selections is None and item in brought for item in key.fields.items)


def _below(known: list[SelectionSet], response_key: str) -> list[SelectionSet]:
    return [
        item.selections
        for each in known
        for item in each.items
        if isinstance(item, Field) and item.response_key == response_key and item.selections is not None
    ]


def _news(selections: SelectionSet, known: list[SelectionSet]) -> SelectionSet:
    """What is not known already: keys are asked again, to tell objects apart."""
    brought = {item for each in known for item in each.items}
    return SelectionSet(tuple(item for item in selections.items if item not in brought))
