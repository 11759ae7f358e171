"""Forms read in pieces: the same parts however the body is cut."""

from __future__ import annotations

import pytest

from router.server.form_data import FormDataError, FormDataParser, PartHead

BODY = (
    b'before\r\n--b\r\nContent-Disposition: form-data; name="one"\r\n\r\nfirst\r\n-\r\n--\r\n--c\r\n'
    b"\r\n--b  \r\nX-Name: two\r\n\r\n\r\n--b\r\nA: 1\r\nB: : 2\r\n\r\n\r\n\r\n\r\n--b--\r\nafter --b"
)
PARTS = [
    ({"content-disposition": 'form-data; name="one"'}, b"first\r\n-\r\n--\r\n--c\r\n"),
    ({"x-name": "two"}, b""),
    ({"a": "1", "b": ": 2"}, b"\r\n\r\n"),
]


def parts(body: bytes, size: int) -> tuple[list[tuple[dict[str, str], bytes]], bool]:
    parser = FormDataParser("b")
    found: list[tuple[dict[str, str], bytes]] = []
    for start in range(0, len(body), size):
        for event in parser.feed(body[start : start + size]):
            if isinstance(event, PartHead):
                found.append((event.headers, b""))
            else:
                found[-1] = (found[-1][0], found[-1][1] + event)
    return found, parser.is_complete


@pytest.mark.parametrize("size", [*range(1, 40), len(BODY)])
def test_parts_are_the_same_however_the_body_is_cut(size: int) -> None:
    assert parts(BODY, size) == (PARTS, True)


@pytest.mark.parametrize("length", range(len(BODY) - len(b"\r\nafter --b")))
def test_a_body_that_is_cut_off_is_not_complete(length: int) -> None:
    assert not parts(BODY[:length], 7)[1]


@pytest.mark.parametrize(
    "body", [b"--b\r\nA: 1\r\n--b--", b"--b\r\nA: 1\r\n--b\r\n\r\n", b"--b\r\nA: " + b"x" * 20_000]
)
def test_a_head_without_end_is_refused(body: bytes) -> None:
    with pytest.raises(FormDataError):
        parts(body + b"\r\n\r\n", 11)


def test_little_is_kept_of_what_came() -> None:
    parser = FormDataParser("b")
    given = sum(len(event) for event in parser.feed(b"--b\r\n\r\n" + b"x" * 1_000_000) if isinstance(event, bytes))
    assert given > 999_980
