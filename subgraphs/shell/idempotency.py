"""What a row keeps of the request that made it, and the row that an earlier request with the same key made.

Used by commands that create. A key is one person's and of one table; `inputs.RequestKey` says when two requests are the same.
"""

from functools import cache

from sqlalchemy import Index, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.inputs import RequestKey


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
    """The id of the row of `table` that the same request of this person made before; None for a new key, and for none.

    `owner` is the column that names the person. Raises ConflictError where the key was used for something else.
    """
    if request is None:
        return None
    row = (await transaction.execute(_by_key(table, owner), {"owner": user_id, "key": request.key})).one_or_none()
    if row is None:
        return None
    request.refuse_other_content(row.idempotency_content)
    return str(row.id)


@cache
def _by_key(table: str, owner: str) -> TextClause:
    return text(
        f"SELECT id, idempotency_content FROM {table}"  # noqa: S608 - our names
        f" WHERE {owner} = :owner AND idempotency_key = CAST(:key AS text)"
    )
