"""The rehearsal of the runbooks: each page's trouble is made on a running platform, and each of its commands is typed.

A command is what the page has, with its placeholders replaced and the ports of this stack; its exit status and what it says
are held against the drill's (`runbook_drills.py`). After the trouble the platform is whole again. What cannot run here
is in the log with its reason. `python -m deploy.rehearsals.runbooks [PAGE...]`
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.rehearsals.lost_key import key_in_a_file
from deploy.rehearsals.platform import comes, running_platform, since
from deploy.rehearsals.report import Report
from deploy.rehearsals.runbook_drills import (
    BEFORE_THE_LOSS,
    DRILLS,
    ELSEWHERE,
    NOT_HERE,
    RESTORED,
    ROOT,
    TOO_EARLY,
    WHILE_STOPPED,
    Drill,
    Step,
)
from deploy.rehearsals.runbook_pages import commands, pages, runnable
from deploy.rehearsals.scene import NotHereError, Scene

#: How long a command may go on saying something else, and how long it may take.
PATIENCE_SECONDS = 90.0
LONGEST_SECONDS = 240.0
#: The ports of the pages, which are those of production.
PORTS = {"router": "9080", "users": "8081", "nutrition": "8082", "workouts": "8083", "analytics": "8084"}
#: A shell's functions, so that the pages' words stay as they are: our own program, and a curl that gives up after a while.
PRELUDE = f"""set -o pipefail
fittracker() {{ '{sys.executable}' -m deploy "$@"; }}
curl() {{ command curl --max-time 15 "$@"; }}
"""


class NotAsThePageSaysError(Exception):
    """A command ended or spoke otherwise; the message has both."""


@dataclass(frozen=True, slots=True)
class Shell:
    """Where the pages' commands are typed: their placeholders and the folder of the stack."""

    words: Mapping[str, str]
    data: Path

    async def run(self, step: Step, patience: float = PATIENCE_SECONDS) -> str:
        """What was typed. Raises NotAsThePageSaysError with the last status and output."""
        typed = runnable(step.command, self.words, self.data)
        last = (0, "")

        async def holds() -> bool:
            nonlocal last
            last = await _typed(typed)
            return last[0] == step.status and re.search(step.says, last[1]) is not None

        if not await comes(holds, 0 if step.once else patience):
            raise NotAsThePageSaysError(f"{typed}: exit status {last[0]}, {last[1].strip()[-600:]}")
        return typed


