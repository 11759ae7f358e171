"""How many rows each table of a database has: noted by `create`, compared by `restore`."""

from __future__ import annotations

import json

from deploy.databases import run_postgres

_TABLES = "SELECT json_agg(format('%I.%I', schemaname, relname) ORDER BY relname) FROM pg_stat_user_tables"


def count_rows(url: str) -> dict[str, int]:
    """Table name -> rows, counted in one statement and so at one instant."""
    tables: list[str] = json.loads(run_postgres("psql", url, "-XAtqc", _TABLES) or b"null") or []
    if not tables:
        return {}
    counts = " UNION ALL ".join(
        f"SELECT '{table.partition('.')[2]}' AS name, (SELECT count(*) FROM {table}) AS rows"  # noqa: S608 - quoted by Postgres
        for table in tables
    )
    found = run_postgres("psql", url, "-XAtqc", f"SELECT json_object_agg(name, rows) FROM ({counts}) AS counted")  # noqa: S608 - as above
    return {str(name).strip('"'): int(rows) for name, rows in json.loads(found).items()}
