"""The model of a random federated graph: types, fields, and how each subgraph takes part in them.

Made by `random_supergraph`, printed by `random_sdl`, filled by `random_world`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Labels of progressive overrides with which random graphs are asked.
ACTIVE_LABELS = frozenset({"on_beta"})
SCALARS = ("Int", "Float", "String", "Boolean", "ID", "Json")


class UnplaceableError(Exception):
    """The random choices contradict each other; the caller tries the next seed."""


@dataclass(slots=True)
class RandomField:
    """A field of the whole graph and how each subgraph takes part in it."""

    name: str
    named_type: str
    wrapping: str  # "{}", "{}!", "[{}]", "[{}!]!" ...
    arguments: str = ""
    owners: set[str] = field(default_factory=set)  # subgraphs that resolve it
    external_in: set[str] = field(default_factory=set)
    requires: str = ""  # the owner is then alone
    provides: dict[str, str] = field(default_factory=dict)
    overridden_in: str = ""  # still defined there, but no longer asked
    override_label: str = ""
    inaccessible: bool = False
    clean: bool = False  # used by keys or @requires: no errors, no null where the type forbids it
    strict_in: set[str] = field(default_factory=set)  # subgraphs that declare it without any null
    extra_argument_in: set[str] = field(default_factory=set)  # owners with an argument that the others do not have
    required_argument_in: set[str] = field(default_factory=set)  # owners whose arguments must all be given
    context: tuple[str, str] | None = None  # (type further up, its field) that fill the argument "c"

    def is_defined_in(self, subgraph: str) -> bool:
        return subgraph in self.owners or subgraph in self.external_in or subgraph == self.overridden_in

    @property
    def is_list(self) -> bool:
        return self.wrapping.startswith("[")

    @property
    def strict_wrapping(self) -> str:
        """The same wrapping with every null forbidden."""
        return self.wrapping.replace("!", "").replace("]", "]!").replace("}", "}!")


@dataclass(slots=True)
class RandomType:
    """`kind`: "entity", "value", "split", "interface", "entity_interface", "union", "enum", "root".

    A "split" type has no key and its fields are spread: it is only had from fields that all its subgraphs share.
    """

    name: str
    kind: str
    fields: dict[str, RandomField] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    placements: dict[str, list[str]] = field(default_factory=dict)  # subgraph -> its keys ("!key" is not resolvable)
    members: list[str] = field(default_factory=list)  # of a union or interface, in the whole graph
    members_in: dict[str, list[str]] = field(default_factory=dict)
    object_in: set[str] = field(default_factory=set)  # subgraphs where an entity interface is an interface object
    extra_id_in: set[str] = field(default_factory=set)  # subgraphs that resolve `id` though it is not their key
    context_in: set[str] = field(default_factory=set)  # subgraphs where it sets a context, named after it
    missing_in: str = ""  # a subgraph that does not know some of the objects
    is_hidden: bool = False  # of a root other than the query's: clients see nothing of it

    def resolvable_in(self) -> list[str]:
        """The subgraphs that can be asked for an entity of this type."""
        return [name for name, keys in self.placements.items() if any(not key.startswith("!") for key in keys)]

    def fields_in(self, subgraph: str) -> list[RandomField]:
        """The fields that one subgraph's definition of this type has."""
        if self.kind == "value":
            return list(self.fields.values())
        names = {name for key in self.placements.get(subgraph, ()) for name in key_field_names(key)}
        if subgraph in self.extra_id_in:
            names.add("id")
        return [f for f in self.fields.values() if f.name in names or f.is_defined_in(subgraph)]


@dataclass(slots=True)
class RandomSupergraph:
    subgraphs: list[str]
    types: dict[str, RandomType]
    federation_1: set[str] = field(default_factory=set)  # subgraphs written for version 1
    has_directive: bool = False  # an executable one, which all subgraphs know
    nests_interfaces: bool = False  # one implements another wherever its members are the other's

    def concrete(self, type_name: str) -> list[str]:
        kind = self.types.get(type_name)
        return kind.members if kind is not None and kind.members else [type_name]

    def requires(self) -> dict[tuple[str, str], RandomField]:
        """All computed fields by (object type, field name)."""
        return {
            (concrete, item.name): item
            for kind in self.types.values()
            for item in kind.fields.values()
            if item.requires
            for concrete in self.concrete(kind.name)
        }

    def contextual(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Fields with an argument from above by (object type, field name)."""
        return {
            (kind.name, item.name): item.context
            for kind in self.types.values()
            for item in kind.fields.values()
            if item.context is not None
        }


def key_field_names(key: str) -> set[str]:
    """The top-level fields of a key such as "!origin { code } id"."""
    names, depth = set(), 0
    for token in key.removeprefix("!").split():
        depth += (token == "{") - (token == "}")
        if depth == 0 and token != "}":
            names.add(token)
        elif depth == 1 and token == "{":
            continue
    return names
