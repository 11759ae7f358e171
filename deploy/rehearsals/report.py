"""What a rehearsal saw: a line a check, and at the end a dated file in results/ that is committed."""

from __future__ import annotations

import platform
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass
class Report:
    """`name` is the rehearsal's; `folder` where its log goes."""

    name: str
    folder: Path = RESULTS
    _lines: list[tuple[bool, str, str]] = field(default_factory=list)
    _notes: list[tuple[str, str]] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)

    def check(self, what: str, is_well: bool, detail: str = "") -> None:
        self._lines.append((is_well, what, detail))
        sys.stdout.write(f"{'ok  ' if is_well else 'FAIL'} {what}{f': {detail}' if detail else ''}\n")
        sys.stdout.flush()

    def note(self, what: str, detail: str) -> None:
        """What was not checked, and why."""
        self._notes.append((what, detail))
        sys.stdout.write(f"--   {what}: {detail}\n")

    @property
    def is_well(self) -> bool:
        """Whether no check has failed so far."""
        return all(is_well for is_well, _, _ in self._lines)

    def finish(self) -> int:
        """Writes the log and hands back the exit status: 0 where everything was well and something was checked."""
        failed = sum(not is_well for is_well, _, _ in self._lines)
        day = datetime.now(UTC).date().isoformat()
        head = [
            f"# {self.name}, {day}",
            "",
            (
                f"{len(self._lines) - failed} of {len(self._lines)} checks passed in {time.monotonic() - self._started:.0f} s; "
                f"Python {platform.python_version()}, {platform.system()}. `python -m deploy.rehearsals.{self.name}`"
            ),
            "",
            "| check | result | detail |",
            "|---|---|---|",
        ]
        rows = [f"| {what} | {'ok' if is_well else '**failed**'} | {detail} |" for is_well, what, detail in self._lines]
        rows += [f"| {what} | | {detail} |" for what, detail in self._notes]
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{day}-{self.name}.md").write_text("\n".join([*head, *rows]) + "\n", encoding="utf-8")
        return 1 if failed or not self._lines else 0
