"""Reports of what people have published, in a table beside it: counted, enough of them hide it, and a decision is done with them.

The table of what is published has `id`, `user_id`, `withdrawn_at`, `version`, `reports` (of those that count for hiding) and
`reported_at`; that of reports has the thing's id, `reporter_id`, `reason`, `at` and `decided_at`, one row of a person for a thing. Rows stay
when they are decided about, so that the same people do not hide it again; `person` says how old an account is.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.database import take_turns
from subgraphs.shell.errors import RateLimitedError
from subgraphs.shell.publication import (
    HIDES_FROM_AGE,
    MOST_REPORTS_A_DAY,
    REPORTS_THAT_HIDE,
    ModerationDecision,
    ReportReason,
)
from subgraphs.shell.read_pool import Reader

#: Of a row `shown`: neither withdrawn nor hidden by reports.
IS_OPEN = f"shown.withdrawn_at IS NULL AND shown.reports < {REPORTS_THAT_HIDE}"


class Reports:
    """The reports of one kind of things. `table` has what is published, `reports` the reports, which name it in `thing_id`."""

    def __init__(self, *, table: str, reports: str, thing_id: str, things: str) -> None:
        self._table, self._reports, self._things = table, reports, things
        self._lock = text(f"SELECT id FROM {table} WHERE id = :id FOR UPDATE")  # noqa: S608 - our names
        self._keep = text(
            f"INSERT INTO {reports} ({thing_id}, reporter_id, reason, at)"  # noqa: S608
            " VALUES (:id, :reporter_id, :reason, :now)"
            f" ON CONFLICT ({thing_id}, reporter_id) DO UPDATE SET reason = excluded.reason WHERE {reports}.decided_at IS NULL"
            " RETURNING xmax = 0"
        )
        self._of_a_day = text(
            f"SELECT count(*) FROM {reports} WHERE reporter_id = :reporter_id"  # noqa: S608
            " AND at > CAST(:now AS timestamptz) - interval '1 day'"
        )
        self._is_known = text(
            "SELECT EXISTS (SELECT FROM person WHERE user_id = :reporter_id AND status = 'ACTIVE'"
            " AND (registered_at IS NULL OR registered_at <= CAST(:known_since AS timestamptz)))"
        )
        self._tell = text(f"UPDATE {table} SET reported_at = :now WHERE id = :id")  # noqa: S608
        self._count = text(
            f"UPDATE {table} SET reports = reports + 1, reported_at = :now,"  # noqa: S608
            f" version = version + CASE WHEN reports + 1 = {REPORTS_THAT_HIDE} THEN 1 ELSE 0 END"
            " WHERE id = :id RETURNING reports"
        )
        self._decide = text(
            f"UPDATE {table} SET reports = 0, reported_at = NULL, version = version + 1,"  # noqa: S608
            " withdrawn_at = CASE WHEN :withdraws THEN COALESCE(withdrawn_at, :now) END WHERE id = :id"
        )
        self._done = text(f"UPDATE {reports} SET decided_at = :now WHERE {thing_id} = :id AND decided_at IS NULL")  # noqa: S608
        self._forget_done = text(f"DELETE FROM {reports} WHERE {thing_id} = :id AND decided_at IS NOT NULL")  # noqa: S608
        self._reasons = text(
            f"SELECT {thing_id}, reason, count(*) FROM {reports} WHERE {thing_id} = ANY(:ids) AND decided_at IS NULL"  # noqa: S608
            f" GROUP BY {thing_id}, reason ORDER BY {thing_id}, count(*) DESC, reason"
        )

    async def lock(self, transaction: AsyncConnection, thing_id: str) -> bool:
        """Whether there is such a thing, which nobody else changes before the transaction ends."""
        return await transaction.scalar(self._lock, {"id": thing_id}) is not None

    async def take_turns(self, transaction: AsyncConnection, reporter_id: str) -> None:
        """Reports of one person come one after the other; asked before the thing is locked."""
        await take_turns(transaction, self._reports, reporter_id)

    async def report(
        self, transaction: AsyncConnection, thing_id: str, reporter_id: str, reason: ReportReason, now: datetime
    ) -> bool:
        """Keep that a person finds a thing out of place, once with the latest reason; whether that hides it from now on.

        Of whoever has reported it before a decision about it nothing comes, and of a young account administrators hear alone.
        The thing is locked, and the person has taken turns. Raises RateLimitedError.
        """
        row = {"id": thing_id, "reporter_id": reporter_id, "reason": reason.value, "now": now}
        if int(await transaction.scalar(self._of_a_day, row) or 0) >= MOST_REPORTS_A_DAY:
            message = f"At most {MOST_REPORTS_A_DAY} {self._things} may be reported in a day."
            raise RateLimitedError(message, retry_after_seconds=3_600)
        if not await transaction.scalar(self._keep, row):
            return False
        if not await transaction.scalar(self._is_known, row | {"known_since": now - HIDES_FROM_AGE}):
            await transaction.execute(self._tell, row)
            return False
        return int(await transaction.scalar(self._count, row) or 0) == REPORTS_THAT_HIDE

    async def decide(
        self, transaction: AsyncConnection, thing_id: str, decision: ModerationDecision, now: datetime
    ) -> None:
        """Withdraw a locked thing, which stays withdrawn since when it was first, or show it; its reports are done with."""
        withdraws = decision is ModerationDecision.WITHDRAW
        await transaction.execute(self._decide, {"id": thing_id, "withdraws": withdraws, "now": now})
        await transaction.execute(self._done, {"id": thing_id, "now": now})

    async def is_another(self, transaction: AsyncConnection, thing_id: str) -> None:
        """What a locked thing shows is not what was decided about: whoever reported that may report this."""
        await transaction.execute(self._forget_done, {"id": thing_id})

    async def reasons(self, connection: Reader, ids: Sequence[str]) -> dict[str, list[tuple[str, int]]]:
        """How often each thing was reported for what, the most frequent first."""
        found: dict[str, list[tuple[str, int]]] = {}
        for thing_id, reason, times in await connection.execute(self._reasons, {"ids": list(ids)}):
            found.setdefault(thing_id, []).append((reason, times))
        return found
