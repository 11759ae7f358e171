"""What an access token says. Signing in and API keys issue them, and nothing else does."""

from collections.abc import Iterable

from events.envelope import new_id
from subgraphs.shell.auth import AUDIENCE, ISSUER
from subgraphs.shell.context import Resources
from subgraphs.users.queries.account import AccountRecord


def sign_access_token(
    account: AccountRecord,
    session_id: str,
    *,
    scopes: Iterable[str],
    roles: Iterable[str],
    lifetime: int,
    resources: Resources,
) -> str:
    """A token of this session, or of the API key of this id, for `lifetime` seconds."""
    issued_at = int(resources.now().timestamp())
    claims = {
        "sub": account.id,
        "name": account.display_name,
        "roles": list(roles),
        "scope": " ".join(scopes),
        "zoneinfo": account.time_zone,
        "day_start": account.day_start_hour,
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": issued_at,
        "exp": issued_at + lifetime,
        "jti": new_id(),
        "sid": session_id,
        "use": "access",
        **({"cell": cell} if (cell := resources.settings.cell) is not None else {}),
    }
    return resources.key_ring.sign(claims)
