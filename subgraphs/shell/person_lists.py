"""Lists of several people, each read in one statement: everybody's, a page of it, or how many everybody has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.keyset import Page
from subgraphs.shell.read_pool import Reader

RecordT = TypeVar("RecordT")


async def list_of_each(
    connection: Reader | AsyncConnection,
    statement: TextClause,
    parameters: Mapping[str, object],
    record: Callable[..., RecordT],
    *,
    owner: int = 1,
) -> dict[str, list[RecordT]]:
    """Several people's lists, each in the order of the rows.

    `record` is called with the columns of a row, of which the one at `owner` is the person's id. A person without a row is
    not in what comes back.
    """
    by_user: defaultdict[str, list[RecordT]] = defaultdict(list)
    for row in await connection.execute(statement, parameters):
        by_user[row[owner]].append(record(*row))
    return by_user


async def page_of_each(
    connection: Reader,
    statement: TextClause,
    user_ids: Sequence[str],
    page: Page,
    record: Callable[..., RecordT],
    *,
    owner: int = 1,
    **narrowed: object,
) -> dict[str, list[RecordT]]:
    """The same page of several people's lists: nearest to the page's cursor first, up to its limit each.

    `statement` takes `user_ids`, `limit`, the page's keys, and `narrowed`; `record` and `owner` are as for `list_of_each`.
    """
    parameters = {"user_ids": list(user_ids), "limit": page.limit, **narrowed, **page.keys}
    return await list_of_each(connection, statement, parameters, record, owner=owner)


async def count_of_each(
    connection: Reader | AsyncConnection, statement: TextClause, user_ids: Sequence[str]
) -> dict[str, int]:
    """How many each person has who has any. `statement` takes `user_ids`; its rows are a person's id and a number."""
    return {row[0]: row[1] for row in await connection.execute(statement, {"user_ids": list(user_ids)})}
