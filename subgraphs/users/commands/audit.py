"""Entries of the audit trail: what administrators did here, and what they did elsewhere as it is told."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.users.queries.audit import AuditRecord

_ENTER = text(
    "INSERT INTO audit_entry (id, at, action, actor_id, subject_id, reason, before, after)"
    " VALUES (:id, :at, :action, :actor_id, :subject_id, :reason, :before, :after) ON CONFLICT (id) DO NOTHING"
)


async def keep_entries(transaction: AsyncConnection, entries: Sequence[AuditRecord]) -> None:
    """Enter what was done; what is entered already under its id stays as it is."""
    for entry in entries:
        await transaction.execute(_ENTER, asdict(entry))
