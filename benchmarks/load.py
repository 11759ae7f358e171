"""Verifies a gateway's answer and puts load on it with wrk. Used by `compare`."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks.processes import Server
from benchmarks.shop.workloads import Workload

SCRIPT = Path(__file__).with_name("load.lua")
_counters = itertools.count(1)


class WrongAnswerError(Exception):
    """A gateway's data are not the expected ones: timing it would mean nothing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One timed run of one gateway."""

    requests_per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms_per_request: float
    peak_memory_mib: float
    failed: int


def verify(url: str, workload: Workload) -> None:
    """Raises WrongAnswerError. Key order is not compared, values are."""
    body = json.dumps({"query": workload.operation_text()}).encode()
    headers = {"content-type": "application/json", "accept": "application/json"}
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - a URL of our own making
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        received: dict[str, Any] = orjson.loads(answer.read())
    if received.get("errors") or received.get("data") != workload.expected():
        raise WrongAnswerError(f"{url} answers {workload.name} with {json.dumps(received)[:1500]}")


def put_load(url: str, workload: Workload, server: Server, *, core: int, connections: int, seconds: int) -> Sample:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as body:
        body.write(json.dumps({"query": workload.operation}))
        body.flush()
        cpu_before = server.cpu_seconds()
        outcome = _run_wrk(url, body.name, core, connections, seconds)
        cpu = server.cpu_seconds() - cpu_before
    requests = outcome["requests"] or 1
    return Sample(
        requests_per_second=outcome["requests"] / (outcome["microseconds"] / 1e6),
        p50_ms=outcome["p50_ms"],
        p95_ms=outcome["p95_ms"],
        p99_ms=outcome["p99_ms"],
        cpu_ms_per_request=cpu * 1000 / requests,
        peak_memory_mib=server.peak_memory_mib(),
        failed=outcome["failed"],
    )


def _run_wrk(url: str, body_file: str, core: int, connections: int, seconds: int) -> dict[str, Any]:
    options = ["--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--timeout", "10s"]
    first = str(next(_counters) * 10_000_000)
    done = subprocess.run(
        ["taskset", "--cpu-list", str(core), "wrk", *options, "--script", str(SCRIPT), url],
        env={**os.environ, "BENCH_BODY_FILE": body_file, "BENCH_FIRST_COUNTER": first},
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    outcome: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
    return outcome
