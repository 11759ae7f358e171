import pytest

from router.transport.server_sent_events import EventStreamParser, ServerSentEvent


def events(*pieces: bytes, max_bytes: int = 1_000) -> list[tuple[str, str | None]]:
    parser = EventStreamParser(max_bytes)
    return [(event.type, event.data) for piece in pieces for event in parser.feed(piece)]


STREAMS: dict[bytes, list[tuple[str, str | None]]] = {
    b"data: a\n\n": [("message", "a")],
    b"event: next\ndata: a\n\n": [("next", "a")],
    b"data:a\ndata: b\ndata:  c\n\n": [("message", "a\nb\n c")],
    b"data\n\ndata\ndata\n\ndata:": [("message", ""), ("message", "\n")],
    b"data: a\r\rdata: b\r\n\r\ndata: c\n\r\n": [("message", "a"), ("message", "b"), ("message", "c")],
    b"\xef\xbb\xbfdata: a\n\n": [("message", "a")],
    b"\n\xef\xbb\xbfdata: a\n\n": [],  # only the first character of a stream is a mark
    b": comment\ndata: a\n:\n\n:\n\n": [("message", "a")],
    b"event: a\nevent: b\ndata: x\n\n": [("b", "x")],
    b"event: complete\n\n": [("complete", None)],
    b"event: a\n\ndata: x\n\n": [("a", None), ("message", "x")],
    b"id: 1\nretry: 5\nother: x\nDATA: y\n data: z\ndata: a\n\n": [("message", "a")],
    b"data: a\n": [],
    b"data: a": [],
    b"data: \xff\xc3\xa4\n\n": [("message", "\ufffd\u00e4")],
    b"data: \xe2\x80\xa8\xc2\x85\x0b\x0c\n\n": [("message", "\u2028\u0085\x0b\x0c")],  # no line ends here
}


@pytest.mark.parametrize("stream", STREAMS)
def test_streams_mean_what_the_standard_says(stream: bytes) -> None:
    assert events(stream) == STREAMS[stream]


@pytest.mark.parametrize("stream", STREAMS)
def test_it_does_not_matter_in_which_pieces_they_come(stream: bytes) -> None:
    assert events(*(stream[at : at + 1] for at in range(len(stream)))) == STREAMS[stream]
    for at in range(len(stream)):
        assert events(stream[:at], b"", stream[at:]) == STREAMS[stream]


@pytest.mark.parametrize(
    "pieces", [(b"data: " + b"x" * 1_001,), (b"data: 12345\n",) * 100, (b":",) + (b"x" * 100,) * 11]
)
def test_an_event_that_is_too_long_is_refused(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="too large"):
        events(*pieces)


def test_the_bound_is_of_one_event() -> None:
    assert events(b"data: 1234567890\n\n" * 1_000) == [("message", "1234567890")] * 1_000
    assert events(b"data: " + b"x" * 450, b"y" * 450, b"\n\n") == [("message", "x" * 450 + "y" * 450)]
    assert ServerSentEvent("a", None) != ServerSentEvent("a", "")
