"""Where a person's browsers take push messages, as it is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from subgraphs.shell.person_lists import list_of_each
from subgraphs.shell.read_pool import Reader, any_of

_BY_USER = text(
    f"SELECT id, user_id, endpoint, session_id, created_at FROM push_subscription WHERE user_id = {any_of('user_ids')}"  # noqa: S608
    " ORDER BY created_at DESC, id DESC"
)


@dataclass(frozen=True, slots=True)
class PushSubscriptionRecord:
    """A browser that takes push messages, registered in a session."""

    id: str
    user_id: str
    endpoint: str
    session_id: str
    created_at: datetime


async def push_subscriptions_by_user(
    connection: Reader, user_ids: Sequence[str]
) -> dict[str, list[PushSubscriptionRecord]]:
    """All of each person, the newest first; the quota bounds them."""
    return await list_of_each(connection, _BY_USER, {"user_ids": list(user_ids)}, PushSubscriptionRecord)