async def _typed(line: str) -> tuple[int, str]:
    """Exit status, and what was printed on either stream."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", PRELUDE + line, cwd=ROOT, env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, stdin=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return -1, f"took longer than {LONGEST_SECONDS:.0f} s"
    return process.returncode or 0, output.decode(errors="replace")


def words_of(scene: Scene) -> dict[str, str]:
    """What stands in for ports and folders on every page."""
    ports = {f"localhost:{port}": f"localhost:{scene.platform.state.ports[part]}" for part, port in PORTS.items()}
    return ports | folders(scene.folder)


def folders(folder: Path) -> dict[str, str]:
    return {
        "backups": str(folder / "backups"),
        "/tmp/supergraph.graphql": str(folder / "composed.graphql"),  # noqa: S108 - the page's own words  # nosec B108
        "/tmp/cpu.svg": str(folder / "cpu.svg"),  # noqa: S108 - the same  # nosec B108
        "--max-depth=2 /": f"--max-depth=2 {folder} {folder}/disk",
        "-d 30": "-d 3",
        "NAME": "users",
    }


async def make(drill: Drill, scene: Scene, *, slow: bool = True, patience: float = PATIENCE_SECONDS) -> list[str]:
    """Makes the trouble and types everything; without the slow ones where they are not wanted. What was typed.

    Raises NotAsThePageSaysError, and NotHereError for a trouble that this machine cannot have.
    """
    words = words_of(scene)
    async with drill.trouble(scene) as more:
        words |= more or {}
        shell = Shell(words, scene.folder / "data")
        wanted = [step for step in drill.steps if slow or not step.slow]
        typed = [await shell.run(step, patience) for step in wanted if not step.mended]
    return typed + [await shell.run(step, patience) for step in wanted if step.mended]


async def _run_drill(report: Report, drill: Drill, scene: Scene) -> None:
    started = time.monotonic()
    what = f"{drill.page}: {drill.what}"
    if missing := [step.command for step in drill.steps if not _is_installed(step.command)]:
        report.note(what, f"left out, for its program is not installed: {', '.join(missing)}")
        drill = Drill(
            drill.page, drill.what, drill.trouble, tuple(each for each in drill.steps if each.command not in missing)
        )
    try:
        typed = await make(drill, scene)
    except NotHereError as reason:
        report.note(what, str(reason))
    except NotAsThePageSaysError as failure:
        report.check(what, is_well=False, detail=_in_a_cell(str(failure)))
    except Exception as failure:  # the trouble could not be made or mended; the other pages are still worth a drill
        report.check(what, is_well=False, detail=_in_a_cell(f"{type(failure).__name__}: {failure}"))
    else:
        report.check(what, is_well=True, detail=f"{len(typed)} commands in {since(started)}")


def _is_installed(command: str) -> bool:
    program = command.split(maxsplit=1)[0]
    return program == "fittracker" or shutil.which(program) is not None


async def _restore(report: Report, folder: Path) -> None:
    """Both pages about a platform that does not run: its data is put back, here and in an empty place."""
    data, words = folder / "data", folders(folder) | {"GROUP": "analytics-service"}
    async with running_platform(data) as platform:
        await platform.weigh()
        await _type(report, "restore", BEFORE_THE_LOSS + TOO_EARLY, Shell(words, data))
        await platform.weigh()
    await _type(report, "restore", WHILE_STOPPED, Shell(words, data))
    async with running_platform(data) as platform:
        await _type(report, "restore", RESTORED, Shell(words, data))
        report.check("restore: people use it again", await platform.takes_writes())
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    await _type(report, "region-loss", WHILE_STOPPED, Shell(words, elsewhere))
    async with running_platform(elsewhere, "--no-sample-data") as platform:
        await _type(report, "region-loss", ELSEWHERE, Shell(words, elsewhere))
        report.check("region-loss: people use it elsewhere", await platform.takes_writes())


async def _type(report: Report, page: str, steps: Iterable[Step], shell: Shell) -> None:
    for step in steps:
        try:
            await shell.run(step)
        except NotAsThePageSaysError as failure:
            report.check(f"{page}: `{step.command}`", is_well=False, detail=_in_a_cell(str(failure)))
        else:
            report.check(f"{page}: `{step.command}`", is_well=True, detail=f"exit status {step.status}")


def _in_a_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


async def rehearse(report: Report, chosen: set[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="fittracker-runbooks-") as name:
        folder = Path(name)
        if drills := [each for each in DRILLS if each.page in chosen]:
            async with running_platform(folder / "data", environment=key_in_a_file(folder)) as platform:
                scene = Scene(platform, folder, None)
                for drill in drills:
                    await _run_drill(report, drill, scene)
                    whole = Step("fittracker doctor", "router is ready")
                    await _type(report, f"{drill.page}, afterwards", [whole], Shell({}, folder / "data"))
        if chosen & {"restore", "region-loss"}:
            await _restore(report, folder / "restored")
    for page in sorted(chosen):
        for command in commands(page):
            reasons = [reason for start, reason in NOT_HERE.items() if command.startswith(start)]
            if reasons:
                report.note(f"{page}: `{_in_a_cell(command)}`", reasons[0])


def main(arguments: list[str]) -> int:
    report = Report("runbooks")
    asyncio.run(rehearse(report, set(arguments) or set(pages())))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
