"""Directives on the fields of a random graph: what they require, provide, take over, hide; how subgraphs differ.

Called by `random_supergraph` once types and fields are there.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.testkit.random_model import SCALARS, RandomField, RandomType

PLAIN_LEAVES = (*SCALARS, "Color")
#: Arguments that a required field may have, and how a field set then passes them.
REQUIRABLE_ARGUMENTS = {"": "", "n: Int": "(n: 7)", "c: Color = RED": "(c: GREEN)", "first: Int": "(first: 1)"}


class Directives:
    """`place` makes a subgraph define a type."""

    def __init__(self, rng: Random, types: dict[str, RandomType], place: Callable[[str, str], None]) -> None:
        self.rng, self.types, self.place = rng, types, place

    def add(self) -> None:
        for kind in self._entities():
            for _ in range(self.rng.choice((0, 1, 2, 3))):
                self._add_requires(kind)
        self._add_provides()
        self._add_overrides()
        self._hide_fields()

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def _entities(self) -> list[RandomType]:
        return [kind for kind in self.types.values() if kind.kind == "entity"]

    def _add_requires(self, kind: RandomType) -> None:
        owner = self.rng.choice(kind.resolvable_in())
        available = [f for f in kind.fields.values() if self._is_requirable(f, owner)]
        if not available:
            return
        required = self.rng.sample(available, min(len(available), self.rng.choice((1, 1, 2, 3))))
        parts = [text for item in required if (text := self._required_text(item, owner))]
        if not parts:
            return
        name = f"r{len(kind.fields)}"
        named = self.rng.choice(("String", "String", "Int"))
        kind.fields[name] = RandomField(name, named, "{}", owners={owner}, requires=" ".join(parts))
        kind.fields[name].clean = True

    def _is_requirable(self, item: RandomField, owner: str) -> bool:
        if owner in item.owners or not item.owners or item.name in ("id", "sku", "code", "region", "origin", "mark"):
            return False
        if item.external_in and owner not in item.external_in:
            return not item.provides
        if item.arguments not in REQUIRABLE_ARGUMENTS:
            return False
        if item.named_type in PLAIN_LEAVES:
            return True
        target = self.types[item.named_type]
        if target.kind in ("union", "interface"):
            return not item.requires
        return target.kind in ("value", "entity") and not item.requires and bool(self._leaves(target, owner))

    def _leaves(self, target: RandomType, owner: str) -> list[RandomField]:
        """Fields of a required object that can be named in the field set: leaves without arguments."""
        leaves = [f for f in target.fields.values() if f.named_type in PLAIN_LEAVES and not f.arguments]
        if target.kind == "entity":
            leaves = [
                f
                for f in leaves
                if not f.requires and owner not in f.owners and f.name not in ("sku", "code", "region", "mark")
            ]
        return leaves

    def _required_text(self, item: RandomField, owner: str) -> str:
        """Empty where nothing of the field's type can be required."""
        below = ""
        if item.named_type not in PLAIN_LEAVES:
            target = self.types[item.named_type]
            below = self._required_of_any(target, owner) if target.members else self._required_below(target, owner)
            if not below:
                return ""
            below = f" {{ {below} }}"
        item.external_in.add(owner)
        self._clean(item)
        return f"{item.name}{self._required_argument(item)}{below}"

    def _required_of_any(self, target: RandomType, owner: str) -> str:
        """Fragments on members of a union or interface that the requiring subgraph knows."""
        self.place(target.name, owner)
        members = [self.types[name] for name in target.members_in[owner] if self.chance(0.8)]
        fragments = [
            f"... on {member.name} {{ {self._required_below(member, owner)} }}"
            for member in members
            if self._leaves(member, owner)
        ]
        plain = ["id"] if target.kind == "interface" and self.chance(0.5) else []
        return " ".join([*plain, *fragments])

    def _required_below(self, target: RandomType, owner: str) -> str:
        known = self._leaves(target, owner)
        leaves = self.rng.sample(known, self.rng.randint(1, min(2, len(known))))
        for leaf in leaves:
            leaf.clean = True
            if target.kind == "entity" and leaf.name == "id":
                target.extra_id_in.add(owner)
            elif target.kind == "entity":
                leaf.external_in.add(owner)
        return " ".join(leaf.name for leaf in leaves)

    def _required_argument(self, item: RandomField) -> str:
        optional = "=" not in item.arguments
        return "" if optional and self.chance(0.4) else REQUIRABLE_ARGUMENTS[item.arguments]

    def _add_provides(self) -> None:
        for kind in self.types.values():
            for item in kind.fields.values():
                target = self.types.get(item.named_type)
                owner = min(item.owners, default="")
                if target is None or not owner or item.external_in or not self.chance(0.3):
                    continue
                if target.kind == "entity":
                    text = self._provided_text(target, owner, 2)
                elif target.kind in ("union", "interface"):
                    text = self._provided_of_any(target, owner)
                else:
                    continue
                if text:
                    item.provides[owner] = text

    def _provided_of_any(self, target: RandomType, owner: str) -> str:
        self.place(target.name, owner)
        members = [self.types[name] for name in target.members_in[owner] if self.types[name].kind == "entity"]
        texts = [(member.name, self._provided_text(member, owner, 1)) for member in members if self.chance(0.7)]
        return " ".join(f"... on {name} {{ {text} }}" for name, text in texts if text)

    def _provided_text(self, target: RandomType, owner: str, depth: int) -> str:
        candidates = [f for f in target.fields.values() if self._is_providable(f, owner, depth)]
        parts = []
        for item in self.rng.sample(candidates, min(len(candidates), self.rng.choice((1, 1, 2)))):
            below = ""
            if item.named_type not in PLAIN_LEAVES:
                inner = self.types[item.named_type]
                leaves = self._leaves_of_value(inner)
                text = self._provided_text(inner, owner, depth - 1) if inner.kind == "entity" else " ".join(leaves)
                if not text:
                    continue
                below = f" {{ {text} }}"
            item.external_in.add(owner)
            parts.append(item.name + below)
        return " ".join(parts)

    def _leaves_of_value(self, kind: RandomType) -> list[str]:
        leaves = [f.name for f in kind.fields.values() if f.named_type in PLAIN_LEAVES and not f.arguments]
        return self.rng.sample(leaves, min(len(leaves), 2))

    def _is_providable(self, item: RandomField, owner: str, depth: int) -> bool:
        inner = self.types.get(item.named_type)
        may_nest = depth > 0 and inner is not None and inner.kind in ("value", "entity")
        leaf = item.named_type in PLAIN_LEAVES
        plain = not item.requires and not item.arguments and not item.provides
        return (leaf or may_nest) and plain and bool(item.owners) and owner not in item.owners

    def _add_overrides(self) -> None:
        for kind in self._entities():
            for item in kind.fields.values():
                old = [s for s in kind.resolvable_in() if s not in item.owners and s not in item.external_in]
                plain = item.named_type in ("Int", "String", "Float") and not item.is_list and not item.arguments
                if plain and len(item.owners) == 1 and old and not item.requires and self.chance(0.15):
                    item.overridden_in = self.rng.choice(old)
                    item.override_label = self.rng.choice(("", "", "percent(0)", "percent(100)", "on_beta", "off_beta"))

    def _hide_fields(self) -> None:
        for kind in self._entities():
            for item in kind.fields.values():
                interface_field = any(item.name in t.fields for t in self.types.values() if kind.name in t.members)
                if item.owners and not interface_field and self.chance(0.06):
                    item.inaccessible = True

    # --- once every type is placed

    def vary_shared_fields(self) -> None:
        """Fields that several subgraphs declare, each a little differently."""
        for kind in self.types.values():
            for item in kind.fields.values():
                homes = sorted(item.owners) if kind.kind != "value" else list(kind.placements)
                is_key = any(item.name in key.split() for key in kind.keys) or kind.name.startswith("Key")
                is_key |= item.name == "id"  # which interfaces have, too
                if (
                    len(homes) < 2
                    or is_key
                    or item.external_in
                    or item.overridden_in
                    or kind.kind == "entity_interface"
                ):
                    continue
                if self.chance(0.25):
                    self._differ_in_nulls(item, homes)
                if kind.kind != "value" and self.chance(0.2):
                    item.extra_argument_in.add(self.rng.choice(homes))
                if item.arguments in ("n: Int", "first: Int", "ids: [ID!]") and self.chance(0.5):
                    item.required_argument_in.add(self.rng.choice(homes))

    def _differ_in_nulls(self, item: RandomField, homes: list[str]) -> None:
        if item.wrapping == item.strict_wrapping:
            item.wrapping = item.wrapping.replace("!", "")
        item.strict_in = set(self.rng.sample(homes, self.rng.randint(1, len(homes) - 1)))
        self._clean(item)

    def _clean(self, item: RandomField) -> None:
        """Neither the field nor anything below it may fail so that the field becomes null."""
        waiting, seen = [item], set()
        while waiting:
            each = waiting.pop()
            each.clean = True
            target = self.types.get(each.named_type)
            for name in [target.name, *target.members] if target is not None else []:
                if name not in seen:
                    seen.add(name)
                    waiting += [f for f in self.types[name].fields.values() if f.wrapping.endswith("!")]

    def lose_entities(self) -> None:
        """Some objects are unknown to a subgraph that has fields of their type; what it alone resolves is null."""
        for kind in self._entities():
            candidates = [s for s in kind.placements if self._may_lose(kind, s)]
            if candidates and kind.name.startswith("N") and self.chance(0.3):
                kind.missing_in = self.rng.choice(candidates)

    def _may_lose(self, kind: RandomType, subgraph: str) -> bool:
        """Nobody has to pass through the subgraph, it returns no such object itself, nobody needs what it knows."""
        others = [keys for name, keys in kind.placements.items() if name != subgraph]
        own = [item for item in kind.fields.values() if subgraph in item.owners or subgraph == item.overridden_in]
        return (
            bool(others)
            and {key.removeprefix("!") for key in kind.placements[subgraph]} == {"id"}
            and all("id" in keys or "!id" in keys for keys in others)
            and any("id" in keys for keys in others)
            and not self._returns(kind.name, subgraph)
            and all(len(f.owners) == 1 and not f.external_in and not f.overridden_in for f in own)
            and all(f.requires or not f.clean for f in own)
        )

    def _returns(self, type_name: str, subgraph: str) -> bool:
        for kind in self.types.values():
            if subgraph not in kind.placements and kind.kind != "root":
                continue
            for item in kind.fields.values():
                target = self.types.get(item.named_type)
                may_be = item.named_type == type_name or (target is not None and type_name in target.members)
                if may_be and (subgraph in item.owners or kind.kind in ("value", "split")):
                    return True
        return False
