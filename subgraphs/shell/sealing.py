"""Secrets that have to be read again, sealed for the database: AES-256-GCM under a key that the database does not have.

A sealed value is the key's id (4 bytes), a nonce (12 bytes) and the ciphertext with its tag; what it is about is
authenticated with it, so that one row's secret is of no use in another.
"""

import base64
import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_ID_BYTES, _NONCE_BYTES = 4, 12


class SealingKeys:
    """The key that seals, and those before it, which only open: so that a key can be replaced while everything runs."""

    def __init__(self, current: str, previous: Sequence[str] = ()) -> None:
        """Keys are 32 bytes in base64url. Raises ValueError for others."""
        keys = [_decoded(text) for text in (current, *previous)]
        self._ciphers = {_id_of(key): AESGCM(key) for key in reversed(keys)}
        self.current_id = _id_of(keys[0])
        self.previous_ids = [_id_of(key) for key in keys[1:] if key != keys[0]]

    def seal(self, secret: bytes, about: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return self.current_id + nonce + self._ciphers[self.current_id].encrypt(nonce, secret, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes:
        """Raises ValueError for what none of the keys has sealed, or what was sealed about something else."""
        cipher = self._ciphers.get(sealed[:_ID_BYTES])
        if cipher is None:
            raise ValueError("it was sealed with a key that is not here")
        nonce, text = sealed[_ID_BYTES : _ID_BYTES + _NONCE_BYTES], sealed[_ID_BYTES + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, text, about.encode())
        except InvalidTag:
            raise ValueError("it is not what was sealed") from None


def _decoded(text: str) -> bytes:
    key = base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key must be {KEY_BYTES} bytes in base64url")
    return key


def _id_of(key: bytes) -> bytes:
    """Tells keys apart and nothing about them."""
    return hashlib.sha256(b"sealing key " + key).digest()[:_ID_BYTES]
