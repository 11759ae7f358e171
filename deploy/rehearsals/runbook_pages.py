"""The commands of the runbooks, as they are written there, and what makes one of them runnable on a stack of this machine."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "runbooks"
PROGRAMS = ("fittracker", "docker", "helm", "systemctl", "openssl", "py-spy", "memray", "nginx", "psql", "curl")
#: Blocks of commands, and a command within a sentence: one of PROGRAMS, a blank and more, after variables if there are any.
_WRITTEN = re.compile(rf"```sh\n(.*?)```|`((?:[A-Z_]+=\S+ )*(?:{'|'.join(PROGRAMS)}) [^`]+)`", re.DOTALL)
#: Verbs of `fittracker` that ask files and no stack, and therefore take no --data-dir.
WITHOUT_DATA = frozenset({"schema", "compose", "explain", "plan", "verify-backup", "certificates"})
#: What stands in for "whoever starts the stack", and is no command to type.
_NAMES = frozenset({"fittracker up"})


def pages() -> list[str]:
    return sorted(file.stem for file in FOLDER.glob("*.md") if file.stem != "README")


def commands(page: str) -> list[str]:
    """Those of one page in its order, each once: lines of its blocks, and those within sentences."""
    found: dict[str, None] = {}
    for block, inline in _WRITTEN.findall((FOLDER / f"{page}.md").read_text(encoding="utf-8")):
        for line in block.splitlines() or [" ".join(inline.split())]:
            if line and line not in _NAMES:
                found[line] = None
    return list(found)


def runnable(command: str, words: Mapping[str, str], data: Path) -> str:
    """The command with its placeholders replaced, longest first, and with the data directory where it takes one."""
    for placeholder in sorted(words, key=len, reverse=True):
        # whole words alone: the ID of a record is not that of `PID`
        command = re.sub(rf"(?<![\w.]){re.escape(placeholder)}(?!\w)", words[placeholder].replace("\\", r"\\"), command)
    if command.startswith("fittracker ") and _takes_data_directory(command):
        command += f" --data-dir {shlex.quote(str(data))}"
    return command


def _takes_data_directory(command: str) -> bool:
    return command.split()[1] not in WITHOUT_DATA
