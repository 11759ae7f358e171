"""JSON that keeps all digits of a number: orjson, and where that would round or refuse, a slower way around.

Bodies of clients and subgraphs are read and written with it. Integers of any size are `int`, as in Python; other numbers
that no double holds exactly are `ExactDecimal`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Self

import msgspec
import orjson

from router.uploaded_file import UploadedFile

#: Every digit and point becomes "0": a number that may be inexact is a run of at least 17 of them (a double holds 15 digits,
#: orjson's integers 18). Two passes at the speed of memory, a fraction of what parsing costs.
_DIGITS = bytes.maketrans(b"123456789.", b"0" * 10)
_LONG_NUMBER = b"0" * 17

_INTEGER_TOO_LARGE = "64-bit"
_NUMBER_TOO_LARGE = "infinity"
_NO_MEMORY = "Not enough memory"


def is_nested_deeper(value: Any, levels: int) -> bool:
    """Whether objects and lists stand within one another more than so many levels deep."""
    level = [value]
    for _ in range(levels):
        level = [
            inner
            for each in level
            if each.__class__ is dict or each.__class__ is list
            for inner in (each.values() if each.__class__ is dict else each)
        ]
        if not level:
            return False
    return True


def value_at(value: Any, place: str) -> Any:
    """The value at a dotted place of decoded JSON; None where there is none."""
    for name in place.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def scalar_text(value: Any) -> str:
    """As JSON writes it, without quotes: an ID may come as a number."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class ExactDecimal(float):
    """A number that is not exactly a double: its nearest double, infinite where there is none, and how it was written."""

    __slots__ = ("text",)

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str

    def __repr__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[type[ExactDecimal], tuple[str]]:
        return ExactDecimal, (self.text,)


def fault(error: orjson.JSONDecodeError) -> str:
    """What is wrong with a text that `loads` refused, as the end of a sentence."""
    return "has an integer of more than 4,300 digits" if _NUMBER_TOO_LARGE in error.msg else "is not valid JSON"


def parsed(body: bytes | str) -> Any:
    """As orjson reads it. Raises orjson.JSONDecodeError, and MemoryError where orjson calls a text malformed for which it found
    no memory.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if error.msg.startswith(_NO_MEMORY):
            raise MemoryError(error.msg) from None
        raise


def loads(text: bytes | str) -> Any:
    """Raises orjson.JSONDecodeError, also for an integer of more than 4,300 digits, which Python would take long to read."""
    body = text.encode() if text.__class__ is str else text
    assert isinstance(body, bytes)
    if _LONG_NUMBER in body.translate(_DIGITS):
        return _loads_exactly(body)
    return loads_rounded(body)


def loads_rounded(body: bytes | str) -> Any:
    """For what holds no numbers but those of GraphQL's own types; only what no double can hold is exact."""
    try:
        return parsed(body)
    except orjson.JSONDecodeError as error:
        if _NUMBER_TOO_LARGE not in str(error):
            raise
        return _loads_exactly(body)


def _loads_exactly(body: bytes | str) -> Any:
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return parsed(body)  # its errors are the ones that are told


def _decimal(text: str) -> float:
    number = float(text)
    if repr(number) == text:
        return number
    try:
        return number if Decimal(text) == Decimal(repr(number)) else ExactDecimal(text)
    except InvalidOperation:  # an exponent of twenty digits
        return ExactDecimal(text)


_DECODER = msgspec.json.Decoder(float_hook=_decimal)


def dumps(value: Any, option: int | None = None) -> bytes:
    """Raises orjson.JSONEncodeError for what is nested too deeply."""
    try:
        return orjson.dumps(value, default=written, option=option)
    except orjson.JSONEncodeError as error:
        if _INTEGER_TOO_LARGE not in str(error):
            raise
        return orjson.dumps(_with_large_integers(value), default=written, option=option)


def written(value: Any) -> Any:
    """For `orjson.dumps(default=)`: the digits of an `ExactDecimal`, null for a file, which travels beside the JSON."""
    if value.__class__ is ExactDecimal:
        return orjson.Fragment(value.text.encode())
    if value.__class__ is UploadedFile:
        return None
    raise TypeError


def _with_large_integers(value: Any) -> Any:
    if value.__class__ is dict:
        return {key: _with_large_integers(item) for key, item in value.items()}
    if value.__class__ is list or value.__class__ is tuple:
        return [_with_large_integers(item) for item in value]
    if value.__class__ is int and not -(2**63) <= value < 2**64:
        return orjson.Fragment(str(value).encode())
    return value
