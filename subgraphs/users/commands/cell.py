"""One cell of several: what this platform issues carries the cell's name, and it says whether an address is one of its own.

The cell router (deploy/cells) reads both; without CELL tokens have no name, and without CELL_SECRET nobody is told anything.
"""

import hmac
from collections.abc import Sequence
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from subgraphs.shell.auth import bearer_token
from subgraphs.shell.context import Resources
from subgraphs.shell.errors import UnauthenticatedError
from subgraphs.users.domain.account import email_key
from subgraphs.users.queries.account import account_by_email

LOOKUP_PATH = "/cell/account"
_MARK = "."  # no character of secrets.token_urlsafe, nor of a cell's name


class _Question(msgspec.Struct):
    email: Annotated[str, msgspec.Meta(max_length=1024)]


def marked(token: str, cell: str | None) -> str:
    """The token with its cell in front, `eu-1.Rm9v...`; as it is where there are no cells."""
    return token if cell is None else f"{cell}{_MARK}{token}"


def mark_of(token: str) -> str | None:
    """The cell that a token names; None where it names none."""
    cell, mark, _ = token.partition(_MARK)
    return cell if mark else None


def cell_routes(resources: Resources) -> Sequence[Route]:
    """`POST /cell/account {"email": ...}`: 200 and since when the address has an account, or 404. None without CELL_SECRET.

    It tells who has an account, which no client may learn: it is for the cell router, over the net that subgraphs share.
    """
    secret = resources.settings.cell_secret
    if secret is None:
        return ()

    async def look_up(request: Request) -> Response:
        try:
            shown = bearer_token(request.headers.get("authorization")) or ""
        except UnauthenticatedError:
            shown = ""
        if not hmac.compare_digest(shown.encode(), secret.encode()):
            return JSONResponse({"error": "This needs the cells' secret."}, 401)
        try:
            email = msgspec.json.decode(await request.body(), type=_Question).email
        except msgspec.DecodeError:
            return JSONResponse({"error": 'The body must be {"email": ...}.'}, 400)
        async with resources.database.transaction() as transaction:
            account = await account_by_email(transaction, email_key(email))
        if account is None:
            return JSONResponse({}, 404)
        return JSONResponse(
            {"since": account.created_at.timestamp(), "verified": account.email_verified_at is not None}
        )

    return (Route(LOOKUP_PATH, look_up, methods=["POST"]),)
