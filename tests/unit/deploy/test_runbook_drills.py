"""Every command of a runbook is typed by a drill, or is listed with the reason why it cannot be; so are the tasks of the schedulers."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.rehearsals import runbook_pages
from deploy.rehearsals.runbook_drills import DRILLS, NOT_HERE, WITHOUT_PLATFORM, Step
from deploy.rehearsals.runbook_pages import commands, pages, runnable
from tests.unit.deploy.test_chart import VARIANTS, pods, rendered
from tests.unit.deploy.test_runbooks import parse

ROOT = Path(__file__).parents[3]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
#: The tasks of the schedulers that are neither a process which always runs nor a page's command, and what runs them.
ELSEWHERE = {"migrate": "deploy/rehearsals/postgres.py"}


def drilled(page: str) -> list[tuple[Step, ...]]:
    return [drill.steps for drill in DRILLS if drill.page == page] + (
        [WITHOUT_PLATFORM[page]] if page in WITHOUT_PLATFORM else []
    )


def is_excused(command: str) -> bool:
    return any(command.startswith(start) for start in NOT_HERE)


@pytest.mark.parametrize("page", pages())
def test_every_command_of_a_page_is_typed_by_a_drill_or_has_a_reason(page: str) -> None:
    typed = {step.command for steps in drilled(page) for step in steps}
    left = [command for command in commands(page) if command not in typed and not is_excused(command)]
    assert left == []


@pytest.mark.parametrize("page", pages())
def test_drills_type_what_the_page_says_and_in_its_order(page: str) -> None:
    """But for a look at what is whole again, which is a second one."""
    written = commands(page)
    for steps in drilled(page):
        places = [
            written.index(command) for command in dict.fromkeys(step.command for step in steps if not step.mended)
        ]
        assert places == sorted(places)


def test_every_reason_is_needed() -> None:
    written = [command for page in pages() for command in commands(page)]
    assert [start for start in NOT_HERE if not any(command.startswith(start) for command in written)] == []


def test_what_is_typed_is_what_the_command_line_takes() -> None:
    """With the data directory that the drill adds, where it does."""
    for page in pages():
        for command in commands(page):
            if command.startswith("fittracker ") and not is_excused(command):
                words = {"ID": "1", "OPERATION.graphql": "README.md", "backups": "deploy"}
                parse(shlex.split(runnable(command, words, Path("data"))))


def test_a_new_command_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new.md").write_text(
        "```sh\nfittracker doctor\n```\nThen `fittracker db locks`, and `fittracker up` starts it.\n"
    )
    monkeypatch.setattr(runbook_pages, "FOLDER", tmp_path)
    assert pages() == ["new"]
    assert commands("new") == ["fittracker doctor", "fittracker db locks"]


def test_placeholders_are_whole_words() -> None:
    assert runnable("py-spy dump --pid PID", {"ID": "7", "PID": "12"}, Path("data")) == "py-spy dump --pid 12"
    assert runnable("fittracker db locks", {}, Path("data")) == "fittracker db locks --data-dir data"


def _tasks_of_timers() -> set[str]:
    """What the units say that a timer starts, or that runs once."""
    found = set()
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        if "Type=oneshot" in text:
            found |= set(re.findall(r"^ExecStart=/opt/fittracker/bin/fittracker (.+)$", text, re.MULTILINE))
    return found


def _tasks_of_the_chart() -> set[str]:
    documents = [each for each in rendered(VARIANTS["default"]) if each["kind"] in {"CronJob", "Job"}]
    return {
        " ".join(container["args"])
        for _, spec in pods(documents)
        for container in (*spec.get("initContainers", ()), *spec["containers"])
    }


def _is_drilled(task: str) -> bool:
    """Whether a drill types the same verb, with every option of the task but those that say where something is."""
    typed = [step.command.split()[1:] for page in pages() for steps in drilled(page) for step in steps]
    where = {"--to", "--passphrase-file", "--server-file"}
    words = task.split()
    verb = words[:2] if words[0] in {"db", "events"} else words[:1]
    options = {word for word in words if word.startswith("--")} - where
    return any(each[: len(verb)] == verb and options <= set(each) for each in typed)


@pytest.mark.parametrize("tasks", [_tasks_of_timers, _tasks_of_the_chart], ids=["systemd", "chart"])
def test_schedulers_run_what_the_drills_typed(tasks: Callable[[], set[str]]) -> None:
    found = tasks()
    assert {"migrate", "db vacuum", "db slow", "sizing --check"} <= found
    assert [task for task in sorted(found) if task not in ELSEWHERE and not _is_drilled(task)] == []


def test_both_schedulers_have_the_same_weekly_tasks() -> None:
    weekly = {task for task in _tasks_of_timers() if task.split()[0] in {"db", "sizing"}}
    assert weekly == {task for task in _tasks_of_the_chart() if task.split()[0] in {"db", "sizing"}}
