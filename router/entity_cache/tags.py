"""What a kept answer is about: the entities in it, by their keys, as text that an event can name.

An entry is tagged with every entity that it holds; an event about an entity marks its tags, and an entry that is older
than the mark of one of its tags is void. Doubt widens a tag, never narrows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_abstract_type

from router.errors import RouterError
from router.exact_json import scalar_text
from router.selection_set import Field, SelectionSet
from router.supergraph import Supergraph

Tree = dict[str, Any]

#: An entry about more entities of one type than this is tagged with the type: any change of one voids it.
MAX_TAGS_OF_TYPE = 50


class UnknownEntityError(RouterError):
    """A change names a type, or a subgraph, that the graph has not."""


@dataclass(frozen=True, slots=True)
class Change:
    """What an event says: this entity, every entity of this type (no `key`), or all that this subgraph says changed."""

    type_name: str | None = None
    key: Mapping[str, Any] | None = None
    subgraph: str | None = None


class EntityTags:
    """The tags of one supergraph. Pure; made when the graph is loaded."""

    def __init__(self, supergraph: Supergraph) -> None:
        self._schema = supergraph.api_schema
        self._possible_types = supergraph.possible_types
        self.subgraphs = frozenset(supergraph.subgraphs)
        self._keys: dict[str, tuple[_KeyShape, ...]] = {}
        self._interfaces: dict[str, set[str]] = {}
        for view in supergraph.views.values():
            for each in view.values():
                shapes = (_KeyShape(key.fields) for key in each.keys)
                self._keys[each.name] = tuple(dict.fromkeys((*self._keys.get(each.name, ()), *shapes)))
                self._interfaces.setdefault(each.name, set()).update(each.interfaces)

    def of_change(self, change: Change) -> list[str]:
        """Raises UnknownEntityError."""
        if change.subgraph is not None:
            if change.subgraph not in self.subgraphs:
                raise UnknownEntityError(f"There is no subgraph '{change.subgraph}'.")
            return [_of_subgraph(change.subgraph)]
        name = change.type_name or ""
        if not self._keys.get(name) and not any(self._keys.get(each) for each in self._interfaces.get(name, ())):
            raise UnknownEntityError(f"There is no entity type '{name}'.")
        # an interface object knows an entity by its interface, and its other subgraphs by its own type
        names = {name, *self._interfaces.get(name, ()), *self._possible_types(name)}
        return sorted(tag for each in names for tag in self._of_changed_type(each, change.key))

    def _of_changed_type(self, type_name: str, key: Mapping[str, Any] | None) -> Iterator[str]:
        for shape in self._keys.get(type_name, ()):
            value = shape.value_of(key) if key is not None and shape.names == key.keys() else None
            if value is not None:
                yield _of_entity(type_name, shape, value)
                yield _of_others(type_name, shape)
                return
        yield _of_type(type_name)

    def of_entity(self, subgraph: str, representation: Tree, selections: SelectionSet, entity: Any) -> list[str]:
        """Of what `_entities` gave for a representation."""
        type_name = str(representation.get("__typename"))
        tags = _Tags(subgraph)
        self._add(tags, type_name, representation)
        self._walk(tags, selections, type_name, entity)
        return tags.all()

    def of_root(self, subgraph: str, selections: SelectionSet, data: Any) -> list[str]:
        assert self._schema.query_type is not None
        tags = _Tags(subgraph)
        self._walk(tags, selections, self._schema.query_type.name, data)
        return tags.all()

    def _add(self, tags: _Tags, type_name: str, known: Mapping[str, Any]) -> None:
        """`known` are the values of fields by name."""
        shapes = self._keys.get(type_name)
        if not shapes:
            return
        tags.add(type_name, _of_type(type_name))
        for shape in shapes:
            value = shape.value_of(known)
            if value is None or tags.count(type_name) > MAX_TAGS_OF_TYPE:
                tags.add(type_name, _of_others(type_name, shape))
            else:
                tags.add(type_name, _of_entity(type_name, shape, value))

    def _walk(self, tags: _Tags, selections: SelectionSet, type_name: str, data: Any) -> None:
        if data.__class__ is list:
            for each in data:
                self._walk(tags, selections, type_name, each)
            return
        if data.__class__ is not dict:
            return
        for item in selections.items:
            if not isinstance(item, Field):
                inner = item.type_condition or type_name
                self._walk(tags, item.selections, inner if self._is_narrower(inner, type_name) else type_name, data)
            elif item.selections is not None and data.get(item.response_key) is not None:
                result_type = self._result_type(type_name, item.name)
                if result_type is None:
                    raise UnknownEntityError(f"{type_name}.{item.name} is not known here.")
                self._enter(tags, item.selections, result_type, data[item.response_key])

    def _enter(self, tags: _Tags, selections: SelectionSet, type_name: str, value: Any) -> None:
        """An object, or objects, that a field gave."""
        if value.__class__ is list:
            for each in value:
                self._enter(tags, selections, type_name, each)
        elif value.__class__ is dict:
            told = value.get("__typename")
            is_told = told.__class__ is str and told in self._schema.type_map
            known = {item.name: value.get(item.response_key) for item in _plain_fields(selections)}
            for each in (told, type_name) if is_told else (type_name, *self._possible_types(type_name)):
                self._add(tags, str(each), known)
            self._walk(tags, selections, str(told) if is_told else type_name, value)

    def _is_narrower(self, condition: str, type_name: str) -> bool:
        return condition in self._possible_types(type_name) or is_abstract_type(self._schema.type_map.get(type_name))

    def _result_type(self, type_name: str, field_name: str) -> str | None:
        type_ = self._schema.type_map.get(type_name)
        if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) or field_name not in type_.fields:
            return None
        return str(get_named_type(type_.fields[field_name].type).name)


class _Tags:
    """Of one entry, each once."""

    def __init__(self, subgraph: str) -> None:
        self._subgraph = subgraph
        self._by_type: dict[str, dict[str, None]] = {}

    def add(self, type_name: str, tag: str) -> None:
        self._by_type.setdefault(type_name, {})[tag] = None

    def count(self, type_name: str) -> int:
        return len(self._by_type.get(type_name, ()))

    def all(self) -> list[str]:
        return [_of_subgraph(self._subgraph), *(tag for tags in self._by_type.values() for tag in tags)]


@dataclass(frozen=True, slots=True, init=False)
class _KeyShape:
    """The fields of one `@key`."""

    fields: SelectionSet
    text: str
    names: frozenset[str]

    def __init__(self, fields: SelectionSet) -> None:
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "text", orjson.dumps(_names_in(fields)).decode())
        object.__setattr__(self, "names", frozenset(item.name for item in fields.items if isinstance(item, Field)))

    def value_of(self, values: Mapping[str, Any] | None) -> str | None:
        """The key's values as text; None where one is missing."""
        found = _restricted(self.fields, values)
        return None if found is None else orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode()


