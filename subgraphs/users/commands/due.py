"""Whether a queue has something due: what its loop asks at each look, before it opens a transaction.

Most looks find nothing, and a transaction costs three round trips and a claim where this is one small read.
"""

from datetime import datetime

from sqlalchemy import TextClause

from subgraphs.shell.context import Resources
from subgraphs.shell.read_pool import Reader


async def is_due(resources: Resources, statement: TextClause) -> bool:
    """What the statement says of `now`, its only parameter: true, or false or null. Raises what asyncpg does.

    It asks for the least instant, and not whether there is one that has come: to Postgres, which plans for any `now`, a third
    of the table would have come, and looking at it row by row until one is found would seem cheap.
    """
    ask = resources.database.primary().batch_reader(_ask)  # a replica may be behind
    return await ask(statement, resources.now())


async def _ask(connection: Reader, statement: TextClause, now: datetime) -> bool:
    ((is_any,),) = await connection.execute(statement, {"now": now})
    return bool(is_any)
