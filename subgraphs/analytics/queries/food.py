"""What the facts say about foods: how often somebody ate them."""

from collections.abc import Sequence

from sqlalchemy import text

from subgraphs.shell.read_pool import Reader, opaque

_TIMES_LOGGED = text(
    "SELECT user_id, food_id, items FROM food_count WHERE (user_id, food_id) IN"  # noqa: S608 - our names
    f" (SELECT * FROM unnest({opaque('user_ids', 'text[]')}, {opaque('food_ids', 'text[]')}))"
)


async def times_logged(connection: Reader, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """(user id, food id) -> how many of that person's meal items are of that food."""
    parameters = {"user_ids": [user_id for user_id, _ in pairs], "food_ids": [food_id for _, food_id in pairs]}
    return {(row[0], row[1]): row[2] for row in await connection.execute(_TIMES_LOGGED, parameters)}
