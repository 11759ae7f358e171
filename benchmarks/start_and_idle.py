"""What `fittracker up` costs before anybody uses it: processor time to the first federated answer, and while it does nothing.

python -m benchmarks.start_and_idle starts it twice over one new data directory and then leaves it alone. Processor time is summed
over all its processes, those that have ended included, so that other work on the machine hardly matters.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fittracker.product import LOGIN, ROOT
from benchmarks.load import Request, ask
from benchmarks.processes import cpu_seconds, free_port, proportional_mib
from deploy.data_directory import DataDirectory, StackState
from deploy.sample_data.histories import PASSWORD

START_SECONDS = 300
SETTLE_SECONDS = 20
QUERY = """{ me { displayName suggestedTarget { energyKcal } days(first: 1) { edges { node { caloriesConsumed } } }
  workouts(first: 1) { edges { node { name } } } } }"""


@dataclass(frozen=True, slots=True)
class Start:
    cpu_seconds: float
    seconds: float


def measure(idle_seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="start-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # Postgres may run as another user
        data, port = Path(name) / "data", free_port()
        for which in ("first", "second"):
            with _started(data, port) as (start, state):
                print(
                    f"{which} start: {start.cpu_seconds:.1f} s of processor time, {start.seconds:.1f} s by the clock",
                    flush=True,
                )
                if which == "second":
                    time.sleep(SETTLE_SECONDS)
                    _print_idle(state, idle_seconds)


@contextmanager
def _started(data: Path, port: int) -> Iterator[tuple[Start, StackState]]:
    """Up, and a question that all four subgraphs answer was answered. Raises RuntimeError, WrongAnswerError."""
    began = time.monotonic()
    command = [sys.executable, "-m", "deploy", "up", "--port", str(port), "--data-dir", str(data), "--no-watch"]
    with data.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
    try:
        state = _wait_until_up(DataDirectory(data), process)
        _ask_all_four(state.router_url)
        yield Start(cpu_seconds(process.pid), time.monotonic() - began), state
    finally:
        process.terminate()
        process.wait(60)


def _wait_until_up(directory: DataDirectory, process: subprocess.Popen[bytes]) -> StackState:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if (state := directory.read_state()) is not None:
            return state
        time.sleep(0.05)
    raise RuntimeError(f"`fittracker up` did not come up; its logs are in {directory.logs}")


def _ask_all_four(url: str) -> None:
    credentials = {"email": "john.doe@example.com", "password": PASSWORD}
    answer = ask(url, Request({"query": LOGIN, "variables": {"input": credentials}}))
    token = answer["data"]["login"]["accessToken"]
    answer = ask(url, Request({"query": QUERY}, f"Bearer {token}"))
    if "errors" in answer:
        raise RuntimeError(f"the first answer has errors: {answer}")


def _print_idle(state: StackState, seconds: float) -> None:
    """A line for each child, with what it started itself, and one for all and the supervisor."""
    processes = {**state.pids, "together": state.supervisor_pid}
    before = {name: cpu_seconds(pid) for name, pid in processes.items()}
    time.sleep(seconds)
    print(f"idle for {seconds:g} s:")
    for name, pid in processes.items():
        share = (cpu_seconds(pid) - before[name]) / seconds
        print(f"{name:10} {share:7.2%} of a core, {proportional_mib(pid):4.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--idle-seconds", type=float, default=60.0)
    measure(parser.parse_args().idle_seconds)


if __name__ == "__main__":
    main()
