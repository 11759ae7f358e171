"""Asking who is signed in for the password again, before what only the person may do. Guesses are counted."""

from subgraphs.shell.auth import Viewer
from subgraphs.shell.context import Resources
from subgraphs.shell.errors import NotFoundError, ValidationError
from subgraphs.users.commands.attempts import count_attempt, forget_attempts
from subgraphs.users.commands.password import verify_password
from subgraphs.users.queries.account import credentials_by_id


async def check_own_password(viewer: Viewer, password: str, *, resources: Resources) -> None:
    """Raises ValidationError of `currentPassword` unless it is the viewer's, RateLimitedError after too many guesses, and
    NotFoundError for a token that outlived its account.
    """
    async with resources.database.transaction() as transaction:
        credentials = await credentials_by_id(transaction, viewer.id)
    if credentials is None:
        raise NotFoundError("This account does not exist.")
    await count_attempt(resources.redis, viewer.id)
    if not await verify_password(credentials.password_hash, password):
        raise ValidationError(("currentPassword", "is wrong"))
    await forget_attempts(resources.redis, viewer.id)
