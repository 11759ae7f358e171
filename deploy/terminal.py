"""What people see: steps with their times, the children's log lines with a coloured name, errors without a traceback.

Used by the commands. Colours and movement appear on a terminal only.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.text import Text

#: What router and subgraphs log of a start that goes as it should: the steps and the panel say as much.
ROUTINE = (
    "broker_refill_begins",
    "instances",
    "listening",
    "subgraph_started",
    "subgraph_stopped",
    "supergraph_loaded",
)
_ROUTINE_LINE = re.compile(rf"\S+ \[info *\] ({'|'.join(ROUTINE)})\b")
_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")


_for_machines = False


def say_as_a_service() -> None:
    """With FITTRACKER_ENV=prod all that this process says is JSON lines, unless a person looks on at a terminal.

    For commands that run as services, before anything can go wrong; those that read settings of their own log as these say then.
    """
    global _for_machines  # noqa: PLW0603 - the process's output is one too
    if os.environ.get("FITTRACKER_ENV") != "prod" or sys.stdout.isatty():
        return
    from router import log_lines

    _for_machines = True
    log_lines.configure(log_lines.LogForm(), until_settings_are_read=True)


def _service_log() -> Any:
    """None where people read what is said."""
    if not _for_machines:
        return None
    import structlog

    return structlog.get_logger("fittracker")


class Terminal:
    """One per command."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self.errors = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str = "") -> None:
        """The text as it is: what stands in brackets may be a person's name, and is no markup."""
        if (log := _service_log()) is not None:
            log.info(text)
            return
        self.console.print(text, markup=False)

    def warn(self, message: str) -> None:
        if (log := _service_log()) is not None:
            log.warning(message)
            return
        self.errors.print(Text.assemble(("warning: ", "bold yellow"), message))

    def fail(self, message: str, hint: str | None = None) -> None:
        if (log := _service_log()) is not None:
            log.error(message, **({"hint": hint} if hint else {}))
            return
        self.errors.print(Text.assemble(("error: ", "bold red"), message))
        if hint:
            self.errors.print(Text.assemble(("hint:  ", "bold"), hint))

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """A spinner while it lasts, a line with its time at the end."""
        started = time.monotonic()
        try:
            if self.console.is_terminal:
                with self.console.status(f"{what} …"):
                    yield
            else:
                yield
        except BaseException:
            self.console.print(Text.assemble(("✗ ", "red"), what))
            raise
        took = time.monotonic() - started
        self.console.print(Text.assemble(("✓ ", "green"), what, (f"  {took:.1f} s", "dim")))


class ChildLog:
    """Writes each child's lines to its log file, and to the terminal with its name.

    Lines of those named in `quiet` and lines that are `ROUTINE` go to the files only; news is for people all the same.
    """

    def __init__(self, terminal: Terminal, directory: Path, quiet: Container[str] = ()) -> None:
        self._terminal = terminal
        self._directory = directory
        self._quiet = quiet
        self._files: dict[str, IO[str]] = {}
        self._colours: dict[str, str] = {}

    def line(self, name: str, line: str) -> None:
        self._file(name).write(line + "\n")
        text = Text.from_ansi(line)
        if name not in self._quiet and not _ROUTINE_LINE.match(text.plain):
            self._show(name, text)

    def news(self, name: str, text: str) -> None:
        self._file(name).write(f"*** {text}\n")
        self._show(name, Text(text, style="bold"))

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _show(self, name: str, text: Text) -> None:
        colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
        self._terminal.console.print(Text.assemble((f"{name:>9} │ ", colour), text))

    def _file(self, name: str) -> IO[str]:
        if name not in self._files:
            self._files[name] = (self._directory / f"{name}.log").open("a", encoding="utf-8", buffering=1)
        return self._files[name]
