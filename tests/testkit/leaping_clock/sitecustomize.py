"""Python imports this by its name when a process starts with this folder on its path: the clock then follows a file's word.

The process is known by its command line, `... subgraph users` or `... router FILE`. Any other keeps the true time.
"""

import mmap
import os
import struct
import sys
import time
from pathlib import Path


def _part(command: list[str]) -> str:
    if "subgraph" in command[:-1]:
        return command[command.index("subgraph") + 1]
    return "router" if "router" in command else ""


def _follow(file: Path) -> None:
    with file.open("rb") as opened:
        ahead = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    seconds, nanoseconds, read = time.time, time.time_ns, struct.Struct("d").unpack_from
    time.time = lambda: seconds() + read(ahead)[0]
    time.time_ns = lambda: nanoseconds() + int(read(ahead)[0] * 1e9)


_file = Path(os.environ.get("LEAPING_CLOCKS", "/nowhere")) / _part(sys.orig_argv)
if _file.is_file():
    _follow(_file)
