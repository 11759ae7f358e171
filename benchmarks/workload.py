"""What a benchmark asks of a graph, and what has to come of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from benchmarks.compiled_query import compile_query
from benchmarks.gateways import Wanted
from benchmarks.served_graph import ServedGraph
from benchmarks.signed_in import authorizations

#: What a client accepts that takes an answer in parts.
IN_PARTS = "multipart/mixed;deferSpec=20220824"


@dataclass(frozen=True, slots=True)
class Workload:
    """One operation, or with `more` several that are sent in turn.

    Each may hold `COUNTER`, which the load generator replaces by a number that is new in every request. With `is_distinct`
    every request has variables of its own, so that no gateway may answer several by one run. `most_connections` bounds those
    of the load where answers are so large that with more of them each only waits longer.

    With `callers` so many people send it in turn, each with a token of their own, and nobody else is answered. With `reloads` the
    gateway gets a new graph each second. Where the operation has `@defer`, `accept` is IN_PARTS.
    """

    name: str
    question: str
    graph: ServedGraph
    operation: str
    latency_ms: float = 0.0
    is_distinct: bool = False
    more: tuple[str, ...] = ()
    most_connections: int | None = None
    callers: int = 0
    reloads: bool = False
    accept: str = "application/json"

    def wanted(self, subgraphs_port: int) -> Wanted:
        """Of a gateway whose subgraphs are at the port, where the key set is too."""
        jwks_url = f"http://127.0.0.1:{subgraphs_port}/jwks" if self.callers else ""
        return Wanted(jwks_url=jwks_url, reloads=self.reloads, defers=self.accept == IN_PARTS)

    def authorizations(self) -> tuple[str, ...]:
        return authorizations(self.callers) if self.callers else ("",)

    def connections(self, wanted: int) -> int:
        return wanted if self.most_connections is None else min(wanted, self.most_connections)

    def singly(self) -> list[Workload]:
        """The same of each operation alone."""
        return [replace(self, operation=operation, more=()) for operation in (self.operation, *self.more)]

    def body(self) -> dict[str, Any]:
        """The first operation's request as JSON, `COUNTER` still in it."""
        return {"query": self.operation} | ({"variables": {"request": "COUNTER"}} if self.is_distinct else {})

    def bodies(self) -> list[dict[str, Any]]:
        return [each.body() for each in self.singly()]

    def expected(self) -> dict[str, Any]:
        """The data of the answer to `operation_text()`, computed without any federation."""
        data: dict[str, Any] = self._answer()["data"]
        return data

    def expected_errors(self) -> int:
        """How many errors the answer to `operation_text()` has."""
        return len(self._answer().get("errors", ()))

    def operation_text(self, counter: int = 0) -> str:
        """The first operation, with a number in the place of `COUNTER`."""
        return self.operation.replace("COUNTER", str(counter))

    def _answer(self) -> dict[str, Any]:
        return compile_query(self.graph, self.operation_text(), "monolith").answer({})
