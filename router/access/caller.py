"""Who is calling. `authentication` makes a `Caller` of a token; authorization, rate limits and the cache read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from router.exact_json import dumps


class Refusal(StrEnum):
    """Why nobody is known, as clients read it in `extensions.reason` beside UNAUTHENTICATED."""

    NO_TOKEN = "NO_TOKEN"  # noqa: S105 - a reason: none was sent
    EXPIRED = "EXPIRED"  # it was good once: a client renews it and asks again
    SESSION_ENDED = "SESSION_ENDED"  # it would hold, but its session is over: a client lets the person sign in
    INVALID = "INVALID"  # anything else that is wrong with it


#: RFC 7519, 4.1.4 to 4.1.7; OpenID Connect Core, 2.
_OF_ONE_TOKEN = frozenset({"exp", "nbf", "iat", "jti", "auth_time", "nonce"})


@dataclass(frozen=True, slots=True, eq=False)
class Caller:
    """A verified person or client. `subject` is the token's `sub`, None for an anonymous caller, whose `refusal` says
    why: whoever brought a token that does not hold may do what the anonymous may, and no more.

    Equal only to itself: as long as a token is remembered, all its requests have the same `Caller`.
    """

    subject: str | None = None
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    expires_at: float | None = None  # seconds since the epoch
    claims: Mapping[str, Any] = field(default_factory=dict)
    refusal: Refusal = Refusal.NO_TOKEN  # means nothing where there is a subject

    @property
    def is_authenticated(self) -> bool:
        return self.subject is not None

    @property
    def identity(self) -> str | None:
        """What tells this caller from every other, None for the anonymous: a subject is unique within its issuer only
        (RFC 7519, 4.1.2). Whatever is kept or counted by caller is kept by it.
        """
        issuer = self.claims.get("iss")
        return self.subject if issuer is None or self.subject is None else dumps([str(issuer), self.subject]).decode()

    @property
    def private_to(self) -> str | None:
        """What a private answer is kept by, None for the anonymous: the identity, and all that the token says of what it may,
        so that a token with fewer rights is told nothing that its owner's other token was. Claims that differ from one
        renewal of a token to the next are left out.
        """
        if self.subject is None:
            return None
        rights = {name: value for name, value in self.claims.items() if name not in _OF_ONE_TOKEN}
        return dumps([self.identity, rights], orjson.OPT_SORT_KEYS).decode()


ANONYMOUS = Caller()
#: Anonymous callers whose token was refused, by the reason.
REFUSED: Mapping[Refusal, Caller] = {
    reason: Caller(refusal=reason) for reason in Refusal if reason is not Refusal.NO_TOKEN
}
