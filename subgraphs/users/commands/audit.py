"""Entries of the audit trail: what administrators did here, and what they did elsewhere as it is told."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.users.domain.account import AuditAction

_ENTER = text(
    "INSERT INTO audit_entry (id, at, action, actor_id, subject_id, reason, before, after)"
    " VALUES (:id, :at, :action, :actor_id, :subject_id, :reason, :before, :after) ON CONFLICT (id) DO NOTHING"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that was done to an account, or to what its person published."""

    id: str
    at: datetime
    action: AuditAction
    actor_id: str
    subject_id: str
    reason: str
    before: str
    after: str


async def keep_entries(transaction: AsyncConnection, entries: Sequence[AuditEntry]) -> None:
    """Enter what was done; what is entered already under its id stays as it is."""
    for entry in entries:
        await transaction.execute(_ENTER, {**asdict(entry), "action": entry.action.value})
