"""The keys that may have signed a token: JWKS documents, read and refreshed, and which of their keys fits which token.

`authentication` asks it. A key is tried only with algorithms of its own kind: a public key is never an HMAC secret.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import orjson
import structlog
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from jwt.api_jwk import PyJWK
from jwt.utils import base64url_decode

from router.bounded_body import read_at_most
from router.single_flight import SingleFlight

log = structlog.get_logger(__name__)

JWKS_TIMEOUT_SECONDS = 5.0
MAX_JWKS_BYTES = 1024 * 1024
UNKNOWN_KEY_PAUSE_SECONDS = 10.0
MINIMUM_SECRET_BYTES = 32

#: Algorithm -> `kty` and the curves (`crv`) that it is defined for; RFC 7518, 3.1; RFC 8037, 3.1; RFC 8812, 3.2.
_KINDS: dict[str, tuple[str, frozenset[str | None]]] = {
    **{name: ("oct", frozenset({None})) for name in ("HS256", "HS384", "HS512")},
    **{name: ("RSA", frozenset({None})) for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")},
    "ES256": ("EC", frozenset({"P-256"})),
    "ES384": ("EC", frozenset({"P-384"})),
    "ES512": ("EC", frozenset({"P-521"})),
    "ES256K": ("EC", frozenset({"secp256k1"})),
    "EdDSA": ("OKP", frozenset({"Ed25519", "Ed448"})),
}


@dataclass(frozen=True, slots=True)
class SetKey:
    """One key of a set; `algorithm` is None where the set does not say which one it is for."""

    kind: str
    curve: str | None
    kid: str | None
    algorithm: str | None
    key: Any

    def fits(self, algorithm: str, kid: str | None) -> bool:
        """Whether it may have signed such a token; a `kid` that the token or the key does not have excludes nothing."""
        kind, curves = _KINDS.get(algorithm, ("", frozenset()))
        return (
            self.kind == kind
            and self.curve in curves
            and self.algorithm in (None, algorithm)
            and (kid is None or self.kid is None or self.kid == kid)
        )


class JwksSource:
    """Keys from JWKS documents, refreshed by age and, at most every ten seconds, for a token that none of them fits.

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
        self._keys: dict[str, list[SetKey]] = {}  # by location, so that one that fails keeps its last keys
        self._refreshed_at = float("-inf")
        self._readings: SingleFlight[None, None] = SingleFlight()  # of all locations

    async def keys(self, algorithm: str, kid: str | None) -> list[Any]:
        age = time.monotonic() - self._refreshed_at
        found = self._fitting(algorithm, kid)
        if age > self._refresh_seconds:
            self._readings.run(None, self._read_all)
        if found or (self._readings.get(None) is None and age <= self._unknown_key_pause_seconds):
            return found
        await self.refresh()
        return self._fitting(algorithm, kid)

    async def refresh(self) -> None:
        """Reads all locations; callers that come meanwhile wait for the same reading."""
        await self._readings.run(None, self._read_all)

    def _fitting(self, algorithm: str, kid: str | None) -> list[Any]:
        fitting = [each for keys in self._keys.values() for each in keys if each.fits(algorithm, kid)]
        fitting.sort(key=lambda each: each.kid != kid)  # the named one first
        return [each.key for each in fitting]

    async def _read_all(self) -> None:
        self._refreshed_at = time.monotonic()
        for location in self._locations:
            try:
                document = orjson.loads(await _read(location))
                self._keys[location] = list(usable_keys(document["keys"]))
            except (OSError, ValueError, LookupError, TypeError, aiohttp.ClientError) as error:
                log.warning("jwks_not_read", location=location, reason=repr(error))


def usable_keys(keys: list[Any]) -> Iterator[SetKey]:
    """Signature keys; one of a kind we do not know, which RFC 7517 allows to appear, or a broken one spoils no other."""
    for each in keys:
        try:
            key = _signature_key(each)
        except Exception as error:
            log.info("jwk_not_usable", kid=each.get("kid") if isinstance(each, dict) else None, reason=repr(error))
        else:
            if key is not None:
                yield key


def _signature_key(jwk: dict[str, Any]) -> SetKey | None:
    """None for a key that is for something else."""
    operations = jwk.get("key_ops")
    if jwk.get("use", "sig") != "sig" or (isinstance(operations, list) and not {"verify", "sign"} & {*operations}):
        return None
    key = _ed448_key(jwk) if jwk.get("crv") == "Ed448" else PyJWK(jwk).key
    if hasattr(key, "public_key"):  # a private key was published; that is no reason to sign with it
        key = key.public_key()
    if isinstance(key, bytes) and len(key) < MINIMUM_SECRET_BYTES:
        raise jwt.InvalidKeyError(f"a secret needs at least {MINIMUM_SECRET_BYTES} bytes")
    kid, algorithm = jwk.get("kid"), jwk.get("alg")
    return SetKey(
        kind=jwk["kty"],
        curve=jwk.get("crv"),
        kid=kid if isinstance(kid, str) else None,
        algorithm=algorithm if isinstance(algorithm, str) else None,
        key=key,
    )


def _ed448_key(jwk: dict[str, Any]) -> Ed448PublicKey:
    """PyJWT verifies with keys of this curve, and reads them from PEM only. Raises ValueError."""
    return Ed448PublicKey.from_public_bytes(base64url_decode(jwk["x"]))


async def _read(location: str) -> bytes:
    if location.startswith(("http://", "https://")):
        timeout = aiohttp.ClientTimeout(total=JWKS_TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(location) as response:
            response.raise_for_status()
            return await read_at_most(response, MAX_JWKS_BYTES)
    return await asyncio.to_thread(Path(location).read_bytes)
