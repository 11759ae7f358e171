"""One scrape of a router with several workers is the sum of all: they ask each other over Unix sockets in a shared folder.

`workers` makes the folder; `probes` asks. A worker that died goes on counting with what was last heard of it, for a sum
that falls would look like a restart, and its next value like that many new requests.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

ANSWER_SECONDS = 1.0
LARGEST_ANSWER_BYTES = 16 * 1024 * 1024

#: Gauges of which a sum means nothing: each worker says the same, or the worst is what matters.
NOT_SUMMED = frozenset(
    {
        "process_max_fds",
        "process_memory_limit_bytes",
        "process_start_time_seconds",
        "python_info",
        "router_certificate_expires_timestamp_seconds",
        "router_graph_generation",
        "router_subgraph_circuit_state",
        "router_subgraph_instances",
    }
)


class WorkerMetrics:
    """`own` is the text of this process. Without a folder it is the only one."""

    def __init__(self, own: Callable[[], bytes], folder: Path | None = None) -> None:
        self._own = own
        self._folder = folder
        self._name = str(os.getpid())

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """The others can ask this worker until the block ends."""
        if self._folder is None:
            yield
            return
        socket = self._folder / f"{self._name}.sock"
        server = await asyncio.start_unix_server(self._answer, socket)
        try:
            yield
        finally:
            server.close()
            socket.unlink(missing_ok=True)
            self._remember(self._name, self._own())

    async def text(self) -> bytes:
        """In Prometheus' text format."""
        if self._folder is None:
            return self._own()
        others = {file.stem for file in self._folder.iterdir() if file.suffix in (".sock", ".prom")} - {self._name}
        heard = await asyncio.gather(*(self._ask(self._folder / f"{name}.sock") for name in others))
        texts = [self._own()]
        self._remember(self._name, texts[0])  # told once, it must not be missing from the sum after our end
        for name, answer in zip(others, heard, strict=True):
            if answer is not None:
                self._remember(name, answer)
                texts.append(answer)
            else:
                texts.append(self._last_of(name))
        return summed(texts)

    async def _answer(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._own())
        writer.close()

    async def _ask(self, socket: Path) -> bytes | None:
        """None where nobody answers, or not in time."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await asyncio.open_unix_connection(socket, limit=LARGEST_ANSWER_BYTES)
                try:
                    return await reader.read()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return None

    def _remember(self, name: str, text: bytes) -> None:
        assert self._folder is not None
        partial = self._folder / f"{name}.{self._name}.part"
        partial.write_bytes(text)
        partial.replace(self._folder / f"{name}.prom")

    def _last_of(self, name: str) -> bytes:
        """Its counts, as last heard; what it held at that moment (gauges) went with it."""
        assert self._folder is not None
        try:
            return only_counts((self._folder / f"{name}.prom").read_bytes())
        except OSError:
            return b""


def summed(texts: Iterable[bytes]) -> bytes:
    """Sums sample by sample, and takes the largest of NOT_SUMMED; families stay together and in order."""
    heads: dict[str, list[str]] = {}
    samples: dict[str, dict[str, float]] = {}
    for text in texts:
        family = ""
        for line in text.decode().splitlines():
            if line.startswith("#"):
                family = line.split(" ", 3)[2]
                head = heads.setdefault(family, [])
                samples.setdefault(family, {})
                if line not in head:
                    head.append(line)
            elif line:
                key, _, value = line.rpartition(" ")
                of_family = samples[family]
                if key not in of_family:
                    of_family[key] = float(value)
                elif family in NOT_SUMMED:
                    of_family[key] = max(of_family[key], float(value))
                else:
                    of_family[key] += float(value)
    lines = []
    for family, head in heads.items():
        lines += head
        lines += [f"{key} {value!r}" for key, value in samples[family].items()]
    return ("\n".join(lines) + "\n").encode()


def only_counts(text: bytes) -> bytes:
    """Counters and histograms of a text, without its gauges."""
    kept: list[str] = []
    pending: list[str] = []
    is_count = False
    for line in text.decode().splitlines():
        if line.startswith("# HELP"):
            pending = [line]
        elif line.startswith("# TYPE"):
            is_count = line.rsplit(" ", 1)[1] in ("counter", "histogram", "summary")
            kept += [*pending, line] if is_count else []
            pending = []
        elif is_count:
            kept.append(line)
    return ("\n".join(kept) + "\n").encode()
