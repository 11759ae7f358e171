"""Secrets that stand sealed in the database: opened with the key that sealed them, about what they were sealed."""

import base64
import os

import pytest

from subgraphs.shell.sealing import SealingKeys


def a_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()


def test_what_is_sealed_is_opened_about_the_same_thing_only() -> None:
    keys = SealingKeys(a_key())
    sealed = keys.seal(b"secret", "endpoint 1")
    assert b"secret" not in sealed
    assert sealed != keys.seal(b"secret", "endpoint 1")
    assert keys.open(sealed, "endpoint 1") == b"secret"
    for wrong, about in (
        (sealed, "endpoint 2"),
        (sealed[:-1] + bytes([sealed[-1] ^ 1]), "endpoint 1"),
        (b"", "endpoint 1"),
    ):
        with pytest.raises(ValueError, match="sealed"):
            keys.open(wrong, about)


def test_a_key_before_opens_and_seals_no_more() -> None:
    old, new = a_key(), a_key()
    sealed = SealingKeys(old).seal(b"secret", "x")
    rotated = SealingKeys(new, [old])
    assert rotated.open(sealed, "x") == b"secret"
    assert rotated.previous_ids == [sealed[:4]]
    assert rotated.seal(b"secret", "x")[:4] == rotated.current_id == SealingKeys(new).current_id
    with pytest.raises(ValueError, match="not here"):
        SealingKeys(new).open(sealed, "x")
    with pytest.raises(ValueError, match="32 bytes"):
        SealingKeys("abcd")
