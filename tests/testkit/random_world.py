"""Random facts for a RandomSupergraph: entities, references, nulls, planned errors. Used by the property test."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.testkit.random_model import ACTIVE_LABELS, RandomField, RandomSupergraph, RandomType, UnplaceableError
from tests.testkit.random_sdl import clean_name
from tests.testkit.subgraph_schema import field_set
from tests.testkit.world import JsonObject, World

TEXTS = ("", "a", "été ☕", 'say "hi"', "back\\slash", "line\nbreak", "null", "x" * 40, "\u2028", "0")
JSONS: tuple[Any, ...] = (
    {"a": [1, {"b": None}]},
    [],
    {},
    12345678901234567,
    2**64,
    [-(10**30), {"deep": 2**70}],
    [True, 1, 1.0, -0.0],
    "text",
    [[1], [2.5]],
    False,
    True,
    1,
    1.0,
    0,
    -0.0,
)
NULL_CHANCE, ERROR_CHANCE, VIOLATION_CHANCE = 0.08, 0.02, 0.01


def random_world(supergraph: RandomSupergraph, rng: Random) -> World:
    return _WorldBuilder(supergraph, rng).build()


class _WorldBuilder:
    def __init__(self, supergraph: RandomSupergraph, rng: Random) -> None:
        self.supergraph, self.rng = supergraph, rng
        self.labels: dict[str, list[str]] = {}
        self.objects: dict[str, JsonObject] = {}
        self.with_errors = rng.random() < 0.5
        self.depth = 0  # of values inside values

    def build(self) -> World:
        entities = [kind for kind in self.supergraph.types.values() if kind.kind == "entity"]
        contextual = {place: (above, field_set(name)) for place, (above, name) in self.supergraph.contextual().items()}
        for kind in entities:
            self.labels[kind.name] = [f"{kind.name}_{index}" for index in range(self.rng.randint(1, 4))]
        for kind in entities:
            for index, label in enumerate(self.labels[kind.name]):
                self.objects[label] = self._entity(kind, index)
        roots = {name: self._root(name) for name in ("Query", "Mutation", "Subscription")}
        implementations = {
            kind.name: frozenset(kind.members)
            for kind in self.supergraph.types.values()
            if kind.kind in ("interface", "entity_interface", "union")
        }
        return World(self.objects, roots, implementations, computed=self._computed(), contextual=contextual)

    def _computed(self) -> Any:
        required = self.supergraph.requires()
        return {place: (field_set(item.requires), item.named_type) for place, item in required.items()}

    def _entity(self, kind: RandomType, index: int) -> JsonObject:
        fact: JsonObject = {"__typename": kind.name}
        for item in self._all_fields(kind):
            if item.requires:
                continue  # computed
            fact[item.name] = self._key_value(kind, item, index)
            if fact[item.name] is None:
                fact[item.name] = self._field_value(item, sorted(item.owners))
            if item.overridden_in:  # what the subgraph that must not be asked would say
                is_active = item.override_label in ("", "percent(100)", *ACTIVE_LABELS)
                wrong = item.overridden_in if is_active else min(item.owners)
                fact[f"{item.name}@{wrong}"] = -1 if item.named_type != "String" else "overridden"
        if kind.missing_in and self.rng.random() < 0.5:
            fact["@missing"] = kind.missing_in
            fact.update({item.name: None for item in kind.fields.values() if kind.missing_in in item.owners})
        return fact

    def _all_fields(self, kind: RandomType) -> list[RandomField]:
        """The type's own fields and those that interface objects add to it."""
        inherited = [
            t for t in self.supergraph.types.values() if t.kind == "entity_interface" and kind.name in t.members
        ]
        return list({f.name: f for t in (*inherited, kind) for f in t.fields.values()}.values())

    def _key_value(self, kind: RandomType, item: RandomField, index: int) -> Any:
        """Distinct per object; None for a field that no key uses."""
        values: dict[str, Any] = {
            "id": f"{kind.name.lower()}-{index}" if kind.name.startswith("M") else str(index),
            "sku": f"sku {index}",
            "code": index // 2,
            "region": ("eu", "us")[index % 2],
            "mark": (True, 1, False, 0)[index],  # which Python takes for two
        }
        if item.name == "origin":
            holder = self.supergraph.types[item.named_type]
            others = {f.name: self._field_value(f, [*holder.placements]) for f in holder.fields.values()}
            return {"__typename": holder.name, **others, "code": index % 2, "zone": f"z{index // 2}"}
        return values.get(item.name)

    def _root(self, name: str) -> JsonObject:
        kind = self.supergraph.types.get(name)
        return {f.name: self._field_value(f, [*f.owners]) for f in kind.fields.values()} if kind else {}

    def _field_value(self, item: RandomField, subgraphs: list[str]) -> Any:
        rng, wrapping = self.rng, item.strict_wrapping if item.strict_in else item.wrapping
        may_fail = self.with_errors and not item.clean
        if may_fail and rng.random() < ERROR_CHANCE:
            return rng.choice(("!boom", "!FORBIDDEN: not yours"))
        nullable = not wrapping.endswith("!")
        if (nullable and rng.random() < NULL_CHANCE) or (may_fail and rng.random() < VIOLATION_CHANCE):
            return None
        return self._list(item, wrapping.removesuffix("!"), subgraphs, may_fail=may_fail)

    def _list(self, item: RandomField, wrapping: str, subgraphs: list[str], *, may_fail: bool) -> Any:
        """A value for a nullable type like "[{}!]" or "{}"."""
        if wrapping == "{}":
            return self._single(item, subgraphs, in_list=item.is_list)
        rng, element = self.rng, wrapping[1:-1]
        elements: list[Any] = []
        for _ in range(rng.choice((0, 1, 2, 2, 3))):
            nullable = not element.endswith("!")
            if (nullable and rng.random() < NULL_CHANCE) or (may_fail and rng.random() < VIOLATION_CHANCE):
                elements.append(None)
            elif may_fail and rng.random() < ERROR_CHANCE:
                elements.append("!element")
            else:
                elements.append(self._list(item, element.removesuffix("!"), subgraphs, may_fail=may_fail))
        return [e for e in elements if e is not EMPTY]

    def _single(self, item: RandomField, subgraphs: list[str], in_list: bool = False) -> Any:
        kind = self.supergraph.types.get(item.named_type)
        if kind is None:
            return self._scalar(item.named_type)
        if kind.kind == "enum":
            own = [f"ONLY_{clean_name(subgraphs[0])}"] if len(subgraphs) == 1 else []
            return self.rng.choice(("RED", "GREEN", "BLUE") if kind.name == "Color" else ("DARK", "LIGHT", *own))
        if kind.kind == "root":
            return {"__typename": kind.name}
        names = self._possible(kind, subgraphs)
        if not names:
            if in_list:
                return EMPTY
            if (item.strict_wrapping if item.strict_in else item.wrapping).endswith("!"):
                raise UnplaceableError(item.name)
            return None
        return self._object(self.supergraph.types[self.rng.choice(names)])

    def _possible(self, kind: RandomType, subgraphs: list[str]) -> list[str]:
        """The object types that all the given subgraphs can answer with."""
        if kind.kind in ("union", "interface"):
            sets = [set(kind.members_in.get(s, ())) for s in subgraphs] or [set()]
            names = sorted(set.intersection(*sets))
            return names if self.depth < 3 else [n for n in names if self.supergraph.types[n].kind == "entity"]
        return sorted(kind.members) if kind.kind == "entity_interface" else [kind.name]

    def _object(self, kind: RandomType) -> Any:
        if kind.kind == "entity":
            return "@" + self.rng.choice(self.labels[kind.name])
        placements = list(kind.placements)  # a value may be answered by any subgraph that has its type
        self.depth += 1
        fact = {f.name: self._field_value(f, [*f.owners] or placements) for f in kind.fields.values()}
        self.depth -= 1
        return {"__typename": kind.name, **fact}

    def _scalar(self, name: str) -> Any:
        rng = self.rng
        if name == "Int":
            return rng.choice((0, 1, -7, 2147483647, 42))
        if name == "Float":
            return rng.choice((0.5, -2.25, 3.0, 1e21, 1e-7))
        if name == "Boolean":
            return rng.random() < 0.5
        if name == "ID":
            return f"id{rng.randint(0, 9)}"
        return rng.choice(JSONS) if name == "Json" else rng.choice(TEXTS)


EMPTY: Any = object()  # an element that cannot be made
