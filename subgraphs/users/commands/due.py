"""Whether a queue has something due: what its loop asks at each look, before it opens a transaction.

Most looks find nothing, and a transaction costs three round trips and a claim where this is one small read.
"""

from datetime import datetime

from sqlalchemy import TextClause

from subgraphs.shell.context import Resources
from subgraphs.shell.read_pool import Reader


async def is_due(resources: Resources, statement: TextClause) -> bool:
    """What the statement says, one row of one truth value with `now` as its only parameter. Raises what asyncpg does."""
    ask = resources.database.primary().batch_reader(_ask)  # a replica may be behind
    return await ask(statement, resources.now())


async def _ask(connection: Reader, statement: TextClause, now: datetime) -> bool:
    ((is_any,),) = await connection.execute(statement, {"now": now})
    return bool(is_any)