def _restricted(fields: SelectionSet, values: Any) -> Any:
    if values.__class__ is list:
        inner = [_restricted(fields, each) for each in values]
        return None if None in inner else inner
    if not isinstance(values, Mapping):
        return None
    found: Tree = {}
    for item in fields.items:
        if not isinstance(item, Field):
            return None
        if item.name == "__typename":
            continue
        value = values.get(item.name)
        inside = _text_of(value) if item.selections is None else _restricted(item.selections, value)
        if inside is None:
            return None
        found[item.name] = inside
    return found


def _text_of(value: Any) -> Any:
    """Scalars as text, for an event may write the ID "7" as 7."""
    if value is None or isinstance(value, dict):
        return None
    if isinstance(value, list):
        return [_text_of(each) for each in value]
    return scalar_text(value)


def _names_in(fields: SelectionSet) -> list[Any]:
    names = [
        [item.name, _names_in(item.selections)] if item.selections is not None else item.name
        for item in fields.items
        if isinstance(item, Field)
    ]
    return sorted(names, key=str)


def _plain_fields(selections: SelectionSet) -> Iterable[Field]:
    return (item for item in selections.items if isinstance(item, Field) and not item.arguments)


def _of_entity(type_name: str, shape: _KeyShape, value: str) -> str:
    return f"{type_name}{shape.text}{value}"


def _of_others(type_name: str, shape: _KeyShape) -> str:
    """Of entries that do not tell the fields of this key: any entity that changed by that key may be theirs."""
    return f"{type_name}{shape.text}?"


def _of_type(type_name: str) -> str:
    return f"{type_name}*"


def _of_subgraph(name: str) -> str:
    return f":{name}"
