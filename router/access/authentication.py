"""Who is calling: verifies the bearer token once at the edge and makes a `Caller` of it.

The HTTP and WebSocket edges call `Authenticator`; authorization, rate limits and the response cache read the `Caller`.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
import jwt
import orjson
import structlog
from jwt.api_jwk import PyJWK

from router.errors import RequestError
from router.settings import Jwt

log = structlog.get_logger(__name__)

SYMMETRIC = frozenset({"HS256", "HS384", "HS512"})
JWKS_TIMEOUT_SECONDS = 5.0
MAX_JWKS_BYTES = 1024 * 1024
UNKNOWN_KEY_PAUSE_SECONDS = 10.0
MAX_TOKEN_LENGTH = 16_384


class UnauthenticatedError(RequestError):
    """Answered with 401 in every media type; `expired` tells a client that a refresh is worth trying."""

    code: ClassVar[str] = "UNAUTHENTICATED"
    status: ClassVar[int] = 401

    def __init__(self, message: str, *, expired: bool = False) -> None:
        super().__init__(message, extensions={"reason": "TOKEN_EXPIRED"} if expired else None)
        self.expired = expired


@dataclass(frozen=True, slots=True, eq=False)
class Caller:
    """A verified person or client. `subject` is the token's `sub`, None for an anonymous caller.

    Equal only to itself: as long as a token is remembered, all its requests have the same `Caller`.
    """

    subject: str | None = None
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    expires_at: float | None = None  # seconds since the epoch
    claims: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_authenticated(self) -> bool:
        return self.subject is not None


ANONYMOUS = Caller()


class Authenticator:
    """Verifies `Authorization: Bearer` values and remembers the good ones until they expire."""

    def __init__(self, settings: Jwt) -> None:
        self._settings = settings
        self._jwks = JwksSource(settings.jwks, settings.jwks_refresh_seconds) if settings.jwks else None
        self._verified: OrderedDict[bytes, Caller] = OrderedDict()

    async def start(self) -> None:
        if self._jwks is not None:
            await self._jwks.refresh()

    async def authenticate(self, authorization: str) -> Caller:
        """The caller behind an Authorization value; "" is anonymous. Raises UnauthenticatedError."""
        if not authorization:
            if self._settings.required:
                raise UnauthenticatedError("This graph answers to authenticated callers only.")
            return ANONYMOUS
        if not self._settings.enabled:
            # Whoever configures no keys leaves tokens to the subgraphs: they pass on, and count for nothing here.
            return ANONYMOUS
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise UnauthenticatedError("The Authorization header must be 'Bearer' and a token.")
        if len(token) > MAX_TOKEN_LENGTH:
            raise UnauthenticatedError("The token is too long.")
        remembered = sha256(token.encode("latin-1", "replace")).digest()
        caller = self._verified.get(remembered)
        if caller is None:
            caller = await self._verify(token)
            self._remember(remembered, caller)
        elif caller.expires_at is not None and caller.expires_at + self._settings.leeway_seconds <= time.time():
            del self._verified[remembered]
            raise UnauthenticatedError("The token has expired.", expired=True)
        else:
            self._verified.move_to_end(remembered)
        return caller

    def _remember(self, digest: bytes, caller: Caller) -> None:
        if not self._settings.max_cached_tokens:
            return
        self._verified[digest] = caller
        while len(self._verified) > self._settings.max_cached_tokens:
            self._verified.popitem(last=False)

    async def _verify(self, token: str) -> Caller:
        settings = self._settings
        try:
            header = jwt.get_unverified_header(token)
            keys = await self._keys_for(header.get("alg", ""), header.get("kid"))
            claims = self._decode(token, header.get("alg", ""), keys)
        except jwt.ExpiredSignatureError:
            raise UnauthenticatedError("The token has expired.", expired=True) from None
        except (jwt.InvalidTokenError, ValueError) as error:
            # the reason helps whoever attacks more than whoever errs; the log has it
            log.info("token_refused", reason=type(error).__name__)
            raise UnauthenticatedError("The token is not valid.") from None
        for name, wanted in settings.required_claims.items():
            if str(claims.get(name)) != wanted:
                log.info("token_refused", reason=f"claim {name}")
                raise UnauthenticatedError("The token is not valid.")
        return _caller(claims)

    def _decode(self, token: str, algorithm: str, keys: list[Any]) -> dict[str, Any]:
        settings = self._settings
        if algorithm not in settings.algorithms or not keys:
            raise jwt.InvalidTokenError("no key for this token")
        failure: jwt.InvalidTokenError | None = None
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
                        "verify_aud": bool(settings.audiences),
                        "verify_iss": bool(settings.issuers),
                    },
                )
            except jwt.InvalidSignatureError as error:
                failure = error  # another key of the ring may fit
        raise failure or jwt.InvalidTokenError("no key fits")

    async def _keys_for(self, algorithm: str, kid: str | None) -> list[Any]:
        """Keys that may have signed the token. A public key is never tried as an HMAC secret: kinds are kept apart."""
        if algorithm in SYMMETRIC:
            ring = self._settings.keys
            fitting = [each for each in ring if each.kid == kid] or [each for each in ring if not (each.kid and kid)]
            return [each.secret.get_secret_value() for each in fitting]
        return await self._jwks.keys(kid) if self._jwks is not None else []


def _caller(claims: dict[str, Any]) -> Caller:
    return Caller(
        subject=str(claims["sub"]),
        scopes=_words(claims.get("scope")) | _words(claims.get("scp")) | _words(claims.get("scopes")),
        roles=_words(claims.get("roles")),
        expires_at=float(claims["exp"]),
        claims=claims,
    )


def _words(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list):
        return frozenset(str(each) for each in value)
    return frozenset()


class JwksSource:
    """Public keys from JWKS documents, refreshed by age and, at most every ten seconds, for an unknown `kid`.

    Who knows the key does not wait for a refresh; a location that cannot be read keeps the keys it had.
    """

    def __init__(
        self,
        locations: tuple[str, ...],
        refresh_seconds: float,
        unknown_key_pause_seconds: float = UNKNOWN_KEY_PAUSE_SECONDS,
    ) -> None:
        self._locations = locations
        self._refresh_seconds = refresh_seconds
        self._unknown_key_pause_seconds = unknown_key_pause_seconds
        self._keys: dict[str, list[PyJWK]] = {}  # by location, so that one that fails keeps its last keys
        self._refreshed_at = float("-inf")
        self._refreshing: asyncio.Task[None] | None = None

    async def keys(self, kid: str | None) -> list[Any]:
        age = time.monotonic() - self._refreshed_at
        found = self._fitting(kid)
        if age > self._refresh_seconds:
            self._start_refresh()
        if found or (self._refreshing is None and age <= self._unknown_key_pause_seconds):
            return found
        await self.refresh()
        return self._fitting(kid)

    async def refresh(self) -> None:
        """Reads all locations; callers that come meanwhile wait for the same reading."""
        await asyncio.shield(self._start_refresh())

    def _start_refresh(self) -> asyncio.Task[None]:
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._read_all())
            self._refreshing.add_done_callback(self._refreshed)
        return self._refreshing

    def _refreshed(self, _: asyncio.Task[None]) -> None:
        self._refreshing = None

    def _fitting(self, kid: str | None) -> list[Any]:
        keys = [key for keys in self._keys.values() for key in keys]
        return [key.key for key in keys if kid is None or key.key_id is None or key.key_id == kid]

    async def _read_all(self) -> None:
        self._refreshed_at = time.monotonic()
        for location in self._locations:
            try:
                document = orjson.loads(await _read(location))
                self._keys[location] = list(_usable_keys(document["keys"]))
            except (OSError, ValueError, LookupError, TypeError, AttributeError, aiohttp.ClientError) as error:
                log.warning("jwks_not_read", location=location, reason=repr(error))


def _usable_keys(keys: list[dict[str, Any]]) -> Iterator[PyJWK]:
    """Public signature keys; one of a kind we do not know, which RFC 7517 allows to appear, spoils no other."""
    for each in keys:
        if each.get("kty") == "oct" or each.get("use", "sig") != "sig":
            continue
        try:
            yield PyJWK(each)
        except jwt.PyJWTError as error:
            log.info("jwk_not_usable", kid=each.get("kid"), reason=repr(error))


async def _read(location: str) -> bytes:
    if location.startswith(("http://", "https://")):
        timeout = aiohttp.ClientTimeout(total=JWKS_TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(location) as response:
            response.raise_for_status()
            body = b""
            async for part in response.content.iter_any():
                body += part
                if len(body) > MAX_JWKS_BYTES:
                    raise ValueError("the document is too large")
            return body
    return await asyncio.to_thread(Path(location).read_bytes)
