"""Gives a router that watches its graph's file a new graph, once or each second while it works."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

RELOAD_SECONDS = 1.0
#: Within which a router has to have followed.
PATIENCE_SECONDS = 20.0


class NotFollowedError(Exception):
    """The router went on with the graph that it had."""


class Reloader:
    """Rewrites the file that the router watches; each text is new, so each is a whole new graph.

    The file is a supergraph, or JSON with a `version` (the plan of Cosmo Router).
    """

    def __init__(self, file: Path, text: str) -> None:
        self._file, self._text = file, text
        self._written = 0

    def reload(self) -> None:
        self._write(self._text)

    def follow(self, port: int, answers: Callable[[], bool]) -> None:
        """Proves that the router reloads: with paths of subgraphs at which no subgraph is it must cease to answer, and begin
        again with the graph that it had. `port` is that of the subgraphs. Raises NotFollowedError.
        """
        self._write(self._text.replace(f":{port}/", f":{port}/nowhere/"))
        _wait_until(lambda: not answers(), "it answers from subgraphs that its new graph does not have")
        self._write(self._text)
        _wait_until(answers, "it does not answer with its new graph")

    def _write(self, text: str) -> None:
        self._written += 1
        if self._file.suffix == ".json":
            new = json.dumps(json.loads(text) | {"version": f"generation {self._written}"})
        else:
            new = f"# generation {self._written}\n{text}"
        partial = self._file.with_suffix(".part")
        partial.write_text(new)
        partial.replace(self._file)


def _wait_until(ready: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise NotFollowedError(otherwise)
        time.sleep(0.1)


@contextmanager
def reloading(file: Path, text: str) -> Iterator[None]:
    """The router gets a new graph each RELOAD_SECONDS."""
    reloader, over = Reloader(file, text), threading.Event()

    def reload() -> None:
        while not over.wait(RELOAD_SECONDS):
            reloader.reload()

    thread = threading.Thread(target=reload)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
