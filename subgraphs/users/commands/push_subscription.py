"""Where a person's browsers take push messages: registered, removed, and forgotten with the session."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.context import Resources
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError
from subgraphs.users.domain.web_push import MOST_SUBSCRIPTIONS, check_endpoint, read_keys
from subgraphs.users.queries.account import lock_account
from subgraphs.users.queries.push_subscription import PushSubscriptionRecord, push_subscriptions_by_user

# An endpoint is one browser's, and known to nobody else: whoever signs in there next takes it over.
_KEEP = text(
    "INSERT INTO push_subscription (id, user_id, endpoint, p256dh, auth, session_id, created_at)"
    " VALUES (:id, :user_id, :endpoint, :p256dh, :auth, :session_id, :now)"
    " ON CONFLICT (endpoint) DO UPDATE SET user_id = excluded.user_id, p256dh = excluded.p256dh, auth = excluded.auth,"
    " session_id = excluded.session_id, created_at = excluded.created_at RETURNING id"
)
_REMOVE = text("DELETE FROM push_subscription WHERE id = :id AND user_id = :user_id")
_END = text("DELETE FROM push_subscription WHERE session_id = ANY(:ids)")


async def register_push_subscription(
    viewer: Viewer, *, endpoint: str, p256dh: str, auth: str, resources: Resources
) -> PushSubscriptionRecord:
    """Have notifications sent to a browser; the same one again is kept once, with its newest keys.

    Raises ValidationError for what no browser gives, ConflictError for too many and where nothing is sent at all.
    """
    settings = resources.settings
    if settings.web_push_key is None:
        raise ConflictError("This platform sends no push messages.")
    checks = Checks()
    check_endpoint(checks, endpoint, frozenset(settings.web_push_trusted))
    keys = read_keys(checks, p256dh, auth)
    checks.done()
    assert keys is not None  # what is wrong with them was raised
    async with resources.database.transaction() as transaction:
        if await lock_account(transaction, viewer.id) is None:  # and calls of one person take turns, for the quota
            raise NotFoundError("This account does not exist.")
        known = (await push_subscriptions_by_user(transaction, [viewer.id])).get(viewer.id, ())
        if len(known) >= MOST_SUBSCRIPTIONS and all(each.endpoint != endpoint for each in known):
            raise ConflictError(f"There may be at most {MOST_SUBSCRIPTIONS} push subscriptions: remove one first.")
        row = {
            "id": new_id(),
            "user_id": viewer.id,
            "endpoint": endpoint,
            "p256dh": keys.p256dh,
            "auth": keys.auth,
            "session_id": viewer.session_id,
            "now": resources.now(),
        }
        kept = str(await transaction.scalar(_KEEP, row))
        found = (await push_subscriptions_by_user(transaction, [viewer.id]))[viewer.id]
        return next(each for each in found if each.id == kept)


async def remove_push_subscription(viewer: Viewer, subscription_id: str, *, resources: Resources) -> None:
    """Send nothing more to a browser of the viewer. Raises NotFoundError, for others' too."""
    async with resources.database.transaction() as transaction:
        if not (await transaction.execute(_REMOVE, {"id": subscription_id, "user_id": viewer.id})).rowcount:
            raise NotFoundError("There is no such push subscription.")


async def end_push_subscriptions(transaction: AsyncConnection, session_ids: Sequence[str]) -> None:
    """A session that ended takes no push messages any more."""
    if session_ids:
        await transaction.execute(_END, {"ids": list(session_ids)})
