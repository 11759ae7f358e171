"""What a row keeps of the request that made it, and the row that an earlier request with the same key made.

Used by commands that create. A key is one person's and of one table; `inputs.RequestKey` says when two requests are the same.
"""

from functools import cache

from sqlalchemy import Index, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.change_log import is_gone
from subgraphs.shell.database import take_turns
from subgraphs.shell.errors import ConflictError
from subgraphs.shell.inputs import MadeId, RequestKey, made_id_of, used_id


def key_index(table: str, owner: str = "user_id") -> Index:
    """What a client called one creation is unique for its owner; most rows have none."""
    where = text("idempotency_key IS NOT NULL")
    return Index(f"{table}_by_idempotency_key", owner, "idempotency_key", unique=True, postgresql_where=where)


def key_columns(request: RequestKey | None) -> dict[str, object]:
    """The columns `idempotency_key` and `idempotency_content`: both null for what no keyed request made."""
    return {
        "idempotency_key": request.key if request else None,
        "idempotency_content": request.content if request else None,
    }


async def id_of_request(
    transaction: AsyncConnection, table: str, user_id: str, request: RequestKey | None, *, owner: str = "user_id"
) -> str | None:
    """The id of the row of `table` that the same request of this person made before; None for a new key or id, and for none.

    `owner` is the column that names the person. Raises ConflictError where the key or id was used for something
    else, and for the id of what was deleted.
    """
    if request is None:
        return None
    if request.made is not None:
        # Two people who make the same id at once: the second finds the first's row.
        await take_turns(transaction, "id", request.made.id)
    row = (await transaction.execute(_by_key(table, owner), {"owner": user_id, "key": request.key})).one_or_none()
    if row is not None:
        request.refuse_other_content(row.idempotency_content)
        return str(row.id)
    if request.made is None:
        return None
    return await _id_used_before(transaction, table, user_id, request, request.made, owner)


async def id_made_before(
    transaction: AsyncConnection, table: str, user_id: str, request: RequestKey | None, *, owner: str = "user_id"
) -> str | None:
    """As `id_of_request`, where a client made the id; else None, and it is the insertion that finds an earlier row."""
    if made_id_of(request) is None:
        return None
    return await id_of_request(transaction, table, user_id, request, owner=owner)


async def _id_used_before(
    transaction: AsyncConnection, table: str, user_id: str, request: RequestKey, made: MadeId, owner: str
) -> str | None:
    """The id, where the person used it for the same; None for a new one. Raises ConflictError."""
    row = (await transaction.execute(_by_id(table, owner), {"id": made.id})).one_or_none()
    if row is None:
        if await is_gone(transaction, user_id, made.kind, made.id):
            raise ConflictError("What had this id was deleted.", field="id")
        return None
    if row.owner != user_id or row.idempotency_content != request.content:
        raise used_id()
    return made.id


@cache
def _by_id(table: str, owner: str) -> TextClause:
    return text(f"SELECT {owner} AS owner, idempotency_content FROM {table} WHERE id = :id")  # noqa: S608 - our names


@cache
def _by_key(table: str, owner: str) -> TextClause:
    return text(
        f"SELECT id, idempotency_content FROM {table}"  # noqa: S608 - our names
        f" WHERE {owner} = :owner AND idempotency_key = CAST(:key AS text)"
    )
