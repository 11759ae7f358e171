"""What an operator asks of Postgres: connections, locks, slow statements, bloat, vacuum; `fittracker db VERB`.

Each verb is one statement, run in each of the four databases with psql, so that what it does can be read and repeated by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from deploy.databases import run_postgres
from deploy.errors import FriendlyError


@dataclass(frozen=True, slots=True)
class View:
    """One question, asked in each database as its own role: Postgres hides from a role what others' connections do.

    `instead` is the database of the same server that is asked in the domain's place, as the domain's role.
    """

    meaning: str
    statement: str
    instead: str | None = None


VIEWS: dict[str, View] = {
    "connections": View(
        "who is connected, by state, and for how long the oldest has been in it",
        """SELECT datname, usename, application_name, state, count(*) AS connections,
                  max(now() - state_change)::interval(0) AS longest
           FROM pg_stat_activity WHERE datname = current_database() GROUP BY 1, 2, 3, 4 ORDER BY connections DESC LIMIT 40""",
    ),
    "locks": View(
        "who waits for whom: the waiting statement and the one that holds what it wants",
        """SELECT waiting.pid AS waiting, (now() - waiting.query_start)::interval(0) AS since,
                  left(waiting.query, 60) AS wants, holder.pid AS holder, holder.state, left(holder.query, 60) AS holds
           FROM pg_stat_activity AS waiting
           CROSS JOIN LATERAL unnest(pg_blocking_pids(waiting.pid)) AS blocking(pid)
           JOIN pg_stat_activity AS holder ON holder.pid = blocking.pid
           WHERE waiting.datname = current_database()""",
    ),
    "running": View(
        "statements that have been running for longer than a second",
        """SELECT pid, datname, (now() - query_start)::interval(0) AS since, wait_event_type AS waits, left(query, 80) AS statement
           FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid() AND now() - query_start > interval '1 second'
           ORDER BY query_start LIMIT 20""",
    ),
    "slow": View(
        "the subgraph's statements that took the most time in all (needs pg_stat_statements)",
        """SELECT calls, round(total_exec_time)::bigint AS total_ms, round(mean_exec_time::numeric, 2) AS mean_ms, rows,
                  left(regexp_replace(query, '\\s+', ' ', 'g'), 90) AS statement
           FROM pg_stat_statements WHERE userid = (SELECT oid FROM pg_roles WHERE rolname = current_user)
           ORDER BY total_exec_time DESC LIMIT 15""",
        instead="postgres",
    ),
    "tables": View(
        "size, dead rows and the last vacuum of each table; more than a fifth of dead rows is bloat",
        """SELECT relname AS "table", pg_size_pretty(pg_total_relation_size(relid)) AS size, n_live_tup AS live, n_dead_tup AS dead,
                  round(100.0 * n_dead_tup / greatest(n_live_tup + n_dead_tup, 1), 1) AS dead_percent,
                  coalesce(last_autovacuum, last_vacuum)::timestamp(0) AS vacuumed
           FROM pg_stat_user_tables ORDER BY pg_total_relation_size(relid) DESC LIMIT 20""",
    ),
    "indexes": View(
        "indexes that nothing has used since the statistics began; unique ones are left out",
        """SELECT relname AS "table", indexrelname AS index, pg_size_pretty(pg_relation_size(indexrelid)) AS size
           FROM pg_stat_user_indexes JOIN pg_index USING (indexrelid)
           WHERE idx_scan = 0 AND NOT indisunique ORDER BY pg_relation_size(indexrelid) DESC LIMIT 20""",
    ),
    "end-idle": View(
        "ends connections that have been idle for an hour, and those idle in a transaction for a minute",
        """SELECT pid, datname, state, pg_terminate_backend(pid) AS ended FROM pg_stat_activity
           WHERE pid <> pg_backend_pid() AND datname = current_database()
             AND ((state = 'idle' AND now() - state_change > interval '1 hour')
               OR (state LIKE 'idle in transaction%' AND now() - state_change > interval '1 minute'))""",
    ),
    "vacuum": View("removes dead rows and measures the tables anew; nobody waits for it", "VACUUM (ANALYZE)"),
}


def show(verb: str, urls: dict[str, str]) -> str:
    """Psql's tables, one a database, each below its domain's name. Raises FriendlyError."""
    view = VIEWS[verb]
    parts = []
    for domain, url in urls.items():
        where = url if view.instead is None else urlsplit(url)._replace(path=f"/{view.instead}").geturl()
        table = _ask(where, view.statement)
        parts.append(f"{domain}\n{table}")
    return "\n".join(parts)


def _ask(url: str, statement: str) -> str:
    """Raises FriendlyError, with a way out where the server only lacks its statistics."""
    try:
        return run_postgres("psql", url, "-X", "-P", "pager=off", "-P", "footer=off", "-c", statement).decode()
    except FriendlyError as error:
        if "pg_stat_statements" not in str(error):
            raise
        raise FriendlyError(
            "this Postgres keeps no statistics of statements",
            "deploy/postgres has what it needs: shared_preload_libraries, and the extension; the one of `fittracker up` has not",
        ) from None
