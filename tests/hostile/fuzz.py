"""Bytes that no client means: mutations of a kept corpus, sent to a router over HTTP and over WebSocket.

`python -m tests.hostile.fuzz [--seconds 300] [--seed 1]` for longer than CI has; what is found goes into `corpus/`.
"""

import argparse
import asyncio
import logging
import re
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import aiohttp
import structlog

from router.server.app import RouterApp, create_app
from router.server.bounded_http import bounded_http
from router.server.whole_request import WholeRequestProtocol
from router.settings import load_settings
from tests.testkit.strawberry_shop import running_shop, serving

CORPUS = Path(__file__).parent / "corpus"
#: Whatever is sent, the router says something or hangs up in this time; it closes idle heads and sockets after two seconds.
PATIENCE_SECONDS = 60
TOKENS = (
    b"\r\n", b"\n", b"\r", b"\0", b"\xff\xfe", b"\xed\xa0\x80", b":", b",", b'"', b"\\", b"{", b"}", b"[", b"]", b"null", b"-1", b"1e999",
    b"0x", b"99999999999999999999", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"%00",
    b"%zz", b"@defer", b"@stream", b"...", b"fragment F on Query { ...F }", b"__schema", b"$a", b'"""', b"#", b"type", b"id", b"\\ud800",
)  # fmt: skip
UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)


def corpus(kind: str) -> list[bytes]:
    return [file.read_bytes() for file in sorted((CORPUS / kind).iterdir())]


def mutated(seeds: list[bytes], random: Random) -> bytes:
    """One of the seeds after one to six changes."""
    data = bytearray(random.choice(seeds))
    for _ in range(random.randint(1, 6)):
        at, until = sorted(random.choices(range(len(data) + 1), k=2))
        match random.randrange(7):
            case 0:
                data[at:at] = random.choice(TOKENS)
            case 1:
                data[at : min(until, at + 40)] = b""
            case 2:
                data[at:at] = data[at : min(until, at + 200)]
            case 3 if at < len(data):
                data[at] ^= 1 << random.randrange(8)
            case 4:
                data[at:] = random.choice(seeds)[-random.randint(1, 200) :]
            case 5:
                data[at:at] = random.choice(TOKENS) * random.choice((2, 50, 2_000))
            case _:
                data[at:at] = random.randbytes(random.randint(1, 8))
    return bytes(data)


@dataclass
class Fuzzed:
    """A router under fire, and what came of it. `failures` are of the router, never of the bytes."""

    app: RouterApp
    port: int
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    async def http(self, data: bytes, random: Random) -> None:
        answer = await self._exchange(_pieces(data, random))
        for status in re.findall(rb"HTTP/1\.1 (\d{3})", answer):
            self._note(f"HTTP {status.decode()}", data, is_fault=status in (b"500", b"502", b"504"))

    async def websocket(self, data: bytes, random: Random) -> None:
        """Each line is a message; some frames are no frames."""
        frames = [_frame(1, line) for line in data.split(b"\n")]
        if random.random() < 0.3:
            frames.insert(random.randint(0, len(frames)), _frame(random.randrange(16), random.randbytes(9)))
        if random.random() < 0.2:
            frames.insert(random.randint(0, len(frames)), random.randbytes(20))
        pieces = [UPGRADE, *_pieces(b"".join(frames), random), b"", _frame(8, b"\x03\xe8"), b""]
        answer = await self._exchange(pieces, pause=0.05)
        for code in _close_codes(answer.partition(b"\r\n\r\n")[2]):
            self._note(f"closed {code}", data, is_fault=code == 1011)
        self._note("internal", data, is_fault=True) if b"Internal server error" in answer else None

    async def round(self, random: Random) -> None:
        """Forty clients at once, half of each kind."""
        over_http = [self.http(mutated(corpus("http"), random), random) for _ in range(20)]
        over_websocket = [self.websocket(mutated(corpus("websocket"), random), random) for _ in range(20)]
        await asyncio.gather(*over_http, *over_websocket)

    async def rest(self) -> None:
        """When all have gone, nothing of them may be left, and the router answers as before."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.app.door.open_streams:
                await asyncio.sleep(0.02)
        url = f"http://127.0.0.1:{self.port}/graphql"
        async with aiohttp.ClientSession() as session, session.post(url, json={"query": "{ __typename }"}) as response:
            assert (await response.json())["data"] == {"__typename": "Query"}

    def _note(self, what: str, data: bytes, *, is_fault: bool) -> None:
        self.answers[what] += 1
        if is_fault:
            self.failures.append(f"{what}: {data!r}")

    async def _exchange(self, pieces: list[bytes], pause: float = 0.0) -> bytes:
        """What comes back until the router hangs up, which it must. Each piece has `pause` seconds to be heard."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        with suppress(OSError):  # it may have heard enough
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
            writer.write_eof()
        answer = b""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                with suppress(OSError):
                    while chunk := await reader.read(65_536):
                        answer += chunk
        except TimeoutError:
            self._note("hangs", b"".join(pieces), is_fault=True)
        finally:
            writer.close()
        return answer


def _pieces(data: bytes, random: Random) -> list[bytes]:
    cuts = sorted(random.choices(range(len(data) + 1), k=random.choice((0, 1, 3))))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def _frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame, masked with zeros (RFC 6455, 5.2)."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size) if size < 65_536 else b""
    return bytes([0x80 | opcode]) + (length or b"\xff" + struct.pack(">Q", size)) + bytes(4) + payload


def _close_codes(received: bytes) -> Iterator[int]:
    while len(received) >= 2:
        size, start = received[1] & 0x7F, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(received[2:start], "big")
        if received[0] & 0x0F == 8 and size >= 2:
            yield int.from_bytes(received[start : start + 2], "big")
        received = received[start + size :]


@asynccontextmanager
async def under_fire() -> AsyncIterator[Fuzzed]:
    """A router over the shop. At the end nothing may have failed, been logged as an error, or been left open."""
    with TemporaryDirectory() as folder, structlog.testing.capture_logs() as logs:
        async with running_shop() as shop:
            supergraph = Path(folder) / "supergraph.graphql"
            supergraph.write_text(shop.supergraph)
            waits = {
                "subscriptions": {"init_timeout_seconds": 2},
                "shutdown_grace_seconds": 1,
                "telemetry": {"log_requests": False},
            }
            features = {"batching": {"enabled": True}, "uploads": {"enabled": True}}
            app = create_app(load_settings(None, {}, supergraph=supergraph, **waits, **features))
            asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(str(context)))
            http = bounded_http(header_bytes=65_536, max_seconds=2, protocol=WholeRequestProtocol, application=app)
            async with serving(app, http=http) as port:
                fuzzed = Fuzzed(app, port)
                failures = fuzzed.failures
                yield fuzzed
                await fuzzed.rest()
        fuzzed.failures += [str(each) for each in logs if each["log_level"] in ("error", "critical")]


async def run(seconds: float, seed: int) -> Fuzzed:
    async with under_fire() as fuzzed:
        random, ends = Random(seed), time.monotonic() + seconds
        while time.monotonic() < ends and not fuzzed.failures:
            await fuzzed.round(random)
    return fuzzed


def main() -> None:
    logging.disable()  # of bytes that are no request there is a line each
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    fuzzed = asyncio.run(run(options.seconds, options.seed))
    print(f"seed {options.seed}: {sum(fuzzed.answers.values())} answers, {dict(sorted(fuzzed.answers.items()))}")
    for failure in fuzzed.failures:
        print(failure)
    raise SystemExit(1 if fuzzed.failures else 0)


if __name__ == "__main__":
    main()
