"""Ctrl-C while `fittracker up` starts: no traceback, no process left, and the next start works. A terminal sends it to all at once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

from tests.testkit.running_stack import ROOT

#: What the start has said when it is interrupted; the first is told by Python itself, which is asked to name what it imports.
MOMENTS = {
    "while modules load": "typer.",
    "while the sample data come in": "Migrate four databases",
    "when it is up": "FitTracker Pro is up",
}
MARK = "FITTRACKER_STARTED_BY"


def _processes_marked(mark: str) -> list[str]:
    """The command lines of the processes that have it in their environment, ended ones aside."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("interrupts_are_heard")
@pytest.mark.skipif(sys.platform != "linux", reason="what is left is looked for in /proc")
def test_an_interrupted_start_ends_without_a_traceback_and_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    for moment, said in MOMENTS.items():
        log_file, mark = tmp_path / f"{moment}.log", uuid4().hex
        is_loading = moment == "while modules load"
        tells_imports = ("-X", "importtime") if is_loading else ()
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *tells_imports, "-m", "deploy", "up", "--port", "0", "--data-dir", tmp_path / "data", "--no-watch"],
                cwd=ROOT, env={**os.environ, MARK: mark}, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        try:
            while said not in log_file.read_text():
                assert process.poll() is None, log_file.read_text()
                time.sleep(0.02)
            os.killpg(process.pid, signal.SIGINT)
            code = process.wait(timeout=120)
        finally:
            process.kill()
            process.wait()

        output = log_file.read_text()
        assert "Traceback" not in output, moment
        assert "error:" not in output, moment
        assert code in ({0, -signal.SIGINT, 130} if is_loading else {0}), moment
        assert _processes_marked(mark) == [], moment
