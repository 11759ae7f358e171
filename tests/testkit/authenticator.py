"""An authenticator in software, as a browser shows it to a page: WebAuthn's two ceremonies with real keys.

Written from the standard (WebAuthn level 3, sections 5.1, 6.1, 6.5; CBOR by RFC 8949) and from nothing that the product uses.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

USER_PRESENT, USER_VERIFIED, BACKUP_ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40
ES256, EDDSA, RS256, ES384 = -7, -8, -257, -35
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


@dataclass
class SoftAuthenticator:
    """One passkey of one person. `count` is its counter of signatures, which stays 0 where it is `synced`."""

    origin: str = "http://localhost:8080"
    rp_id: str | None = None  # None: the one that the page names
    algorithm: int = ES256
    verifies_user: bool = True
    synced: bool = False
    cross_origin: bool = False
    count: int = 0
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    user_handle: bytes = b""
    key: PrivateKey | None = None

    def copy(self) -> SoftAuthenticator:
        """Another device with the same key and counter: what a counter is there to find out."""
        return replace(self)

    def create(self, options: str) -> str:
        """What `navigator.credentials.create` gives, as JSON."""
        asked = json.loads(options)
        self.user_handle = _decoded(asked["user"]["id"])
        self.key = _new_key(self.algorithm)
        self.rp_id = self.rp_id or asked["rp"]["id"]
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + _cose(self.key)
        data = self._authenticator_data(ATTESTED) + attested
        client_data = self._client_data("webauthn.create", asked["challenge"])
        attestation = cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return self._credential(
            {"clientDataJSON": client_data, "attestationObject": attestation}, transports=["internal"]
        )

    def get(self, options: str) -> str:
        """What `navigator.credentials.get` gives, as JSON."""
        asked = json.loads(options)
        if not self.synced:
            self.count += 1
        data = self._authenticator_data(0)
        client_data = self._client_data("webauthn.get", asked["challenge"])
        signature = self._sign(data + hashlib.sha256(client_data).digest())
        shown = {"authenticatorData": data, "signature": signature, "userHandle": self.user_handle}
        return self._credential({"clientDataJSON": client_data, **shown})

    def _credential(self, response: dict[str, bytes], **others: Any) -> str:
        credential_id = _encoded(self.credential_id)
        return json.dumps(
            {
                "id": credential_id,
                "rawId": credential_id,
                "type": "public-key",
                "authenticatorAttachment": "platform",
                "clientExtensionResults": {},
                "response": {name: _encoded(value) for name, value in response.items()} | others,
            }
        )

    def _client_data(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.cross_origin}
        return json.dumps(told).encode()

    def _authenticator_data(self, flags: int) -> bytes:
        flags |= USER_PRESENT | (USER_VERIFIED if self.verifies_user else 0)
        flags |= BACKUP_ELIGIBLE | BACKED_UP if self.synced else 0
        return hashlib.sha256((self.rp_id or "").encode()).digest() + struct.pack(">BI", flags, self.count)

    def _sign(self, message: bytes) -> bytes:
        match self.key:
            case ec.EllipticCurvePrivateKey():
                return self.key.sign(message, ec.ECDSA(SHA256()))
            case ed25519.Ed25519PrivateKey():
                return self.key.sign(message)
            case rsa.RSAPrivateKey():
                return self.key.sign(message, padding.PKCS1v15(), SHA256())
        raise AssertionError("nothing was created")


def _new_key(algorithm: int) -> PrivateKey:
    if algorithm == EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == RS256:
        return rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    return ec.generate_private_key(ec.SECP384R1() if algorithm == ES384 else ec.SECP256R1())


def _cose(key: PrivateKey) -> bytes:
    """The public key as COSE has it (RFC 9053)."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return cbor({1: 1, 3: EDDSA, -1: 6, -2: key.public_key().public_bytes_raw()})
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        return cbor({1: 3, 3: RS256, -1: numbers.n.to_bytes(256, "big"), -2: numbers.e.to_bytes(3, "big")})
    point, size = key.public_key().public_numbers(), key.key_size // 8
    algorithm, curve = (ES256, 1) if size == 32 else (ES384, 2)
    return cbor({1: 2, 3: algorithm, -1: curve, -2: point.x.to_bytes(size, "big"), -3: point.y.to_bytes(size, "big")})


def cbor(value: Any) -> bytes:
    """Whole numbers, bytes, text and maps of them."""
    match value:
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            return _head(3, len(value.encode())) + value.encode()
        case dict():
            return _head(5, len(value)) + b"".join(cbor(key) + cbor(each) for key, each in value.items())
    raise TypeError(type(value))


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([major << 5 | argument])
    if argument < 256:
        return bytes([major << 5 | 24, argument])
    return bytes([major << 5 | 25]) + struct.pack(">H", argument)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
