"""The short form of the fuzz over HTTP and WebSocket, and the parser of event streams, which subgraphs feed."""

import asyncio
from itertools import chain
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from router.transport.server_sent_events import EventStreamParser, ServerSentEvent
from tests.hostile.fuzz import corpus, under_fire

ROUNDS = 8
MOST_BYTES = 2_000


async def test_no_bytes_over_http_or_websocket_make_the_router_fail_or_hang() -> None:
    random = Random(20261129)
    async with under_fire() as fuzzed:
        await asyncio.gather(*(fuzzed.http(seed, random) for seed in corpus("http")))
        await asyncio.gather(*(fuzzed.websocket(seed, random) for seed in corpus("websocket")))
        for _ in range(ROUNDS):
            await fuzzed.round(random)
    assert fuzzed.failures == []
    assert fuzzed.answers["HTTP 200"] > 0
    assert fuzzed.answers["HTTP 400"] > 0
    assert fuzzed.answers["closed 4400"] > 0


@settings(max_examples=150, deadline=None)
@given(
    some.lists(some.sampled_from([*corpus("sse"), b"data: 1\n", b"\n", b"\r", b"\r\n", b"event: a\n", b":"]) | some.binary(max_size=40)),
    some.lists(some.integers(0, 400), max_size=8),
)  # fmt: skip
@example([b"data: x\r", b"\n\r\n"], [8])
def test_an_event_stream_is_read_alike_in_whatever_pieces_it_comes(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(parts)[:MOST_BYTES]
    ends = sorted({min(cut, len(stream)) for cut in cuts})
    pieces = [stream[start:end] for start, end in zip([0, *ends], [*ends, len(stream)], strict=True)]
    assert events_of([stream]) == events_of(pieces)


def test_an_event_without_end_is_refused() -> None:
    parser = EventStreamParser(MOST_BYTES)
    pieces = iter([b"data: "] * MOST_BYTES)
    with pytest.raises(ValueError, match="too large"):
        list(chain.from_iterable(map(parser.feed, pieces)))
    assert len(list(pieces)) > MOST_BYTES / 2, "long before its end"


def events_of(pieces: list[bytes]) -> list[ServerSentEvent]:
    parser = EventStreamParser(MOST_BYTES)
    return [event for piece in pieces for event in parser.feed(piece)]
