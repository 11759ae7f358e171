"""The operations that are asked of the shop.

`heavy` has the shape of the public federation gateways benchmark's query; expected data come from the facts, without
any federation.
"""

from __future__ import annotations

from benchmarks.shop.facts import SHOP
from benchmarks.workload import IN_PARTS, Workload

PRODUCT = "fragment Product on Product { inStock name price shippingEstimate upc weight }"
REVIEW = "fragment Review on Review { id body }"
USER = "fragment User on User { id username name }"
INNER = "reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } }"
HEAVY = (
    f"{USER} {REVIEW} {PRODUCT} query TestQuery {{ users {{ ...User reviews {{ ...Review product {{ ...Product "
    f"{INNER} }} }} }} topProducts {{ ...Product {INNER} }} }}"
)
#: `HEAVY` with the inner reviews of each product in later parts of the answer.
DEFERRED = HEAVY.replace(INNER, f"... @defer {{ {INNER} }}")
LIGHT = "{ topProducts { upc name reviews { id } } }"
NO_HOP = "{ users { id name username birthday } }"

WORKLOADS = (
    Workload("heavy", "four subgraphs, nested entities, 50 connections", SHOP, HEAVY),
    Workload("heavy-distinct", "heavy, no two requests are identical", SHOP, HEAVY, is_distinct=True),
    Workload("light", "one root fetch and one entity hop", SHOP, LIGHT),
    Workload("light-distinct", "light, no two requests are identical", SHOP, LIGHT, is_distinct=True),
    Workload("no-hop", "one root fetch", SHOP, NO_HOP),
    Workload("no-hop-distinct", "one root fetch, no two requests are identical", SHOP, NO_HOP, is_distinct=True),
    Workload(
        "cold",
        "every request is an operation text never seen before; they differ in an alias",
        SHOP,
        "query Cold { aCOUNTER: topProducts { upc name reviews { id body } } me { id name } }",
    ),
    Workload(
        "cold-literals",
        "every request is an operation text never seen before; they differ in a literal",
        SHOP,
        "query Cold { topProducts(first: 1COUNTER) { upc name reviews { id body } } me { id name } }",
    ),
    Workload("latency-4ms", "heavy, every subgraph answers after 4 ms", SHOP, HEAVY, latency_ms=4.0),
    Workload(
        "latency-4ms-distinct",
        "latency-4ms, no two requests are identical",
        SHOP,
        HEAVY,
        latency_ms=4.0,
        is_distinct=True,
    ),
    Workload(
        "light-signed-in",
        "light of a thousand people, each with a token of their own",
        SHOP,
        LIGHT,
        is_distinct=True,
        callers=1_000,
    ),
    Workload("light-reloading", "light, with a new graph each second", SHOP, LIGHT, is_distinct=True, reloads=True),
    Workload(
        "heavy-deferred",
        "heavy, its inner reviews in later parts of the answer",
        SHOP,
        DEFERRED,
        is_distinct=True,
        accept=IN_PARTS,
    ),
)
