"""Supergraphs that are hard to plan on: wide, deep, shared by many, chained, and of very many types."""

from __future__ import annotations

from schema import SubgraphSource, compose

_LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.8", '
    'import: ["@key", "@shareable", "@external", "@requires"])\n'
)


def wide_interface(members: int = 60, subgraphs: int = 3) -> str:
    """`nodes: [Node!]!` of many types, whose fields `g<n>` and lists `n<n>` are in subgraph n."""
    sources = {}
    for n in range(subgraphs):
        types = [f"interface Node {{ id: ID! g{n}: Int n{n}: [Node!] }}"] + [
            f'type M{m} implements Node @key(fields: "id") '
            f"{{ id: ID! g{n}: Int n{n}: [Node!] own{n}_{m}: Int same{n}: {'Int' if m % 2 else 'Int!'} }}"
            for m in range(members)
        ]
        sources[f"w{n}"] = "\n".join(types + (["type Query { nodes: [Node!]! }"] if n == 0 else []))
    return _composed(sources)


def union_in_union(members: int = 30, subgraphs: int = 3) -> str:
    """Every member of `U` has fields `u<n>: U`, each of subgraph n."""
    sources = {}
    for n in range(subgraphs):
        types = [f'type A{m} @key(fields: "id") {{ id: ID! x{n}: Int u{n}: U }}' for m in range(members)]
        types.append("union U = " + " | ".join(f"A{m}" for m in range(members)))
        sources[f"u{n}"] = "\n".join(types + (["type Query { u: U }"] if n == 0 else []))
    return _composed(sources)


def shared_by_many(subgraphs: int = 28, fields: int = 40) -> str:
    """Most subgraphs have most of `s<n>`; `own<n>` is in one; `t` and `v` lead on in all of them."""
    sources = {}
    for n in range(subgraphs):
        of_t = " ".join(f"s{f}: Int @shareable" for f in range(fields) if (f + n) % 7)
        of_v = " ".join(f"s{f}: Int" for f in range(fields) if (f + n) % 5)
        sources[f"s{n}"] = (
            "type Query { shared: T @shareable }\n"
            f'type T @key(fields: "id") {{ id: ID! own{n}: Int t: T @shareable v: V @shareable {of_t} }}\n'
            f"type V @shareable {{ t: T {of_v} }}"
        )
    return _composed(sources)


def chain(length: int = 40) -> str:
    """Subgraph n knows the keys `id<n>` and `id<n+1>` only: the way from one end to the other leads through all."""
    sources = {}
    for n in range(length):
        sources[f"c{n}"] = (
            f'type C @key(fields: "id{n}") @key(fields: "id{n + 1}") '
            f"{{ id{n}: ID! @shareable id{n + 1}: ID! @shareable f{n}: Int d{n}: C }}"
            + ("type Query { c: C }" if n == 0 else "")
        )
    return _composed(sources)


def many_types(types: int = 2_000) -> str:
    """One subgraph; written and not composed, since only its size matters."""
    head = """
        schema @link(url: "https://specs.apollo.dev/link/v1.0")
          @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
        directive @join__field(graph: join__Graph) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
        directive @join__graph(name: String!, url: String!) on ENUM_VALUE
        directive @join__type(graph: join__Graph!, key: join__FieldSet) repeatable on OBJECT
        directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
        scalar join__FieldSet
        scalar link__Import
        enum link__Purpose { SECURITY EXECUTION }
        enum join__Graph { M @join__graph(name: "m", url: "http://m") }
        type Query @join__type(graph: M) { t0: T0 }
    """
    return head + "\n".join(
        f'"Type number {n}." type T{n} @join__type(graph: M, key: "id") {{ id: ID! name(of: String = "x"): String '
        f"size: Int at: String isOpen: Boolean parent: T{n // 2} children(first: Int): [T{(n + 1) % types}!]! }}"
        for n in range(types)
    )


def _composed(sources: dict[str, str]) -> str:
    result = compose([SubgraphSource(name, _LINK + sdl, f"http://{name}") for name, sdl in sources.items()])
    assert result.supergraph_sdl is not None, result.errors
    return result.supergraph_sdl
