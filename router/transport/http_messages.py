"""HTTP/1.1 as it is written to subgraphs, and the plainest form in which they answer. Knows no socket.

`http_client` writes its requests with `RequestHeads` and asks `plain_answer` before it gives what came to a parser.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult

from router.content_coding import ACCEPT_ENCODING
from router.transport.protocol import ACCEPT, CONTENT_TYPE, Headers, SubgraphAnswer

#: Headers that belong to one connection or describe one body, never to be forwarded.
NOT_FORWARDED = frozenset(
    [
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
#: Names come again with every request, values do not.
MAX_NAMES_REMEMBERED = 1_024


class RequestHeads:
    """What stands before the bodies of requests to one address; all that is the same in each is joined once."""

    def __init__(self, address: SplitResult, *, accept_compressed: bool) -> None:
        self._target = (address.path or "/") + (f"?{address.query}" if address.query else "")
        self._every_head = f" HTTP/1.1\r\nHost: {address.netloc.rpartition('@')[2]}\r\nAccept: {ACCEPT}\r\n" + (
            f"Accept-Encoding: {ACCEPT_ENCODING}\r\n" if accept_compressed else ""
        )
        self._post = f"POST {self._target}{self._every_head}Content-Type: {CONTENT_TYPE}\r\n".encode("latin-1")

    def post(self, headers: Headers, body: bytes, coding: str | None) -> bytes:
        """The whole message; `coding` is the body's content coding."""
        forwarded = _lines(headers)
        if coding is not None:
            forwarded += f"Content-Encoding: {coding}\r\n"
        return b"%b%bContent-Length: %d\r\n\r\n%b" % (
            self._post,
            forwarded.encode("latin-1", "replace"),
            len(body),
            body,
        )

    def get(self, headers: Headers, query_string: str) -> bytes:
        mark = "&" if "?" in self._target else "?"
        line = f"GET {self._target}{mark}{query_string}{self._every_head}".encode("latin-1")
        return b"%b%b\r\n" % (line, _lines(headers).encode("latin-1", "replace"))


def _lines(headers: Headers) -> str:
    lines = ""
    for name, value in headers:
        begin = _begins.get(name)
        if begin is None:
            begin = _new_begin(name)
        if begin and "\n" not in value and "\r" not in value and "\0" not in value:
            lines += f"{begin}{value}\r\n"
    return lines


#: By a header's name, how its line begins; nothing where the header is not forwarded.
_begins: dict[str, str] = {}


def _new_begin(name: str) -> str:
    if len(_begins) >= MAX_NAMES_REMEMBERED:
        _begins.clear()
    is_forwardable = (
        name.lower() not in NOT_FORWARDED and name.isascii() and not any(sign in name for sign in " :\r\n\0")
    )
    begin = _begins[name] = f"{name}: " if is_forwardable else ""
    return begin


def may_forward(name: str, value: str) -> bool:
    """Whether a header can be passed on without breaking the message: not hop-by-hop, no line breaks."""
    return bool(_lines(((name, value),)))


#: The head of an answer that needs no parser: status 200, the body's length said once, in digits; nothing that is for the
#: connection, but for its being kept; no coding. Whatever else there is, more than 64 headers among it, does not match.
#: No line can be read in two ways, and repetitions within one are possessive, so that a head that does not match costs no
#: more than one that does.
_PLAIN_HEAD = re.compile(
    rb"""
    HTTP/1\.1[ ]200[ ][\x20-\x7e]*+\r\n
    (?:
        (?i:content-type):[ ]*+([\x20-\x7e]*+)(?<![ ])\r\n
        | (?i:content-length)(?(2)(?!)):[ ]*+([0-9]{1,15}+)\r\n
        | (?i:cache-control):[ ]*+([\x20-\x7e]*+)(?<![ ])\r\n
        | (?i:connection):[ ]*+(?i:keep-alive)\r\n
        | (?!(?i:content-type|content-length|cache-control|connection|content-encoding|transfer-encoding|upgrade
            |proxy-connection):)
          [!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t\x20-\x7e\x80-\xff]*+\r\n
    ){1,64}
    \r\n
    """,
    re.VERBOSE,
)


def plain_answer(received: bytes) -> SubgraphAnswer | None:
    """The answer, where these bytes are one in its plainest form and nothing but it; None says nothing about them.

    Most answers are so: one read brings all of it. A parser would come to the same, by a call for each header. Of headers
    only type and cache control are kept.
    """
    head = _PLAIN_HEAD.match(received)
    if head is None:
        return None
    content_type, length, cache_control = head.groups(b"")
    end = head.end()
    if not length or len(received) - end != int(length):
        return None
    return SubgraphAnswer(200, received[end:], content_type.decode("latin-1"), cache_control.decode("latin-1"))
