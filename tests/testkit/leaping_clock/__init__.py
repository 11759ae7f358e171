"""Clocks of single processes that leap and come back: what `time.time` tells a subgraph or the router of a running stack.

`LeapingClocks.environment` is for `running_stack`; with it every Python process loads `sitecustomize` of this folder before
anything else. What C code reads by itself, such as `datetime.now`, keeps the true time: no rule of the product goes by it
(`tests/unit/test_clocks.py`).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = "LEAPING_CLOCKS"
_HERE = Path(__file__).parent


class LeapingClocks:
    """`folder` gets a file for each part, with the seconds by which its clock is ahead."""

    def __init__(self, folder: Path, parts: Iterable[str]) -> None:
        folder.mkdir()
        self._folder = folder
        for part in parts:
            self._set(part, 0.0)

    @property
    def environment(self) -> dict[str, str]:
        root = _HERE.parents[2]
        return {FOLDER: str(self._folder), "PYTHONPATH": os.pathsep.join((str(_HERE), str(root)))}

    @contextmanager
    def ahead(self, part: str, seconds: float) -> Iterator[None]:
        """The part's clock leaps now, behind where `seconds` are negative, and comes back at the end of the block."""
        self._set(part, seconds)
        try:
            yield
        finally:
            self._set(part, 0.0)

    def _set(self, part: str, seconds: float) -> None:
        """In place: the processes have the file mapped."""
        file = self._folder / part
        with file.open("r+b" if file.exists() else "w+b") as mapped:
            mapped.write(struct.pack("d", seconds))
