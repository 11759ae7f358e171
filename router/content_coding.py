"""Content codings of HTTP: zstd, br and gzip, both ways and bounded, so that no body can grow beyond what its reader allows.

The server compresses answers and reads compressed bodies with it; the transport does so towards subgraphs.
"""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

import brotli

if sys.version_info >= (3, 14):
    zstd = import_module("compression.zstd")  # the same, in the standard library
else:
    from backports import zstd

#: By what they cost: of 100 KB of JSON zstd makes a twentieth in 0.1 ms, brotli and gzip need 3 ms, measured on one core.
PREFERRED = ("zstd", "br", "gzip")
ACCEPT_ENCODING = ", ".join(PREFERRED)
MAX_WINDOW_LOG = 23  # 8 MB of memory, which RFC 9659 lets a zstd sender use and no more
MAX_PARTS = 16  # each is copied once more than the one before it
_GZIP_WINDOW_BITS = 16 + zlib.MAX_WBITS  # with gzip's header


class CorruptContentError(ValueError):
    """The body is not what its coding says."""


class ContentTooLargeError(ValueError):
    """Decoded, the body is longer than its reader allows."""


class UnknownCodingError(ValueError):
    """The coding is none of ours."""


def chosen_coding(qualities: Mapping[str, float]) -> str | None:
    """By the qualities of an Accept-Encoding, in lower case; None where the body should be sent as it is (RFC 9110,
    12.5.3). Of equal ones the first of PREFERRED.
    """
    others = qualities.get("*", 0.0)
    best = max(PREFERRED, key=lambda name: qualities.get(name, others))
    quality = qualities.get(best, others)
    if quality <= 0 or quality < qualities.get("identity", 0.0):
        return None
    return best


def encode(body: bytes, coding: str) -> bytes:
    return _ENCODERS[coding](body)


def decode(body: bytes, codings: str, max_bytes: int) -> bytes:
    """`codings` is the value of a Content-Encoding. Raises one of the errors above, whatever the body holds."""
    names = [name.strip().lower() for name in codings.split(",") if name.strip()]
    if len(names) > 1:
        raise UnknownCodingError("more than one content coding")  # nobody sends it, and each could multiply the next
    for name in names:
        decoder = _DECODERS.get(name)
        if decoder is None:
            raise UnknownCodingError(name)
        body = decoder(body, max_bytes)
    return body


def _ungzip(body: bytes, max_bytes: int) -> bytes:
    return _joined(body, max_bytes, lambda: zlib.decompressobj(wbits=_GZIP_WINDOW_BITS))


def _unzstd(body: bytes, max_bytes: int) -> bytes:
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: MAX_WINDOW_LOG}
    return _joined(body, max_bytes, lambda: zstd.ZstdDecompressor(options=options))


def _joined(body: bytes, max_bytes: int, new_decoder: Callable[[], Any]) -> bytes:
    """The parts that a body consists of, one after the other: members of gzip, frames of zstd."""
    decoded: bytes = b""
    rest = body
    for _ in range(MAX_PARTS):
        part = new_decoder()
        try:
            decoded += part.decompress(rest, max_bytes - len(decoded) + 1)
        except (zlib.error, zstd.ZstdError, EOFError) as error:
            raise CorruptContentError(str(error)) from None
        if len(decoded) > max_bytes:
            raise ContentTooLargeError
        if not part.eof:
            raise CorruptContentError("the body ends too early")
        rest = part.unused_data
        if not rest:
            return decoded
    raise CorruptContentError(f"the body has more than {MAX_PARTS} parts")


def _unbrotli(body: bytes, max_bytes: int) -> bytes:
    decoder = brotli.Decompressor()
    try:
        decoded: bytes = decoder.process(body, output_buffer_limit=max_bytes + 1)
        if len(decoded) > max_bytes:
            raise ContentTooLargeError
        is_whole = decoder.is_finished()
    except brotli.error as error:
        raise CorruptContentError(str(error)) from None
    if not is_whole:
        raise CorruptContentError("the body ends too early")
    return decoded


_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": partial(zstd.compress, level=3),
    "br": partial(brotli.compress, quality=4),
    "gzip": partial(gzip.compress, compresslevel=1, mtime=0),  # four fifths of the gain, a third of the time
}
_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "identity": lambda body, _: body,
    "zstd": _unzstd,
    "br": _unbrotli,
    "gzip": _ungzip,
    "x-gzip": _ungzip,
}
