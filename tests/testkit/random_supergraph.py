"""Random federated graphs: a model of types and fields, spread over 2-5 subgraphs so that composition succeeds.

Called by the property test with a seeded `Random`; hands on subgraph SDLs and the facts that `random_world` fills.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from tests.testkit.random_directives import Directives
from tests.testkit.random_model import (
    SCALARS,
    RandomField,
    RandomSupergraph,
    RandomType,
    UnplaceableError,
    key_field_names,
)

LEAVES = (*SCALARS, "Color", "Shade")
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
    "t: Tint",
    "ts: [Tint!] = [PALE]",
)


class Generator:
    """One random graph; every choice comes from `rng`."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.subgraphs = list(SUBGRAPH_NAMES[: rng.randint(2, 5)])
        self.types: dict[str, RandomType] = {}
        # what came to this generator later is drawn apart, so that all else of a known seed stays as it is
        self.apart = Random(str(rng.getstate()[1][:4]))

    def generate(self) -> RandomSupergraph:
        self._declare_types()
        for kind in list(self.types.values()):
            if kind.kind in ("entity", "value"):
                self._add_fields(kind)
        self._add_interface_objects()
        self._add_roots()
        directives = Directives(self.rng, self.types, self.place)
        directives.add()
        if self.chance(0.3):
            self._add_split_value()
        if self.chance(0.3):
            self._add_context()
        self._complete_placements()
        directives.vary_shared_fields()
        directives.lose_entities()
        # version 1 answers for its external keys; who lacks some of the objects cannot
        incomplete = {kind.missing_in for kind in self.types.values()}
        old = {s for s in self.subgraphs if self.chance(0.15)} - incomplete
        if "Mutation" in self.types:
            apart = Random(f"{sorted(self.types)} {sorted(self.types['Mutation'].fields)} {self.subgraphs}")
            self.types["Mutation"].is_hidden = apart.random() < 0.1
        has_directive, nests_interfaces = self.apart.random() < 0.3, self.apart.random() < 0.5
        return RandomSupergraph(self.subgraphs, self.types, old, has_directive, nests_interfaces)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    # --- types

    def _declare_types(self) -> None:
        rng = self.rng
        self.types["Color"] = RandomType("Color", "enum")
        self.types["Shade"] = RandomType("Shade", "enum")
        for index in range(rng.randint(2, 5)):
            self._declare_entity(f"N{index}")
        for index in range(rng.randint(0, 3)):
            self.types[f"V{index}"] = RandomType(f"V{index}", "value")
        entities = [k for k in self.types.values() if k.kind == "entity"]
        for index in range(rng.choice((0, 1, 2, 2))):
            chosen = rng.sample(entities, rng.randint(1, len(entities)))
            values = [k for k in self.types.values() if k.kind == "value" and not k.name.startswith("Key")]
            chosen += [each for each in values if self.apart.random() < 0.25]
            self._declare_interface(f"I{index}", chosen)
        objects = [k.name for k in self.types.values() if k.kind in ("entity", "value")]
        for index in range(rng.choice((0, 1, 2))):
            members = rng.sample(objects, rng.randint(1, len(objects)))
            self.types[f"U{index}"] = RandomType(f"U{index}", "union", members=members)
        if self.chance(0.55):
            self._declare_entity_interface()
        for union in (k for k in self.types.values() if k.kind == "union" and "M0" in self.types):
            if self.apart.random() < 0.3:
                union.members.append("M0")

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
        if self.chance(0.15):
            kind.fields["mark"] = RandomField("mark", "Json", "{}!", clean=True)
            kind.keys.append("mark")
        homes = rng.sample(self.subgraphs, rng.randint(1 if self.chance(0.15) else 2, len(self.subgraphs)))
        if self.chance(0.4):
            self._chain_keys(kind, homes)
            return
        kind.placements[homes[0]] = list(kind.keys)  # the first knows every key: each subgraph is reachable through it
        for subgraph in homes[1:]:
            kind.placements[subgraph] = rng.sample(kind.keys, rng.randint(1, len(kind.keys)))

    def _chain_keys(self, kind: RandomType, homes: list[str]) -> None:
        """Each subgraph shares a key with one before it, all of them perhaps none."""
        kind.placements[homes[0]] = ["id"]
        for subgraph in homes[1:]:
            shared = self.rng.choice(kind.placements[self.rng.choice(list(kind.placements))])
            others = [key for key in kind.keys if key != shared and self.chance(0.35)]
            kind.placements[subgraph] = [shared, *others]
        used = [key for key in kind.keys if any(key in keys for keys in kind.placements.values())]
        kind.keys = used
        names = {name for key in used for name in key_field_names(key)}
        kind.fields = {name: item for name, item in kind.fields.items() if name in names}

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
        for member in members:
            if member.kind == "value":
                member.fields["id"] = RandomField("id", "ID", "{}!", clean=True)
        for index in range(self.rng.randint(0, 2)):
            field_name = f"{name.lower()}f{index}"
            named = self.rng.choice(("String", "Int", "Color", self.rng.choice(members).name, name))
            if named in self.types and self.types[named].kind == "value":
                named = "String"  # or a value would have itself in it
            wrapping = self.rng.choice(("{}", "{}", "[{}]"))
            interface.fields[field_name] = RandomField(field_name, named, wrapping)
            entities = [member for member in members if member.kind == "entity"]
            homes = [s for s in self.subgraphs if all(s in member.placements for member in entities)]
            home = self.rng.choice(homes) if homes and self.chance(0.5) else ""  # where it is a field of the interface
            for member in members:
                if member.kind == "value":  # which every subgraph knows whole
                    member.fields[field_name] = RandomField(field_name, named, wrapping)
                    continue
                own = wrapping.replace("}", "}!") if self.chance(0.2) else wrapping
                owner = home or self.rng.choice(list(member.placements))
                member.fields[field_name] = RandomField(field_name, named, own, owners={owner})
        self.types[name] = interface

    def _declare_entity_interface(self) -> None:
        """`interface M @key` with its implementations in one subgraph, an interface object in others."""
        rng = self.rng
        home, *others = rng.sample(self.subgraphs, len(self.subgraphs))
        interface = RandomType("M", "entity_interface", keys=["id"], placements={home: ["id"]})
        interface.fields["id"] = RandomField("id", "ID", "{}!", clean=True)
        interface.object_in = set(others[: rng.randint(1, len(others))])
        interface.placements.update({subgraph: ["id"] for subgraph in sorted(interface.object_in)})
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
            k.name for k in self.types.values() if k.kind not in ("split", "root") and not k.name.startswith("Key")
        ]
        return named + [n for n in named if n.startswith("N")]

    def _wrapping(self, named_type: str) -> str:
        if named_type in LEAVES:
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
            named = rng.choice((*[n for n in self._output_types() if n.startswith(("N", "V"))], "Int"))
            owner = {rng.choice(self.subgraphs)}
            mutation.fields[f"do{index}"] = RandomField(f"do{index}", named, "{}", owners=owner)
        self.types["Query"] = query
        if mutation.fields and self.chance(0.3):
            wrapping = rng.choice(("{}", "{}", "[{}]"))
            mutation.fields["again"] = RandomField("again", "Mutation", wrapping, owners={rng.choice(self.subgraphs)})
        if mutation.fields:
            self.types["Mutation"] = mutation
        if self.chance(0.3):
            self._add_nested_root()

    def _add_nested_root(self) -> None:
        """Fields that lead back to the query root, from wherever they stand."""
        kinds = [k for k in self.types.values() if k.name.startswith(("N", "V"))]
        for kind in self.rng.sample(kinds, min(len(kinds), self.rng.choice((1, 2)))):
            owners = {self.rng.choice(list(kind.placements))} if kind.kind == "entity" else set()
            wrapping = self.rng.choice(("{}", "{}!", "[{}!]"))
            kind.fields["query"] = RandomField("query", "Query", wrapping, owners=owners)

    # --- types that only stand in certain places

    def _add_split_value(self) -> None:
        """A type without key whose fields are spread over the subgraphs that share the fields which return it."""
        kind = self.types["W"] = RandomType("W", "split")
        entity = self.rng.choice([k for k in self.types.values() if k.name.startswith("N")])
        homes = entity.resolvable_in()
        if len(homes) < 2:
            homes = self.rng.sample(self.subgraphs, 2)
        kind.placements = {subgraph: [] for subgraph in homes}
        for index in range(self.rng.randint(2, 6)):
            named = self.rng.choice((*LEAVES, *[n for n in self._output_types() if n.startswith(("V", "N"))]))
            owners = set(self.rng.sample(homes, self.rng.choice((1, 1, 2))))
            kind.fields[f"w{index}"] = RandomField(f"w{index}", named, self._wrapping(named), owners=owners)
        kind.fields["w"] = RandomField("w", "Int", "{}", owners=set(homes))
        wrapping = self.rng.choice(("{}", "{}", "{}!", "[{}]", "[{}!]"))
        self.types["Query"].fields["split"] = RandomField("split", "W", wrapping, owners=set(homes), clean=True)
        if homes == entity.resolvable_in():
            wrapping = self.rng.choice(("{}", "{}", "[{}]", "[{}!]"))
            entity.fields["split"] = RandomField("split", "W", wrapping, owners=set(homes), clean=True)

    def _add_context(self) -> None:
        """An entity that stands below another one only, with a field whose argument comes from there."""
        above = self.rng.choice([k for k in self.types.values() if k.name.startswith("N")])
        setters = [
            (subgraph, item)
            for subgraph in above.placements
            for item in above.fields.values()
            if item.named_type == "String" and not item.is_list and not item.arguments and not item.requires and not item.overridden_in
            and (subgraph in item.owners or item.name in " ".join(above.placements[subgraph]).split())
        ]  # fmt: skip
        if not setters:
            return
        subgraph, item = self.rng.choice(setters)
        item.clean = True
        above.context_in.add(subgraph)
        homes = {subgraph, self.rng.choice(self.subgraphs)}
        below = self.types["C"] = RandomType(
            "C", "entity", keys=["id"], placements={home: ["id"] for home in sorted(homes)}
        )
        below.fields["id"] = RandomField("id", "ID", "{}!", clean=True)
        self._add_fields(below)
        below.fields["told"] = RandomField("told", "String", "{}", owners={subgraph}, context=(above.name, item.name))
        wrapping = self.rng.choice(("{}", "[{}]", "[{}!]!", "[[{}]]"))
        above.fields["below"] = RandomField("below", "C", wrapping, owners={self.rng.choice(above.resolvable_in())})

    # --- placements: every subgraph defines what its fields mention

    def _complete_placements(self) -> None:
        for kind in list(self.types.values()):
            for item in kind.fields.values():
                for subgraph in self._mentioned_in(kind, item):
                    self.place(item.named_type, subgraph)

    def _mentioned_in(self, kind: RandomType, item: RandomField) -> Iterable[str]:
        if kind.kind == "value":
            return ()
        if kind.kind == "split":
            return sorted(item.owners)
        key_users = {s for s, keys in kind.placements.items() if any(item.name in k.split() for k in keys)}
        return sorted(item.owners | item.external_in | key_users)

    def place(self, type_name: str, subgraph: str) -> None:
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
                self.place(member, subgraph)
                self.types[member].extra_id_in.add(subgraph)
        if kind.kind == "value":
            for item in kind.fields.values():
                self.place(item.named_type, subgraph)
