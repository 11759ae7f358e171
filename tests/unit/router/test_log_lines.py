"""Whatever is said in a process is one JSON object a line: by libraries, warnings, loops, threads, and the exception that ends it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from router.log_lines import _json, _Seldom

ROOT = Path(__file__).parents[3]
SECRET = "hunter2-that-nobody-may-read"
ROUTER = (
    "from router.telemetry import configure_logging as begin\nfrom router.settings import Telemetry\nbegin(Telemetry())"
)
SUBGRAPH = (
    "from subgraphs.shell.settings import Settings\nfrom subgraphs.shell.telemetry import configure_logs\n"
    "configure_logs(Settings(subgraph='users', database_url='', jwt_secret='', environment='prod'))"
)
SERVICE = (
    "import os\nos.environ['FITTRACKER_ENV'] = 'prod'\n"
    "from deploy.terminal import Terminal, say_as_a_service\nsay_as_a_service()\n"
    "Terminal().say('analytics-service: 3 people checked, 0 rows differ')\nTerminal().fail('no such file', 'name another')"
)
SAY = """
import asyncio, gc, logging, threading, warnings
import structlog
structlog.get_logger("ours").info("said", number=2**70, half="\\ud800", path=b"x")
logging.getLogger("aiokafka.conn").error("Unable to connect to %s:\\nnobody there", "127.0.0.1:1")
logging.getLogger("sqlalchemy.pool").info("is no news")
logging.getLogger("uvicorn.error").warning("%d of them", "wrong arguments")
warnings.warn("is outdated", UserWarning, stacklevel=1)

def failing():
    password = "hunter2-that-nobody-may-read"
    raise ValueError("in a loop")

async def main():
    asyncio.get_running_loop().call_soon(failing)
    lost = asyncio.ensure_future(asyncio.to_thread(failing))
    await asyncio.sleep(0.2)
    del lost
    gc.collect()

class Unraisable:
    def __del__(self):
        failing()

asyncio.run(main())
thread = threading.Thread(target=failing, name="a thread")
thread.start(); thread.join()
Unraisable()
failing()
"""


def lines_of(begin: str) -> list[dict[str, Any]]:
    program = [sys.executable, "-c", f"{begin}\n{SAY}"]
    ended = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert ended.returncode == 1
    assert ended.stderr == ""
    return [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.mark.parametrize("begin", [ROUTER, SUBGRAPH, SERVICE], ids=["router", "subgraph", "service"])
def test_everything_is_json(begin: str) -> None:
    lines = lines_of(begin)
    assert all(
        isinstance(line["timestamp"], str) and line["level"] and line["logger"] and line["event"] for line in lines
    )
    by_logger: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        by_logger.setdefault(line["logger"], []).append(line)
    assert by_logger["ours"][0]["event"] == "said"
    assert by_logger["aiokafka.conn"][0]["event"] == "Unable to connect to 127.0.0.1:1:\nnobody there"
    assert by_logger["aiokafka.conn"][0]["level"] == "error"
    assert "sqlalchemy.pool" not in by_logger
    assert "is outdated" in "".join(line["event"] for line in by_logger["py.warnings"])
    assert len(by_logger["asyncio"]) == 2  # of the loop, and of the task that nobody awaited
    assert all("ValueError: in a loop" in line["exception"] for line in by_logger["asyncio"])
    told = [(line["event"], line["level"]) for line in by_logger["router.log_lines"]]
    assert told == [
        ("log_record_unusable", "error"),
        ("uncaught_exception", "error"),
        ("unraisable_exception", "error"),
        ("uncaught_exception", "critical"),
    ]
    assert all("Traceback (most recent call last)" in line["exception"] for line in by_logger["router.log_lines"])
    if begin is SERVICE:
        assert [(line["level"], line["event"], line.get("hint")) for line in by_logger["fittracker"]] == [
            ("info", "analytics-service: 3 people checked, 0 rows differ", None),
            ("error", "no such file", "name another"),
        ]
    if begin is SUBGRAPH:
        assert {line["subgraph"] for line in by_logger["aiokafka.conn"]} == {"users"}
    # the source line that holds it is not printed, and local variables never are
    assert SECRET not in json.dumps(lines)


def test_people_read_lines_without_braces() -> None:
    begin = ROUTER.replace("Telemetry())", "Telemetry(), for_people=True)")
    program = [sys.executable, "-c", f"{begin}\nimport logging\nlogging.getLogger('aiokafka').error('gone')"]
    ended = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)
    assert "[error" in ended.stdout
    assert "gone" in ended.stdout
    assert "[aiokafka]" in ended.stdout
    assert "{" not in ended.stdout


def test_what_opentelemetry_repeats_is_told_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("router.log_lines.time.monotonic", lambda: now[0])
    seldom = _Seldom("opentelemetry", 60.0)

    def passes(name: str) -> dict[str, Any] | None:
        record = logging.makeLogRecord({"name": name, "msg": "Failed to export"})
        return record.__dict__ if seldom.filter(record) else None

    exporter = "opentelemetry.exporter.otlp"
    assert passes(exporter) is not None
    now[0] += 59.0
    assert [passes(exporter) for _ in range(3)] == [None] * 3
    assert passes("opentelemetry.sdk") is not None  # of something else
    assert all(passes("aiokafka") is not None for _ in range(3))
    now[0] += 1.0
    told = passes(exporter)
    assert told is not None
    assert told["left_out"] == 3


def test_a_process_that_has_set_up_its_own_logging_keeps_it() -> None:
    begin = (
        "import logging, sys\nlogging.basicConfig(format='own %(message)s', stream=sys.stdout)\n"
        "from router.log_lines import *\nconfigure(LogForm())\nlogging.error('line')"
    )
    ended = subprocess.run([sys.executable, "-c", begin], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout == "own line\n"


WITHOUT_MEMORY = """
import resource
import structlog
from pathlib import Path
from router.telemetry import configure_logging
from router.settings import Telemetry
configure_logging(Telemetry())

said, log = "a" * 50_000, structlog.get_logger("ours")

def tell():
    try:
        raise MemoryError(said[:10])
    except MemoryError:
        log.error("no_memory", WHAT)

tell()
pages = int(Path("/proc/self/statm").read_text().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize(), resource.RLIM_INFINITY))
taken, size, told = [], 1 << 20, 0
while size > 512:
    try:
        taken.append(bytearray(size))
    except MemoryError:
        size //= 2
while taken and told < 5:
    try:
        tell()
        told += 1
    except MemoryError:
        taken.pop()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("what", ["text=said", "text=said, exc_info=True"])
def test_a_line_for_which_there_is_no_memory_ends_nothing(what: str) -> None:
    program = [sys.executable, "-c", WITHOUT_MEMORY.replace("WHAT", what)]
    ended = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert {line["event"] for line in lines} == {"no_memory"}
    assert lines


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (datetime(2026, 12, 1, tzinfo=UTC), "2026-12-01T00:00:00+00:00"),
        (float("nan"), "nan"),
        (2**70, 2**70),
        ("\ud800", "\ud800"),
        (b"x", "b'x'"),
    ],
)
def test_each_line_is_json_whatever_is_said(value: Any, written: Any) -> None:
    assert json.loads(_json({"event": "said", "value": value})) == {"event": "said", "value": written}
