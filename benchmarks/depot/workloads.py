"""The operations that are asked of the depot: each is large, deep, wide or failing in its own way."""

from __future__ import annotations

import random
from collections.abc import Sequence

from benchmarks.depot.facts import DEPOT, ITEM_COUNT, TRAIT_SUBGRAPHS, TRAITS, similar_name, trait_name
from benchmarks.workload import Workload

#: How many different operations `many-plans` sends in turn.
MANY_PLANS = 300
#: Connections of the workloads of which a single request is much work for a gateway.
LARGE_AT_ONCE = 8
_TRAIT_NAMES = [trait_name(subgraph, trait) for subgraph in range(TRAIT_SUBGRAPHS) for trait in range(TRAITS)]


def _wide_operation(source: random.Random, alias: str = "") -> str:
    """Three levels of items, some 60 fields of all the subgraphs of traits; the two hops are each by another subgraph."""
    first, second = source.sample(range(TRAIT_SUBGRAPHS), 2)
    outer, middle, inner = (" ".join(source.sample(_TRAIT_NAMES, count)) for count in (30, 20, 10))
    return (
        f"{{ {alias}items(first: 5) {{ sku name price {outer} "
        f"{similar_name(first)} {{ sku name {middle} {similar_name(second)} {{ sku quantity {inner} }} }} }} }}"
    )


def _wide_operations(count: int, alias: str = "") -> Sequence[str]:
    source = random.Random(1)
    return [_wide_operation(source, alias) for _ in range(count)]


_first, *_more = _wide_operations(MANY_PLANS)
_first_cold, *_more_cold = _wide_operations(20, "aCOUNTER: ")
DEEP = "{ halls { name aisles { name racks { name shelves { name items { sku name quantity price } } } } } }"

DEPOT_WORKLOADS = (
    Workload(
        "many-plans",
        f"{MANY_PLANS} operations in turn, each over most of 19 subgraphs",
        DEPOT,
        _first,
        more=tuple(_more),
    ),
    Workload(
        "many-plans-cold",
        "twenty of the same kind, each time under an alias never seen before",
        DEPOT,
        _first_cold,
        more=tuple(_more_cold),
    ),
    Workload(
        "large-answer",
        "8 MB of one subgraph",
        DEPOT,
        "{ items(first: 9000) { sku name description } }",
        is_distinct=True,
        most_connections=LARGE_AT_ONCE,
    ),
    Workload(
        "many-entities",
        "10,000 representations",
        DEPOT,
        f"{{ items(first: {ITEM_COUNT}) {{ sku quantity }} }}",
        is_distinct=True,
        most_connections=LARGE_AT_ONCE,
    ),
    Workload(
        "deep-lists",
        "lists in lists, 1,024 entities that two more subgraphs tell of at their end",
        DEPOT,
        DEEP,
        is_distinct=True,
    ),
    #: As many errors as our router tells of one subgraph's answer: of more it says that there were more.
    Workload(
        "errors", "of 600 entities a third fails", DEPOT, "{ items(first: 600) { sku discount } }", is_distinct=True
    ),
)
