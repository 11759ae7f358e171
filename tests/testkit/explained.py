"""A reader that has Postgres tell how it executes each statement: which tables it scans and how many rows it reads."""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Explained:
    """One executed statement and its plan, as EXPLAIN (ANALYZE, BUFFERS) tells it."""

    statement: str
    plan: Mapping[str, Any]

    @property
    def whole_tables(self) -> set[str]:
        """Tables that were read from one end to the other."""
        return {
            node["Relation Name"] for node in self._nodes() if node["Node Type"] == "Seq Scan" and node["Actual Loops"]
        }

    @property
    def rows_read(self) -> int:
        """Rows that scans of tables gave, and rows that they read and dropped."""
        dropped = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
        return sum(
            round((node["Actual Rows"] + sum(node.get(name, 0) for name in dropped)) * node["Actual Loops"])
            for node in self._nodes()
            if "Relation Name" in node
        )

    @property
    def buffers(self) -> int:
        """Pages of 8 kB that were looked at, in memory or not."""
        return int(self.plan["Shared Hit Blocks"] + self.plan["Shared Read Blocks"])

    def _nodes(self) -> Iterator[Mapping[str, Any]]:
        waiting = [self.plan]
        while waiting:
            node = waiting.pop()
            waiting += node.get("Plans", ())
            yield node


@dataclass(slots=True)
class ExplainingReader:
    """A `Reader` over one connection; `explained` tells of every statement in order."""

    connection: AsyncConnection
    explained: list[Explained] = field(default_factory=list)

    async def execute(self, statement: TextClause, parameters: Mapping[str, Any], /) -> Iterable[Any]:
        explain = text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement.text}")
        told = (await self.connection.execute(explain, parameters)).scalar_one()
        (answer,) = orjson.loads(told) if isinstance(told, str) else told
        self.explained.append(Explained(statement.text, answer["Plan"]))
        return (await self.connection.execute(statement, parameters)).all()


def reads_of(loaders: type) -> set[str]:
    """The names of the queries that a subgraph's loaders run, which is all that its API reads but pages by name."""
    return set(re.findall(r"self\._read\((\w+)\)", inspect.getsource(loaders)))
