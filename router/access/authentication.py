"""Who is calling: verifies the bearer token once at the edge and makes a `Caller` of it.

`server.front_door` calls `Authenticator`; authorization, rate limits and the response cache read the `Caller`.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Any, ClassVar

import jwt
import structlog

from router.access.caller import ANONYMOUS, Caller, Refusal
from router.access.ended_sessions import EndedSessions
from router.access.key_set import JwksSource
from router.errors import RequestError
from router.settings import Jwt
from router.token_errors import WRONG_TOKEN_ERRORS

log = structlog.get_logger(__name__)

SYMMETRIC = frozenset({"HS256", "HS384", "HS512"})
MAX_TOKEN_LENGTH = 16_384
LATEST_EXPIRY = 253_402_300_799.0  # the end of the year 9999: timers count no further


class UnauthenticatedError(RequestError):
    """Answered with 401 in every media type where a whole request needs a caller; the `reason` tells a client whether
    renewing its token is worth trying.
    """

    code: ClassVar[str] = "UNAUTHENTICATED"
    status: ClassVar[int] = 401

    def __init__(self, message: str, reason: Refusal = Refusal.INVALID) -> None:
        super().__init__(message, extensions={"reason": reason.value})
        self.reason = reason


def session_ended() -> UnauthenticatedError:
    return UnauthenticatedError("The session has ended.", Refusal.SESSION_ENDED)


class Authenticator:
    """Verifies `Authorization: Bearer` values and remembers the good ones until they expire: by `seconds`, which are those
    since the epoch. Where a subgraph tells of ended sessions, the machine's clock may leap and they do not.
    """

    def __init__(self, settings: Jwt, ended: EndedSessions | None = None) -> None:
        self._settings = settings
        self._ended = ended
        self.seconds: Callable[[], float] = time.time if ended is None else ended.clock.seconds
        self._jwks = JwksSource(settings.jwks, settings.jwks_refresh_seconds) if settings.jwks else None
        self._verified: OrderedDict[bytes, Caller] = OrderedDict()

    async def start(self) -> None:
        if self._jwks is not None:
            await self._jwks.refresh()
        if self._ended is not None:
            await self._ended.read()

    async def authenticate(self, authorization: str) -> Caller:
        """The caller behind an Authorization value; "" is anonymous. Raises UnauthenticatedError."""
        if not authorization:
            if self._settings.required:
                raise UnauthenticatedError("This graph answers to authenticated callers only.", Refusal.NO_TOKEN)
            return ANONYMOUS
        if not self._settings.enabled:
            # Whoever configures no keys leaves tokens to the subgraphs: they pass on, and count for nothing here.
            return ANONYMOUS
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise UnauthenticatedError("The Authorization header must be 'Bearer' and a token.")
        if len(token) > MAX_TOKEN_LENGTH:
            raise UnauthenticatedError(f"The token is longer than {MAX_TOKEN_LENGTH} characters.")
        remembered = sha256(token.encode("latin-1", "replace")).digest()
        caller = self._verified.get(remembered)
        if caller is None:
            caller = await self._verify(token)
        if caller.expires_at is not None and caller.expires_at + self._settings.leeway_seconds <= self.seconds():
            self._verified.pop(remembered, None)
            raise UnauthenticatedError("The token has expired.", Refusal.EXPIRED)
        self._remember(remembered, caller)
        if self._ended is not None and self._ended.has(caller):
            raise session_ended()
        return caller

    def holds(self, caller: Caller) -> bool:
        """Whether what `authenticate` said of the caller's token holds still; False also where tokens are not remembered."""
        if caller.expires_at is None:
            return True
        settings = self._settings
        if not settings.max_cached_tokens or caller.expires_at + settings.leeway_seconds <= self.seconds():
            return False
        return self._ended is None or not self._ended.has(caller)

    def seconds_left(self, caller: Caller) -> float | None:
        """Until the caller's token expires, 0 at the least; None for a caller without one."""
        return None if caller.expires_at is None else max(0.0, caller.expires_at - self.seconds())

    def ending(self, caller: Caller) -> asyncio.Future[None] | None:
        """Done once the caller's session is over; None where nobody tells of sessions, or the caller has none."""
        return None if self._ended is None else self._ended.ending(caller)

    def _remember(self, digest: bytes, caller: Caller) -> None:
        if not self._settings.max_cached_tokens:
            return
        if digest in self._verified:
            self._verified.move_to_end(digest)
            return
        self._verified[digest] = caller
        while len(self._verified) > self._settings.max_cached_tokens:
            self._verified.popitem(last=False)

    async def _verify(self, token: str) -> Caller:
        settings = self._settings
        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if not isinstance(algorithm, str) or algorithm not in settings.algorithms:
                raise jwt.InvalidAlgorithmError("the algorithm is not one of ours")
            claims = self._decode(token, algorithm, await self._keys_for(algorithm, header.get("kid")))
            caller = _caller(claims)
        except WRONG_TOKEN_ERRORS as error:
            # the reason helps whoever attacks more than whoever errs; the log has it
            log.info("token_refused", reason=type(error).__name__)
            raise UnauthenticatedError("The token is not valid.") from None
        for name, wanted in settings.required_claims.items():
            if str(claims.get(name)) != wanted:
                log.info("token_refused", reason=f"claim {name}")
                raise UnauthenticatedError("The token is not valid.")
        return caller

    def _decode(self, token: str, algorithm: str, keys: list[Any]) -> dict[str, Any]:
        settings = self._settings
        failure: jwt.PyJWTError | None = None
        for key in keys:
            try:
                return jwt.decode(
                    token,
                    key,
                    algorithms=[algorithm],
                    audience=list(settings.audiences) or None,
                    issuer=list(settings.issuers) or None,
                    leeway=settings.leeway_seconds,
                    options={
                        "require": ["exp", "sub"],
                        "verify_exp": False,  # `authenticate` sees to it, by its own clock
                        "verify_iat": False,  # tells nothing (RFC 7519, 4.1.6), and whoever issued it may be a second ahead
                        "verify_aud": bool(settings.audiences),
                        "verify_iss": bool(settings.issuers),
                    },
                )
            except (jwt.InvalidSignatureError, jwt.InvalidKeyError) as error:
                failure = error  # another key of the ring may fit
        raise failure or jwt.InvalidTokenError("no key for this token")

    async def _keys_for(self, algorithm: str, kid: str | None) -> list[Any]:
        """Keys that may have signed the token, of the kind that its algorithm needs."""
        own: list[Any] = []
        if algorithm in SYMMETRIC:
            ring = self._settings.all_keys
            fitting = [each for each in ring if each.kid == kid] or [each for each in ring if not (each.kid and kid)]
            own = [each.secret.get_secret_value() for each in fitting]
        if own or self._jwks is None:
            return own
        return await self._jwks.keys(algorithm, kid)


def _caller(claims: dict[str, Any]) -> Caller:
    """Raises ValueError for a subject that is no text, such as half of a surrogate pair, and OverflowError."""
    for instant in (claims["exp"], claims.get("iat", 0)):
        int(instant)  # a number that says a time: neither infinite nor none
    subject = str(claims["sub"])
    subject.encode()
    return Caller(
        subject=subject,
        scopes=_words(claims.get("scope")) | _words(claims.get("scp")) | _words(claims.get("scopes")),
        roles=_words(claims.get("roles")),
        expires_at=min(float(claims["exp"]), LATEST_EXPIRY),
        claims=claims,
    )


def _words(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list):
        return frozenset(str(each) for each in value)
    return frozenset()
