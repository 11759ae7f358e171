"""The shop that every gateway serves: users, products, reviews, and how each field of each type is found.

Same shape and sizes as the public federation gateways benchmark. `benchmarks.subgraph_server` answers from it by representation,
`workloads` computes the expected answers from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.served_graph import Fact, Resolved, ServedGraph, leaf

SUBGRAPHS = ("accounts", "inventory", "products", "reviews")
WORDS = "steady training beats talent when talent does not train and rest is part of the work so sleep well eat well"


def _text(length: int) -> str:
    return (WORDS + " ") * (length // len(WORDS) + 1)


def _body(length: int) -> str:
    return _text(length)[:length]


USERS: list[Fact] = [
    {"__typename": "User", "id": str(index), "name": name, "username": name.split()[0].lower(), "birthday": 1234567890}
    for index, name in enumerate(
        ("Una Hallberg", "Davit Okoro", "Kira Lindqvist", "Aydin Moreau", "Gita Farkas", "Luca Quist"), start=1
    )
]

_PRODUCTS = (
    ("Table", 899, 100, True),
    ("Couch", 1299, 1000, False),
    ("Glass", 15, 20, False),
    ("Chair", 499, 100, False),
    ("TV", 1299, 1000, True),
    ("Lamp", 6999, 300, True),
    ("Grill", 3999, 2000, True),
    ("Fridge", 100000, 6000, False),
    ("Sofa", 9999, 800, True),
)
PRODUCTS: list[Fact] = [
    {"__typename": "Product", "upc": str(index), "name": name, "price": price, "weight": weight, "inStock": in_stock}
    for index, (name, price, weight, in_stock) in enumerate(_PRODUCTS, start=1)
]

#: Product and length of each review's text.
_REVIEWS = (
    (1, 445),
    (1, 290),
    (1, 275),
    (1, 146),
    (2, 445),
    (2, 290),
    (2, 275),
    (2, 146),
    (3, 146),
    (4, 146),
    (4, 860),
)
REVIEWS: list[Fact] = [
    {"__typename": "Review", "id": str(index), "body": _body(length), "upc": str(product)}
    for index, (product, length) in enumerate(_REVIEWS, start=1)
]

USER_BY_ID = {user["id"]: user for user in USERS}
PRODUCT_BY_UPC = {product["upc"]: product for product in PRODUCTS}
REVIEW_BY_ID = {review["id"]: review for review in REVIEWS}
REVIEWS_BY_UPC = {upc: [r for r in REVIEWS if r["upc"] == upc] for upc in PRODUCT_BY_UPC}


def shipping_estimate(price: int | None, weight: int | None) -> int | None:
    if price is not None and price > 1000:
        return 0
    return None if weight is None else weight // 2


def _top_products(_root: Fact, arguments: Mapping[str, Any]) -> list[Fact]:
    return PRODUCTS[: arguments.get("first", 5)]


#: Field resolvers by type, for the graph as a whole; a subgraph uses those that its own schema has.
FIELDS: Mapping[str, Mapping[str, Resolved]] = {
    "Query": {
        "me": Resolved(lambda _r, _a: USERS[0], "User"),
        "user": Resolved(lambda _r, arguments: USER_BY_ID.get(arguments["id"]), "User"),
        "users": Resolved(lambda _r, _a: USERS, "User"),
        "topProducts": Resolved(_top_products, "Product"),
    },
    "User": {
        "id": leaf("id"),
        "name": leaf("name"),
        "username": leaf("username"),
        "birthday": leaf("birthday"),
        "reviews": Resolved(lambda _user, _a: REVIEWS[:2], "Review"),
    },
    "Product": {
        "upc": leaf("upc"),
        "name": leaf("name"),
        "price": leaf("price"),
        "weight": leaf("weight"),
        "inStock": leaf("inStock"),
        "shippingEstimate": Resolved(lambda product, _a: shipping_estimate(product["price"], product["weight"])),
        "reviews": Resolved(lambda product, _a: REVIEWS_BY_UPC.get(product["upc"], []), "Review"),
    },
    "Review": {
        "id": leaf("id"),
        "body": leaf("body"),
        "product": Resolved(lambda review, _a: PRODUCT_BY_UPC[review["upc"]], "Product"),
        "author": Resolved(lambda _review, _a: USERS[0], "User"),
    },
}


def entity(subgraph: str, representation: Fact) -> Fact | None:
    """The object that a representation names, as one subgraph knows it: inventory has only the price it is sent."""
    typename = representation["__typename"]
    if typename == "User":
        return USER_BY_ID.get(representation["id"])
    if typename == "Review":
        return REVIEW_BY_ID.get(representation["id"])
    product = PRODUCT_BY_UPC.get(representation["upc"])
    if product is None or subgraph != "inventory":
        return product
    return {**product, "price": representation.get("price"), "weight": representation.get("weight")}


SHOP = ServedGraph(
    name="shop",
    sdl={name: (Path(__file__).parent / "subgraphs" / f"{name}.graphql").read_text() for name in SUBGRAPHS},
    fields=FIELDS,
    entity=entity,
    fixed=frozenset(id(fact) for fact in (*USERS, *PRODUCTS, *REVIEWS)),
)
