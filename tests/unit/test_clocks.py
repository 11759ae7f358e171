"""Who reads the machine's clock. What the product decides by time goes by a `ServiceClock`, which no leap takes along."""

import ast
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.testkit.leaping_clock import LeapingClocks

ROOT = Path(__file__).parents[2]
#: Rooms whose processes run beside others of theirs, and what there reads the clock all the same: to show it, to
#: say it to somebody, to make an id, and, in `access`, for a router that nobody tells of ended sessions.
SHOWN = {
    "events/envelope.py", "events/outbox.py", "events/tracing.py", "subgraphs/shell/bulk.py",
    "router/access/authentication.py", "router/access/aws_signature.py", "router/access/limits.py",
    "router/request_trace.py", "router/server/console.py", "router/server/graph_file.py", "router/server/probes.py",
    "router/server/recent_operations.py", "router/server/usage.py", "router/telemetry.py",
    "router/transport/instance_directory.py", "router/transport/instances.py", "router/transport/subgraph_monitor.py",
}  # fmt: skip
#: What compares it with another's, or takes another's in its place.
THE_CLOCK = {"events/relay.py", "router/service_clock.py", "subgraphs/shell/auth.py", "subgraphs/shell/revocation.py"}


def readers_of_the_clock() -> set[str]:
    found = set()
    for room in ("events", "router", "subgraphs"):
        for file in (ROOT / room).rglob("*.py"):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            read = {
                f"{node.value.id}.{node.attr}"
                for node in ast.walk(tree)
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            }
            if read & {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "date.today"}:
                found.add(str(file.relative_to(ROOT)))
    return found


def test_nothing_is_decided_by_a_clock_that_may_leap() -> None:
    """A new name here is a place to think about: `resources.now()` is the time of a subgraph."""
    assert readers_of_the_clock() == SHOWN | THE_CLOCK


def test_no_statement_asks_for_the_day_of_its_session() -> None:
    """Whose time zone is that of whoever set Postgres up: a day is UTC's, or a person's."""
    of_the_session = re.compile(r"\b(current_date|current_time|localtimestamp)\b", re.IGNORECASE)
    asking = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for room in ("events", "router", "subgraphs", "deploy")
        for file in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and of_the_session.search(node.value)
    ]
    assert asking == []


def test_the_clock_of_one_process_leaps_and_comes_back(tmp_path: Path) -> None:
    clocks = LeapingClocks(tmp_path / "clocks", ("users", "router"))
    told = "import sys, time\nfor _ in sys.stdin: print(time.time(), time.time_ns(), flush=True)"
    reader = subprocess.Popen(
        [sys.executable, "-c", told, "subgraph", "users"], env={**os.environ, **clocks.environment}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert reader.stdin is not None
    assert reader.stdout is not None

    def ahead() -> list[float]:
        print(file=reader.stdin, flush=True)
        seconds, nanoseconds = reader.stdout.readline().split()
        return [float(seconds) - time.time(), int(nanoseconds) / 1e9 - time.time()]

    with reader:
        assert all(abs(each) < 60 for each in ahead())
        with clocks.ahead("users", -3_600):
            assert all(abs(each + 3_600) < 60 for each in ahead())
        with clocks.ahead("router", 3_600):
            assert all(abs(each) < 60 for each in ahead())
        reader.stdin.close()
