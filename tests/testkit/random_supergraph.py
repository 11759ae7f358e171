"""Random federated graphs: a model of types and fields, spread over 2-5 subgraphs so that composition succeeds.

Called by the property test with a seeded `Random`; hands on subgraph SDLs and the facts that `random_world` fills.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from tests.testkit.random_model import RandomField, RandomSupergraph, RandomType, UnplaceableError

SCALARS = ("Int", "Float", "String", "Boolean", "ID", "Json")
SUBGRAPH_NAMES = ("alpha", "Beta", "gamma-2", "delta_x", "e5")
TEXT_ARGUMENTS = (
    "n: Int",
    "s: String!",
    "c: Color = RED",
    "ids: [ID!]",
    "flag: Boolean = true, n: Int",
    "where: Filter",
    "where: Filter = {color: GREEN, nested: {limit: 3}}",
    "w: [Filter!]!",
    "f: Float = 1.5",
    "j: Json",
)
#: Arguments that a required field may have, and how a field set then passes them.
REQUIRABLE_ARGUMENTS = {"": "", "n: Int": "(n: 7)", "c: Color = RED": "(c: GREEN)", "first: Int": "(first: 1)"}


class Generator:
    """One random graph; every choice comes from `rng`."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.subgraphs = list(SUBGRAPH_NAMES[: rng.randint(2, 5)])
        self.types: dict[str, RandomType] = {}

    def generate(self) -> RandomSupergraph:
        self._declare_types()
        for kind in list(self.types.values()):
            if kind.kind in ("entity", "value"):
                self._add_fields(kind)
        self._add_interface_objects()
        self._add_roots()
        for kind in [k for k in self.types.values() if k.kind == "entity"]:
            for _ in range(self.rng.choice((0, 1, 2, 3))):
                self._add_requires(kind)
        self._add_provides()
        self._add_overrides()
        self._hide_fields()
        self._complete_placements()
        return RandomSupergraph(self.subgraphs, self.types)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    # --- types

    def _declare_types(self) -> None:
        rng = self.rng
        self.types["Color"] = RandomType("Color", "enum", members_in={})
        for index in range(rng.randint(2, 5)):
            self._declare_entity(f"N{index}")
        for index in range(rng.randint(0, 3)):
            self.types[f"V{index}"] = RandomType(f"V{index}", "value")
        entities = [k for k in self.types.values() if k.kind == "entity"]
        for index in range(rng.choice((0, 1, 1, 2))):
            chosen = rng.sample(entities, rng.randint(1, len(entities)))
            self._declare_interface(f"I{index}", chosen)
        objects = [k.name for k in self.types.values() if k.kind in ("entity", "value")]
        for index in range(rng.choice((0, 1, 2))):
            members = rng.sample(objects, rng.randint(1, len(objects)))
            self.types[f"U{index}"] = RandomType(f"U{index}", "union", members=members)
        if self.chance(0.45):
            self._declare_entity_interface()

    def _declare_entity(self, name: str) -> None:
        rng, kind = self.rng, RandomType(name, "entity", keys=["id"])
        self.types[name] = kind
        kind.fields["id"] = RandomField("id", "ID", "{}!", clean=True)
        if self.chance(0.4):
            kind.fields["sku"] = RandomField("sku", "String", "{}!", clean=True)
            kind.keys.append("sku")
        if self.chance(0.3):
            kind.fields["code"] = RandomField("code", "Int", "{}!", clean=True)
            kind.fields["region"] = RandomField("region", "String", "{}!", clean=True)
            kind.keys.append("code region")
        if self.chance(0.2):
            self._nested_key(kind)
        homes = rng.sample(self.subgraphs, rng.randint(1 if self.chance(0.15) else 2, len(self.subgraphs)))
        kind.placements[homes[0]] = list(kind.keys)  # the first knows every key: each subgraph is reachable through it
        for subgraph in homes[1:]:
            kind.placements[subgraph] = rng.sample(kind.keys, rng.randint(1, len(kind.keys)))

    def _nested_key(self, kind: RandomType) -> None:
        holder = RandomType(f"Key{kind.name}", "value")
        holder.fields["code"] = RandomField("code", "Int", "{}!", clean=True)
        holder.fields["zone"] = RandomField("zone", "String", "{}!", clean=True)
        self.types[holder.name] = holder
        kind.fields["origin"] = RandomField("origin", holder.name, "{}!", clean=True)
        kind.keys.append(self.rng.choice(("origin { code zone }", "origin { zone code } id", "origin { code }")))
        if kind.keys[-1] == "origin { code }":
            kind.keys[-1] = "origin { code zone }"

    def _declare_interface(self, name: str, members: list[RandomType]) -> None:
        interface = RandomType(name, "interface", members=[m.name for m in members])
        interface.fields["id"] = RandomField("id", "ID", "{}!", clean=True)
        for index in range(self.rng.randint(0, 2)):
            field_name = f"{name.lower()}f{index}"
            scalar = self.rng.choice(("String", "Int", "Color"))
            interface.fields[field_name] = RandomField(field_name, scalar, "{}")
            for member in members:
                owner = self.rng.choice(list(member.placements))
                member.fields[field_name] = RandomField(field_name, scalar, "{}", owners={owner})
        self.types[name] = interface

    def _declare_entity_interface(self) -> None:
        """`interface M @key` with its implementations in one subgraph, an interface object in others."""
        rng = self.rng
        home, *others = rng.sample(self.subgraphs, len(self.subgraphs))
        interface = RandomType("M", "entity_interface", keys=["id"], placements={home: ["id"]})
        interface.fields["id"] = RandomField("id", "ID", "{}!", clean=True)
        interface.object_in = set(others[: rng.randint(1, len(others))])
        interface.placements.update({subgraph: ["id"] for subgraph in interface.object_in})
        if self.chance(0.6):
            interface.fields["title"] = RandomField("title", "String", "{}", owners={home})
        for index in range(rng.randint(1, 3)):
            member = RandomType(f"M{index}", "entity", keys=["id"], placements={home: ["id"]})
            member.fields["id"] = RandomField("id", "ID", "{}!", clean=True)
            if "title" in interface.fields:
                member.fields["title"] = RandomField("title", "String", "{}", owners={home})
            free = [s for s in others if s not in interface.object_in]
            if free and self.chance(0.4):
                member.placements[rng.choice(free)] = ["id"]
            self.types[member.name] = member
            interface.members.append(member.name)
        self.types["M"] = interface

    # --- fields

    def _output_types(self) -> list[str]:
        named = [
            k.name for k in self.types.values() if k.kind not in ("input", "root") and not k.name.startswith("Key")
        ]
        return named + [n for n in named if n.startswith("N")]

    def _wrapping(self, named_type: str) -> str:
        if named_type in SCALARS or named_type == "Color":
            return self.rng.choice(("{}", "{}", "{}", "{}!", "[{}]", "[{}!]", "[[{}]!]"))
        return self.rng.choice(("{}", "{}", "{}!", "[{}]", "[{}!]", "[{}!]!", "[{}]!", "[[{}!]]"))

    def _arguments(self, named_type: str, wrapping: str) -> str:
        rng = self.rng
        if wrapping.startswith("["):
            return rng.choice(("", "", "first: Int", "first: Int = 2"))
        if named_type != "String" or self.chance(0.5):
            return ""
        return rng.choice(TEXT_ARGUMENTS)

    def _add_fields(self, kind: RandomType) -> None:
        rng = self.rng
        for index in range(rng.randint(2, 7)):
            named = rng.choice((*SCALARS, *self._output_types())) if self.chance(0.6) else rng.choice(SCALARS)
            if kind.kind == "value" and named.startswith("V") and named >= kind.name:
                named = "String"
            wrapping = self._wrapping(named)
            name = f"{kind.name.lower()}f{index}" if self.chance(0.5) else f"f{index}"
            item = RandomField(name, named, wrapping, self._arguments(named, wrapping))
            if kind.kind == "entity":
                homes = list(kind.placements)
                item.owners = set(rng.sample(homes, min(len(homes), rng.choice((1, 1, 1, 2)))))
            kind.fields.setdefault(name, item)

    def _add_interface_objects(self) -> None:
        interface = self.types.get("M")
        if interface is None:
            return
        for subgraph in sorted(interface.object_in):
            for index in range(self.rng.randint(1, 3)):
                named = self.rng.choice((*SCALARS, *[n for n in self._output_types() if n.startswith("N")]))
                wrapping = self._wrapping(named)
                name = f"m{self.subgraphs.index(subgraph)}{index}"
                arguments = self._arguments(named, wrapping)
                interface.fields[name] = RandomField(name, named, wrapping, arguments, owners={subgraph})
            if "title" in interface.fields and self.chance(0.5):
                self._require_title(interface, subgraph)

    def _require_title(self, interface: RandomType, subgraph: str) -> None:
        """An interface object's field that needs a field of the real interface."""
        name = f"mr{self.subgraphs.index(subgraph)}"
        interface.fields[name] = RandomField(name, "String", "{}", owners={subgraph}, requires="title", clean=True)
        for kind in (interface, *(self.types[member] for member in interface.members)):
            kind.fields["title"].clean = True
        interface.fields["title"].external_in.add(subgraph)

    def _add_roots(self) -> None:
        rng = self.rng
        query, mutation = RandomType("Query", "root"), RandomType("Mutation", "root")
        for index in range(rng.randint(3, 7)):
            named = rng.choice((*self._output_types(), "String"))
            wrapping = self._wrapping(named)
            owners = set(rng.sample(self.subgraphs, rng.choice((1, 1, 1, 2))))
            arguments = self._arguments(named, wrapping)
            query.fields[f"q{index}"] = RandomField(f"q{index}", named, wrapping, arguments, owners=owners)
        for index in range(rng.randint(0, 3)):
            named = rng.choice((*[n for n in self._output_types() if n.startswith("N")], "Int"))
            owner = {rng.choice(self.subgraphs)}
            mutation.fields[f"do{index}"] = RandomField(f"do{index}", named, "{}", owners=owner)
        self.types["Query"] = query
        if mutation.fields:
            self.types["Mutation"] = mutation

    # --- directives

    def _add_requires(self, kind: RandomType) -> None:
        owner = self.rng.choice(list(kind.placements))
        available = [f for f in kind.fields.values() if self._is_requirable(f, owner)]
        if not available:
            return
        required = self.rng.sample(available, min(len(available), self.rng.choice((1, 1, 2, 3))))
        parts = [self._required_text(item, owner) for item in required]
        for item in required:
            item.external_in.add(owner)
            item.clean = True
        name = f"r{len(kind.fields)}"
        named = self.rng.choice(("String", "String", "Int"))
        kind.fields[name] = RandomField(name, named, "{}", owners={owner}, requires=" ".join(parts))
        kind.fields[name].clean = True

    def _is_requirable(self, item: RandomField, owner: str) -> bool:
        if owner in item.owners or not item.owners or item.name in ("id", "sku", "code", "region", "origin"):
            return False
        if item.external_in and owner not in item.external_in:
            return not item.provides
        if item.arguments not in REQUIRABLE_ARGUMENTS:
            return False
        if item.named_type in SCALARS or item.named_type == "Color":
            return True
        target = self.types[item.named_type]
        return target.kind in ("value", "entity") and not item.requires and bool(self._leaves(target, owner))

    def _leaves(self, target: RandomType, owner: str) -> list[RandomField]:
        """Fields of a required object that can be named in the field set: leaves without arguments."""
        leaves = [f for f in target.fields.values() if f.named_type in (*SCALARS, "Color") and not f.arguments]
        if target.kind == "entity":
            leaves = [
                f
                for f in leaves
                if not f.requires and owner not in f.owners and f.name not in ("sku", "code", "region")
            ]
        return leaves

    def _required_text(self, item: RandomField, owner: str) -> str:
        if item.named_type in (*SCALARS, "Color"):
            return item.name + (self._required_argument(item))
        target = self.types[item.named_type]
        known = self._leaves(target, owner)
        leaves = self.rng.sample(known, self.rng.randint(1, min(2, len(known))))
        for leaf in leaves:
            leaf.clean = True
            if target.kind == "entity" and leaf.name == "id":
                target.extra_id_in.add(owner)
            elif target.kind == "entity":
                leaf.external_in.add(owner)
        return f"{item.name} {{ {' '.join(leaf.name for leaf in leaves)} }}"

    def _required_argument(self, item: RandomField) -> str:
        optional = "=" not in item.arguments
        return "" if optional and self.chance(0.4) else REQUIRABLE_ARGUMENTS[item.arguments]

    def _add_provides(self) -> None:
        for kind in self.types.values():
            for item in kind.fields.values():
                target = self.types.get(item.named_type)
                if target is None or target.kind != "entity" or item.external_in or not self.chance(0.3):
                    continue
                owner = min(item.owners, default="")
                candidates = [f for f in target.fields.values() if self._is_providable(f, owner)]
                if not owner or not candidates:
                    continue
                provided = self.rng.sample(candidates, min(len(candidates), self.rng.choice((1, 1, 2))))
                for each in provided:
                    each.external_in.add(owner)
                item.provides[owner] = " ".join(each.name for each in provided)

    def _is_providable(self, item: RandomField, owner: str) -> bool:
        leaf = item.named_type in (*SCALARS, "Color")
        return leaf and not item.requires and bool(item.owners) and owner not in item.owners and not item.arguments

    def _add_overrides(self) -> None:
        for kind in [k for k in self.types.values() if k.kind == "entity"]:
            for item in kind.fields.values():
                old = [s for s in kind.placements if s not in item.owners and s not in item.external_in]
                plain = item.named_type in ("Int", "String", "Float") and not item.is_list and not item.arguments
                if plain and len(item.owners) == 1 and old and not item.requires and self.chance(0.15):
                    item.overridden_in = self.rng.choice(old)
                    item.override_label = self.rng.choice(("", "", "percent(0)", "percent(100)"))

    def _hide_fields(self) -> None:
        for kind in [k for k in self.types.values() if k.kind == "entity"]:
            for item in kind.fields.values():
                interface_field = any(item.name in t.fields for t in self.types.values() if kind.name in t.members)
                if item.owners and not interface_field and self.chance(0.06):
                    item.inaccessible = True

    # --- placements: every subgraph defines what its fields mention

    def _complete_placements(self) -> None:
        for kind in list(self.types.values()):
            for item in kind.fields.values():
                for subgraph in self._mentioned_in(kind, item):
                    self._place(item.named_type, subgraph)

    def _mentioned_in(self, kind: RandomType, item: RandomField) -> Iterable[str]:
        if kind.kind == "value":
            return ()
        key_users = {s for s, keys in kind.placements.items() if any(item.name in k.split() for k in keys)}
        return sorted(item.owners | item.external_in | key_users)

    def _place(self, type_name: str, subgraph: str) -> None:
        kind = self.types.get(type_name)
        if kind is None or subgraph in kind.placements:
            return
        if kind.kind == "entity":
            interface = self.types.get("M")
            if interface is not None and type_name in interface.members and subgraph in interface.object_in:
                raise UnplaceableError(type_name)
            kind.placements[subgraph] = [self.rng.choice(("id", "!id"))]
        elif kind.kind == "entity_interface":
            kind.object_in.add(subgraph)
            kind.placements[subgraph] = ["id"]
            if any(subgraph in self.types[m].placements for m in kind.members):
                raise UnplaceableError(type_name)
        else:
            kind.placements[subgraph] = []
        if kind.kind in ("union", "interface"):
            kind.members_in[subgraph] = self.rng.sample(kind.members, self.rng.randint(1, len(kind.members)))
            for member in kind.members_in[subgraph]:
                self._place(member, subgraph)
                self.types[member].extra_id_in.add(subgraph)
        if kind.kind == "value":
            for item in kind.fields.values():
                self._place(item.named_type, subgraph)
