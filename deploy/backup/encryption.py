"""Files encrypted with a passphrase, piece by piece, so that a dump of any size needs a mebibyte of memory.

Format: 8 bytes of magic, 16 of salt, then pieces, each 4 bytes of length (big endian) and its AES-256-GCM ciphertext. The
key is scrypt's of the passphrase and the salt (n 2^15, r 8, p 1). A piece's nonce is its number; its number and whether it
is the last are authenticated too, so pieces cannot be cut off, exchanged or repeated. This is the STREAM construction of
Hoang, Reyhanitabar, Rogaway and Vizár (2015), section 7.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from deploy.errors import FriendlyError

_MAGIC = b"FTBKUP1\n"
_SALT_BYTES = 16
_PIECE_BYTES = 1 << 20
_TAG_BYTES = 16


def encrypt(source: Path, target: Path, passphrase: str) -> None:
    """Writes `target`; `source` stays."""
    salt = os.urandom(_SALT_BYTES)
    cipher = AESGCM(_key(passphrase, salt))
    with source.open("rb") as plain, target.open("wb") as secret:
        secret.write(_MAGIC + salt)
        for number, (piece, is_last) in enumerate(_pieces(plain)):
            sealed = cipher.encrypt(_nonce(number), piece, _place(number, is_last))
            secret.write(len(sealed).to_bytes(4, "big") + sealed)


def decrypt(source: Path, target: Path, passphrase: str) -> None:
    """Writes `target`. Raises FriendlyError where the passphrase is another one or the file was changed or cut off."""
    with source.open("rb") as secret, target.open("wb") as plain:
        head = secret.read(len(_MAGIC) + _SALT_BYTES)
        if not head.startswith(_MAGIC) or len(head) < len(_MAGIC) + _SALT_BYTES:
            raise FriendlyError(f"{source} is no encrypted backup")
        cipher = AESGCM(_key(passphrase, head[len(_MAGIC) :]))
        number, is_last = 0, False
        while not is_last:
            sealed, is_last = _sealed(secret, source)
            try:
                plain.write(cipher.decrypt(_nonce(number), sealed, _place(number, is_last)))
            except InvalidTag:
                raise FriendlyError(
                    f"{source} cannot be decrypted: another passphrase, or the file was changed"
                ) from None
            number += 1


@contextmanager
def plain_file(file: Path, passphrase: str | None) -> Iterator[Path]:
    """The file itself; where it is encrypted, decrypted into a folder of ours that is gone at the end. Raises as `decrypt`."""
    if not is_encrypted(file):
        yield file
        return
    assert passphrase is not None, "the caller asked `is_encrypted`, and refused"
    with tempfile.TemporaryDirectory(prefix="fittracker-restore-") as folder:
        plain = Path(folder) / "plain"
        decrypt(file, plain, passphrase)
        yield plain


def read_passphrase(file: Path | None) -> str | None:
    """Raises FriendlyError for an empty file: a backup that is encrypted with nothing is not encrypted."""
    if file is None:
        return None
    text = file.read_text(encoding="utf-8").strip()
    if not text:
        raise FriendlyError(f"{file} is empty", "a passphrase is wanted in it")
    return text


def is_encrypted(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(len(_MAGIC)) == _MAGIC


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode())


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _place(number: int, is_last: bool) -> bytes:
    return number.to_bytes(8, "big") + (b"\x01" if is_last else b"\x00")


def _pieces(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Each piece and whether it is the last; an empty file is one empty piece."""
    piece = stream.read(_PIECE_BYTES)
    while True:
        following = stream.read(_PIECE_BYTES)
        yield piece, not following
        if not following:
            return
        piece = following


def _sealed(stream: BinaryIO, source: Path) -> tuple[bytes, bool]:
    """One piece's ciphertext, and whether nothing follows it."""
    length = int.from_bytes(stream.read(4), "big")
    sealed = stream.read(length) if _TAG_BYTES <= length <= _PIECE_BYTES + _TAG_BYTES else b""
    if len(sealed) != length or not sealed:
        raise FriendlyError(f"{source} is cut off")
    is_last = not stream.peek(1) if hasattr(stream, "peek") else False
    return sealed, is_last
