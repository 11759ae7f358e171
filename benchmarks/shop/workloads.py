"""The operations that the benchmark sends, and the data that each must answer with.

`heavy` has the shape of the public federation gateways benchmark's query; expected data come from the facts, without
any federation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.shop.compiled_query import compile_query

PRODUCT = "fragment Product on Product { inStock name price shippingEstimate upc weight }"
REVIEW = "fragment Review on Review { id body }"
USER = "fragment User on User { id username name }"
INNER = "reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } }"
HEAVY = (
    f"{USER} {REVIEW} {PRODUCT} query TestQuery {{ users {{ ...User reviews {{ ...Review product {{ ...Product "
    f"{INNER} }} }} }} topProducts {{ ...Product {INNER} }} }}"
)


@dataclass(frozen=True, slots=True)
class Workload:
    """`operation` may hold `COUNTER`, which the load generator replaces by a number that is new in every request.

    With `is_distinct` every request has variables of its own, so that no gateway may answer several by one run.
    """

    name: str
    question: str
    operation: str
    latency_ms: float = 0.0
    is_distinct: bool = False

    def body(self) -> dict[str, Any]:
        """The request as JSON, `COUNTER` still in it."""
        return {"query": self.operation} | ({"variables": {"request": "COUNTER"}} if self.is_distinct else {})

    def expected(self) -> dict[str, Any]:
        """The data of the answer to `operation_text()`."""
        return compile_query(self.operation_text(), "monolith")({})

    def operation_text(self, counter: int = 0) -> str:
        return self.operation.replace("COUNTER", str(counter))


LIGHT = "{ topProducts { upc name reviews { id } } }"
NO_HOP = "{ users { id name username birthday } }"

WORKLOADS = (
    Workload("heavy", "four subgraphs, nested entities, 50 connections", HEAVY),
    Workload("heavy-distinct", "heavy, no two requests are identical", HEAVY, is_distinct=True),
    Workload("light", "one root fetch and one entity hop", LIGHT),
    Workload("light-distinct", "light, no two requests are identical", LIGHT, is_distinct=True),
    Workload("no-hop", "one root fetch", NO_HOP),
    Workload("no-hop-distinct", "one root fetch, no two requests are identical", NO_HOP, is_distinct=True),
    Workload(
        "cold",
        "every request is an operation text never seen before",
        "query Cold { aCOUNTER: topProducts { upc name reviews { id body } } me { id name } }",
    ),
    Workload("latency-4ms", "heavy, every subgraph answers after 4 ms", HEAVY, latency_ms=4.0),
    Workload(
        "latency-4ms-distinct", "latency-4ms, no two requests are identical", HEAVY, latency_ms=4.0, is_distinct=True
    ),
)
