import gzip
import time

import brotli
import pytest

from router.content_coding import (
    PREFERRED,
    ContentTooLargeError,
    CorruptContentError,
    UnknownCodingError,
    decode,
    encode,
)

BODY = b'{"query":"{ a }"}' * 50


@pytest.mark.parametrize("coding", PREFERRED)
def test_a_body_comes_out_as_it_went_in(coding: str) -> None:
    for body in (b"", b"x", BODY, BODY * 1_000):
        packed = encode(body, coding)
        assert decode(packed, coding.upper(), len(body)) == body
    assert decode(BODY, "identity", 10) == BODY
    assert decode(BODY, "", 10) == BODY


@pytest.mark.parametrize("coding", PREFERRED)
def test_a_bomb_is_stopped_at_the_limit(coding: str) -> None:
    bomb = encode(b"0" * 300_000_000, coding)
    began = time.thread_time()
    with pytest.raises(ContentTooLargeError):
        decode(bomb, coding, 1_000_000)
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize("coding", PREFERRED)
def test_a_body_that_is_not_whole_is_corrupt(coding: str) -> None:
    packed = encode(BODY * 10, coding)
    for broken in (packed[:-1], packed[: len(packed) // 2], b"garbage", b"", b"\x00" * 50, packed + b"garbage"):
        with pytest.raises(CorruptContentError):
            decode(broken, coding, 100_000)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_parts_are_joined_and_counted(coding: str) -> None:
    assert decode(encode(b"a", coding) + encode(b"b", coding), coding, 2) == b"ab"
    with pytest.raises(ContentTooLargeError):
        decode(encode(b"a", coding) * 3, coding, 2)
    with pytest.raises(CorruptContentError, match="parts"):
        decode(encode(b"", coding) * 100_000, coding, 10)


@pytest.mark.parametrize("codings", ["deflate", "compress", "gzip, gzip", "br,zstd", "aes128gcm"])
def test_other_codings_and_several_at_once_are_unknown(codings: str) -> None:
    with pytest.raises(UnknownCodingError):
        decode(BODY, codings, 10_000)


def test_what_others_wrote_is_read() -> None:
    assert decode(gzip.compress(BODY, 9), "x-gzip", 10_000) == BODY
    assert decode(brotli.compress(BODY, quality=11), "br", 10_000) == BODY
