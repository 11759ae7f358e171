"""The depot: 10,000 items that many subgraphs tell something of, and halls with four levels of lists above the items.

It is what the shop is not: wide (19 subgraphs, 16 of which tell traits of an item), long (10,000 entities in one list) and
deep. Some discounts fail. `workloads` asks it, and computes the expected answers from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import islice
from typing import Any

from benchmarks.served_graph import Fact, FieldFailure, Resolved, ServedGraph, leaf

ITEM_COUNT = 10_000
TRAIT_SUBGRAPHS = 16
TRAITS = 12  # of each of these subgraphs
#: Of halls, of aisles in each, of racks in each, of shelves in each, of items on each.
SPREAD = 4
DESCRIPTION = ("kept dry and level, with its label to the front " * 17)[:800]

ITEMS: list[Fact] = [
    {
        "__typename": "Item",
        "sku": f"sku-{number:05}",
        "name": f"Item {number}",
        "description": f"{number}: {DESCRIPTION}",
        "quantity": number * 7 % 100,
        "price": 100 + number * 13 % 9_000,
        "number": number,
    }
    for number in range(ITEM_COUNT)
]
ITEM_BY_SKU = {item["sku"]: item for item in ITEMS}


def trait_name(subgraph: int, trait: int) -> str:
    return f"trait{subgraph:02}n{trait:02}"


def similar_name(subgraph: int) -> str:
    """The field of a trait's subgraph that leads to other items."""
    return f"similar{subgraph:02}"


def _trait(subgraph: int, trait: int, item: Fact, _arguments: Mapping[str, Any]) -> int:
    value: int = item["number"] * (trait + 3) + subgraph
    return value


def _similar(subgraph: int, item: Fact, _arguments: Mapping[str, Any]) -> list[Fact]:
    return [ITEMS[(item["number"] * 7 + subgraph + step) % ITEM_COUNT] for step in (1, 2)]


def _discount(item: Fact, _arguments: Mapping[str, Any]) -> Any:
    return FieldFailure if item["number"] % 3 == 0 else item["number"] % 50


def _places() -> tuple[list[Fact], list[Fact]]:
    """The halls, and all places: what is in a place is its `inside`, of which the last level's are the items."""
    items = iter(ITEMS)
    levels = ("Hall", "Aisle", "Rack", "Shelf")
    places: list[Fact] = []

    def place(level: int, name: str) -> Fact:
        inside = (
            list(islice(items, SPREAD))
            if level == len(levels) - 1
            else [place(level + 1, f"{name}.{number}") for number in range(SPREAD)]
        )
        found = {"__typename": levels[level], "name": name, "inside": inside}
        places.append(found)
        return found

    return [place(0, str(number)) for number in range(SPREAD)], places


HALLS, PLACES = _places()


def _inside(type_name: str) -> Resolved:
    return Resolved(lambda place, _arguments: place["inside"], type_name)


def _traits() -> dict[str, Resolved]:
    fields: dict[str, Resolved] = {}
    for subgraph in range(TRAIT_SUBGRAPHS):
        fields |= {trait_name(subgraph, trait): Resolved(partial(_trait, subgraph, trait)) for trait in range(TRAITS)}
        fields[similar_name(subgraph)] = Resolved(partial(_similar, subgraph), "Item")
    return fields


FIELDS: Mapping[str, Mapping[str, Resolved]] = {
    "Query": {
        "items": Resolved(lambda _root, arguments: ITEMS[: arguments["first"]], "Item"),
        "halls": Resolved(lambda _root, _arguments: HALLS, "Hall"),
    },
    "Hall": {"name": leaf("name"), "aisles": _inside("Aisle")},
    "Aisle": {"name": leaf("name"), "racks": _inside("Rack")},
    "Rack": {"name": leaf("name"), "shelves": _inside("Shelf")},
    "Shelf": {"name": leaf("name"), "items": _inside("Item")},
    "Item": {
        **{name: leaf(name) for name in ("sku", "name", "description", "quantity", "price")},
        "discount": Resolved(_discount, may_fail=True),
        **_traits(),
    },
}

_HEAD = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key"])\n'
_ITEM = 'type Item @key(fields: "sku") {{ sku: ID! {} }}\n'


def _trait_sdl(subgraph: int) -> str:
    traits = " ".join(f"{trait_name(subgraph, trait)}: Int!" for trait in range(TRAITS))
    return _HEAD + _ITEM.format(f"{traits} {similar_name(subgraph)}: [Item!]!")


SDL = {
    "items": _HEAD
    + "type Query { items(first: Int!): [Item!]! }\n"
    + _ITEM.format("name: String! description: String!"),
    "stock": _HEAD
    + "type Query { halls: [Hall!]! }\n"
    + "type Hall { name: String! aisles: [Aisle!]! }\ntype Aisle { name: String! racks: [Rack!]! }\n"
    + "type Rack { name: String! shelves: [Shelf!]! }\ntype Shelf { name: String! items: [Item!]! }\n"
    + _ITEM.format("quantity: Int!"),
    "prices": _HEAD + _ITEM.format("price: Int! discount: Int"),
    **{f"traits{subgraph:02}": _trait_sdl(subgraph) for subgraph in range(TRAIT_SUBGRAPHS)},
}


def entity(_subgraph: str, representation: Fact) -> Fact | None:
    """The item that a representation names; each subgraph knows all of them."""
    return ITEM_BY_SKU.get(representation["sku"])


DEPOT = ServedGraph(
    name="depot",
    sdl=SDL,
    fields=FIELDS,
    entity=entity,
    fixed=frozenset(id(fact) for fact in (*ITEMS, *PLACES)),
)
