"""`fittracker traces TEXT`: which rows of the four databases still have it; how an erasure is proven."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from deploy.databases import run_postgres

#: What stays on purpose: that somebody was erased and when, and what administrators did, both by id alone.
KEPT: Mapping[str, str] = {
    "erased_user": "so that late events about the erased are dropped",
    "inbox": "ids, so that no old version comes back",
    "outbox": "in users, for 100 days: the event that says that the person is erased",
    "audit_entry": "what administrators did",
}
_TABLES = "SELECT json_agg(relname ORDER BY relname) FROM pg_stat_user_tables WHERE schemaname = 'public'"


@dataclass(frozen=True, slots=True)
class Trace:
    """So many rows of a table have the text; `kept` says why they stay, None for what should not be there."""

    domain: str
    table: str
    rows: int
    kept: str | None


def traces_of(text: str, urls: Mapping[str, str]) -> Iterator[Trace]:
    """Every table that has the text in any column. Reads all rows of all tables. Raises FriendlyError."""
    for domain, url in urls.items():
        tables: list[str] = json.loads(run_postgres("psql", url, "-XAtqc", _TABLES) or b"[]")
        for table in tables:
            rows = _rows_with(text, url, table)
            if rows:
                kept = KEPT.get(table) if table != "outbox" or domain == "users" else None
                yield Trace(domain, table, rows, kept)


def _rows_with(text: str, url: str, table: str) -> int:
    """Without regard to case; the text goes as a quoted literal, and % and _ in it mean themselves."""
    pattern = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_").replace("'", "''")
    statement = f"""SELECT count(*) FROM "{table}" AS each WHERE each::text ILIKE '%{pattern}%'"""  # noqa: S608
    return int(run_postgres("psql", url, "-XAtqc", statement) or b"0")
