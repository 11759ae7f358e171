"""Fasts: begun, ended, corrected, deleted. No two of a person overlap. They tell nobody else anything."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.nutrition.domain.fast import MOST_FASTS, check_fast
from subgraphs.nutrition.queries.fast import FAST_COLUMNS, FastRecord, fasts_by_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database, take_turns
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, expect_version
from subgraphs.shell.idempotency import id_of_request, key_columns
from subgraphs.shell.inputs import RequestKey, made_id_of

_COUNT = text("SELECT count(*) FROM fast WHERE user_id = :user_id")
# None of a person's fasts overlap: of those that began before this one ends, the newest ends last.
_OVERLAPS = text(
    "SELECT coalesce((SELECT ended_at IS NULL OR ended_at > :started_at FROM fast WHERE user_id = :user_id AND id <> :id"
    " AND started_at < coalesce(CAST(:ended_at AS timestamptz), 'infinity') ORDER BY started_at DESC LIMIT 1), false)"
)
_INSERT = text(
    "INSERT INTO fast (id, user_id, started_at, ended_at, target_minutes, idempotency_key, idempotency_content)"
    " VALUES (:id, :user_id, :started_at, :ended_at, :target_minutes, :idempotency_key, :idempotency_content)"
)
_UPDATE = text(
    "UPDATE fast SET started_at = :started_at, ended_at = :ended_at, target_minutes = :target_minutes,"
    " version = version + 1 WHERE id = :id"
)
_LOCK = text(f"SELECT {FAST_COLUMNS} FROM fast WHERE id = :id AND user_id = :user_id FOR UPDATE")  # noqa: S608


async def start_fast(
    viewer: Viewer,
    started_at: datetime,
    target_minutes: int | None,
    request: RequestKey | None,
    *,
    database: Database,
    now: datetime,
) -> FastRecord:
    """Begin one that runs until it is ended. Raises ValidationError, and ConflictError where another runs or was then."""
    fast = FastRecord(made_id_of(request) or new_id(), viewer.id, started_at, None, target_minutes, 1)
    _check(fast, now)
    async with database.transaction() as transaction:
        await take_turns(transaction, "fast", viewer.id)
        earlier = await id_of_request(transaction, "fast", viewer.id, request)
        if earlier is not None:
            return (await fasts_by_id(transaction, [earlier]))[earlier]
        if (await transaction.execute(_COUNT, {"user_id": viewer.id})).scalar_one() >= MOST_FASTS:
            raise ConflictError(f"There may be at most {MOST_FASTS} fasts: delete some first.")
        await _refuse_overlap(transaction, fast)
        await transaction.execute(_INSERT, _row(fast) | {"user_id": viewer.id} | key_columns(request))
        return fast


async def update_fast(
    viewer: Viewer,
    fast_id: str,
    changes: Mapping[str, Any],
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> FastRecord:
    """End or correct one; `changes` are fields of FastRecord.

    Raises NotFoundError, StaleVersionError, ValidationError, and ConflictError where it would overlap another.
    """
    async with database.transaction() as transaction:
        await take_turns(transaction, "fast", viewer.id)
        fast = replace(await _locked(transaction, viewer, fast_id, expected_version), **changes)
        _check(fast, now)
        await _refuse_overlap(transaction, fast)
        await transaction.execute(_UPDATE, _row(fast))
        return (await fasts_by_id(transaction, [fast_id]))[fast_id]


async def delete_fast(viewer: Viewer, fast_id: str, *, expected_version: int | None, database: Database) -> None:
    """Raises NotFoundError, for another person's too, and StaleVersionError."""
    async with database.transaction() as transaction:
        await _locked(transaction, viewer, fast_id, expected_version)
        await transaction.execute(text("DELETE FROM fast WHERE id = :id"), {"id": fast_id})


def _check(fast: FastRecord, now: datetime) -> None:
    checks = Checks()
    check_fast(checks, fast.started_at, fast.ended_at, fast.target_minutes, now)
    checks.done()


async def _refuse_overlap(transaction: AsyncConnection, fast: FastRecord) -> None:
    span = {"id": fast.id, "user_id": fast.user_id, "started_at": fast.started_at, "ended_at": fast.ended_at}
    if (await transaction.execute(_OVERLAPS, span)).scalar_one():
        raise ConflictError("Another fast of yours runs, or was then.", field="startedAt")


async def _locked(
    transaction: AsyncConnection, viewer: Viewer, fast_id: str, expected_version: int | None
) -> FastRecord:
    row = (await transaction.execute(_LOCK, {"id": fast_id, "user_id": viewer.id})).one_or_none()
    if row is None:
        raise NotFoundError("There is no such fast.")
    fast = FastRecord(*row)
    expect_version("fast", expected=expected_version, current=fast.version)
    return fast


def _row(fast: FastRecord) -> dict[str, Any]:
    return {
        "id": fast.id,
        "started_at": fast.started_at,
        "ended_at": fast.ended_at,
        "target_minutes": fast.target_minutes,
    }
