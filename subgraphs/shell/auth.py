"""Who is asking. Every subgraph verifies the token itself; `context` asks here, and only users signs tokens.

HS256 with a key ring: a secret that was rotated out still verifies, so a rotation logs nobody out.
"""

import base64
import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from router.token_errors import WRONG_TOKEN_ERRORS
from subgraphs.shell.calendar import WeekStart
from subgraphs.shell.errors import NobodyReason, UnauthenticatedError
from subgraphs.shell.grant_area import GrantArea, PlanArea
from subgraphs.shell.key_scope import READ, KeyScope, reading
from subgraphs.shell.settings import SECRET_BYTES, Settings

ISSUER = "fittracker"
AUDIENCE = "fittracker"
ALGORITHM = "HS256"
ADMIN = "ADMIN"
_REMEMBERED_TOKENS = 4096
_REQUIRED_CLAIMS = ["sub", "exp", "iat", "iss", "aud", "use"]


@dataclass(frozen=True, slots=True)
class Viewer:
    """The authenticated person, as the token tells. The clock is as of its issue, or, where it is recent, as the person
    set it since, with `clock_version` of the account: newer than what a subgraph has replicated until it has that version.
    """

    id: str
    display_name: str
    roles: frozenset[str]
    session_id: str
    expires_at: float
    scopes: frozenset[str] = frozenset()
    time_zone: str = "UTC"
    day_start_hour: int = 0
    week_start: WeekStart = WeekStart.MONDAY
    clock_version: int | None = None

    @property
    def clock_is_recent(self) -> bool:
        return self.clock_version is not None

    @property
    def is_admin(self) -> bool:
        return ADMIN in self.roles

    @property
    def is_limited(self) -> bool:
        """Whether the token may do only what its scopes name: an API key's, where a sign-in's may do what the person may."""
        return READ not in self.scopes

    @property
    def api_key_id(self) -> str | None:
        """Of an API key's token, which has the key's id in place of a session's; None of a sign-in's."""
        return self.session_id if self.is_limited else None

    def reaches(self, area: GrantArea | None) -> bool:
        """Whether the token may read what is in this area; None: what every key may, such as the person's name."""
        return not self.is_limited or area is None or reading(area) in self.scopes

    def plans_for_others(self, area: PlanArea) -> bool:
        """Whether the token may plan in this area for whoever lets the person; a mutation asks for its writing scope itself."""
        return not self.is_limited or (KeyScope.PLAN_FOR_CLIENTS in self.scopes and self.reaches(area.reading))

    def may_read(self, user_id: str) -> bool:
        """Without a grant, and whatever the token's scopes; `sharing.may_read` asks for those too."""
        return user_id == self.id or self.is_admin


class KeyRing:
    """The secrets that sign and verify: the current one, and those before it, which only verify."""

    def __init__(
        self, current: str, previous: tuple[str, ...] = (), *, seconds: Callable[[], float] = time.time
    ) -> None:
        """`seconds` since the epoch are the time by which tokens expire."""
        self._seconds = seconds
        self._kid = key_id(current)
        self._secrets = {key_id(secret): secret for secret in (*previous, current)}
        if any(len(secret.encode()) < SECRET_BYTES for secret in self._secrets.values()):
            raise ValueError(f"signing secrets need at least {SECRET_BYTES} bytes")
        self._verified: OrderedDict[str, Viewer] = OrderedDict()

    @classmethod
    def of(cls, settings: Settings, seconds: Callable[[], float] = time.time) -> "KeyRing":
        return cls(settings.jwt_secret, settings.jwt_previous_secrets, seconds=seconds)

    def sign(self, claims: Mapping[str, Any]) -> str:
        return jwt.encode(dict(claims), self._secrets[self._kid], ALGORITHM, headers={"kid": self._kid})

    def successors(self, token: str) -> tuple[str, ...]:
        """What follows a one-time token, under the current secret and under those before it, in this order.

        Always the same for the same token, so that it can be given again without being stored, and not to be found out
        without a secret.
        """
        return tuple(
            base64.urlsafe_b64encode(hmac.digest(secret.encode(), b"successor of " + token.encode(), "sha256"))
            .rstrip(b"=")
            .decode()
            for secret in reversed(self._secrets.values())
        )

    def pseudonym(self, text: str) -> str:
        """For logs, of what can be guessed, such as an address: the same for the same text until the secret is another one, and not
        to be found out by trying all texts without it.
        """
        secret = self._secrets[self._kid].encode()
        return hmac.digest(secret, b"pseudonym of " + text.encode(), "sha256").hex()[:12]

    def verify(self, token: str) -> Viewer:
        """Raises UnauthenticatedError unless this is an access token of ours that has not expired."""
        viewer = self._verified.get(token)
        if viewer is None:
            viewer = self._decode(token)
            self._verified[token] = viewer
            if len(self._verified) > _REMEMBERED_TOKENS:
                self._verified.popitem(last=False)
        if viewer.expires_at <= self._seconds():
            raise UnauthenticatedError("The token has expired.", NobodyReason.EXPIRED)
        return viewer

    def _decode(self, token: str) -> Viewer:
        try:
            secret = self._secrets.get(jwt.get_unverified_header(token).get("kid", self._kid))
            if secret is None:
                raise UnauthenticatedError("The token is signed with an unknown key.")
            claims = jwt.decode(
                token,
                secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # When it expires `verify` sees to, by its own clock. When it was issued tells nothing (RFC 7519, 4.1.6), and
                # whoever issued it may have a clock that is a second ahead of this one.
                options={"require": _REQUIRED_CLAIMS, "verify_exp": False, "verify_iat": False},
            )
            int(claims["iat"])
            viewer = _viewer(claims)
        except WRONG_TOKEN_ERRORS:
            raise UnauthenticatedError("The token is not valid.") from None
        if claims["use"] != "access":
            raise UnauthenticatedError("The token is not an access token.")
        return viewer


def key_id(secret: str) -> str:
    """The `kid` of a secret: tells secrets apart and nothing about them."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


def bearer_token(authorization: str | None) -> str | None:
    """The token of an Authorization header; None without one. Raises UnauthenticatedError for another scheme."""
    if not authorization:
        return None
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthenticatedError("The Authorization header must be: Bearer <token>.")
    return token.strip()


def _viewer(claims: Mapping[str, Any]) -> Viewer:
    return Viewer(
        id=str(claims["sub"]),
        display_name=str(claims.get("name", "")),
        roles=frozenset(str(role) for role in claims.get("roles", ())),
        session_id=str(claims.get("sid", "")),
        expires_at=float(int(claims["exp"])),
        scopes=frozenset(str(claims.get("scope", "")).split()),
        time_zone=str(claims.get("zoneinfo", "UTC")),
        day_start_hour=int(claims.get("day_start", 0)),
    )
