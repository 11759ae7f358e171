"""Indexing anew what another version of the rules indexed, batch by batch, while others write."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.search.store import SearchIndex

BATCH_ROWS = 500


async def renew_index(
    transaction: Callable[[], AbstractAsyncContextManager[AsyncConnection]],
    index: SearchIndex,
    outdated: TextClause,
    write: Callable[[AsyncConnection, Sequence[Mapping[str, Any]]], Awaitable[None]],
) -> int:
    """Returns how many were indexed.

    `outdated` reads up to `:limit` rows with ids beyond `:after`, by id, that were not indexed by `:version`, and locks them;
    `write` indexes them. What is written while this runs is indexed by its writer.
    """
    renewed, after = 0, ""
    while True:
        async with transaction() as connection:
            parameters = {"version": index.version, "limit": BATCH_ROWS, "after": after}
            rows = (await connection.execute(outdated, parameters)).mappings().all()
            await write(connection, [dict(row) for row in rows])
        if not rows:
            return renewed
        renewed += len(rows)
        after = rows[-1]["id"]
