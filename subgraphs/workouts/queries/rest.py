"""How long people rest after a set where nothing else is planned."""

from collections.abc import Sequence

from sqlalchemy import text

from subgraphs.shell.read_pool import Reader, any_of

_DEFAULTS = text(f"SELECT user_id, seconds FROM default_rest WHERE user_id = {any_of('user_ids')}")  # noqa: S608


async def default_rests(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """The seconds of each person who set any."""
    return {row[0]: row[1] for row in await connection.execute(_DEFAULTS, {"user_ids": list(user_ids)})}
