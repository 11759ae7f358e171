"""Verifies a gateway's answer and puts load on it with wrk. Used by every benchmark that has a load."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks.processes import Server, pinned
from benchmarks.signed_in import forged_authorization
from benchmarks.workload import IN_PARTS, Workload

SCRIPT = Path(__file__).with_name("load.lua")
#: Of the runs, each of which begins a million further on: `cold-literals` makes integers of 32 bits of their numbers.
_counters = itertools.count(1)


class WrongAnswerError(Exception):
    """A gateway's data are not the expected ones: timing it would mean nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """One POST of a JSON body, in which wrk replaces `COUNTER` by a number that is new in every request."""

    content: dict[str, Any]
    authorization: str = ""
    accept: str = "application/json"

    @property
    def body(self) -> bytes:
        return orjson.dumps(self.content)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What wrk saw. Its loop is closed: with n connections, p50 is about n / rate."""

    requests: int
    requests_per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    failed: int


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
    """Asks each of its operations. Raises WrongAnswerError."""
    if workload.callers:
        verify_refusal(url, workload)
    for each in workload.singly():
        request = Request({"query": each.operation_text()}, each.authorizations()[0], each.accept)
        verify_request(url, request, each.expected(), each.expected_errors())


def verify_request(url: str, request: Request, expected: dict[str, Any], errors: int = 0) -> None:
    """As a whole, or in parts where the request accepts parts. Raises WrongAnswerError."""
    if request.accept == IN_PARTS:
        verify_parts(url, request, expected)
    else:
        verify_answer(url, request, expected, errors)


def answers_rightly(url: str, workload: Workload) -> bool:
    try:
        verify(url, workload)
    except (OSError, ValueError, WrongAnswerError):  # nobody listens yet, or what listens has no graph yet
        return False
    return True


def verify_refusal(url: str, workload: Workload) -> None:
    """Raises WrongAnswerError where somebody gets data without a token, or with one that another key has signed."""
    for authorization in ("", forged_authorization()):
        try:
            answer = ask(url, Request({"query": workload.operation_text()}, authorization))
        except urllib.error.HTTPError:
            continue
        if answer.get("data"):
            raise WrongAnswerError(f"{url} answers who is not signed in")


def verify_parts(url: str, request: Request, expected: dict[str, Any]) -> None:
    """Raises WrongAnswerError where the parts of an answer do not make the whole, or where it has one part."""
    body = ask_for_bytes(url, request)
    if b'"incremental"' not in body:
        raise WrongAnswerError(f"{url} answers in one part: {body[:1500]!r}")
    try:
        whole = joined(body)
    except (ValueError, LookupError, TypeError) as error:
        raise WrongAnswerError(f"{url}: the parts do not fit together: {error!r}") from None
    if whole != expected:
        raise WrongAnswerError(f"{url}: the parts do not make the whole")


def joined(body: bytes) -> dict[str, Any]:
    """The data of an answer in parts put together: parts as `deferSpec=20220824` has them, or as later drafts do, which tell the
    place of a piece by the id of what is pending. Raises WrongAnswerError for errors.
    """
    boundary = body.lstrip().partition(b"\r\n")[0]
    parts = [json.loads(part.partition(b"\r\n\r\n")[2]) for part in body.split(boundary) if b"{" in part]
    whole: dict[str, Any] = {}
    pending: dict[str, list[Any]] = {}
    for part in parts:
        pending |= {each["id"]: each["path"] for each in part.get("pending") or ()}
        pieces = part.get("incremental") or ([part] if "data" in part else [])
        if part.get("errors") or any(piece.get("errors") for piece in pieces):
            raise WrongAnswerError(f"a part has errors: {part}")
        for piece in pieces:
            at: Any = whole
            for step in piece.get("path") or [*pending.get(piece.get("id"), ()), *piece.get("subPath", ())]:
                at = at[step]
            _merge(at, piece["data"])
    return whole


def _merge(there: Any, arriving: dict[str, Any]) -> None:
    for key, value in arriving.items():
        known = there.get(key)
        if isinstance(value, dict) and isinstance(known, dict):
            _merge(known, value)
        elif isinstance(value, list) and isinstance(known, list):
            for one, other in zip(known, value, strict=True):
                _merge(one, other)
        else:
            there[key] = value


def verify_answer(url: str, request: Request, expected: dict[str, Any], errors: int = 0) -> None:
    """Raises WrongAnswerError. Key order is not compared, values and the number of errors are."""
    try:
        received = ask(url, request)
    except urllib.error.HTTPError as error:
        raise WrongAnswerError(f"{url} answers {error.code}: {error.read()[:1500]!r}") from None
    if len(received.get("errors") or ()) != errors or received.get("data") != expected:
        raise WrongAnswerError(f"{url} answers {json.dumps(received)[:1500]}")


def ask(url: str, request: Request) -> dict[str, Any]:
    """The parsed answer. Raises OSError, as urllib does for a status of 400 and above."""
    received: dict[str, Any] = orjson.loads(ask_for_bytes(url, request))
    return received


def ask_for_bytes(url: str, request: Request) -> bytes:
    """The body of the answer. Raises OSError, as urllib does for a status of 400 and above."""
    headers = {"content-type": "application/json", "accept": request.accept}
    if request.authorization:
        headers["authorization"] = request.authorization
    http_request = urllib.request.Request(url, request.body, headers)  # noqa: S310 - a URL of our own making
    with urllib.request.urlopen(http_request, timeout=30) as answer:  # noqa: S310
        body: bytes = answer.read()
    return body


def put_load(url: str, workload: Workload, server: Server, *, core: int, connections: int, seconds: int) -> Sample:
    """With so many connections, or as many as the workload takes."""
    tokens = workload.authorizations()
    requests = [Request(each, token, workload.accept) for token in tokens for each in workload.bodies()]
    return sample(url, requests, server, core=core, connections=workload.connections(connections), seconds=seconds)


def sample(
    url: str, requests: Sequence[Request], server: Server, *, core: int, connections: int, seconds: int
) -> Sample:
    cpu_before = server.cpu_seconds()
    traffic = run_wrk(url, requests, core=core, connections=connections, seconds=seconds)
    cpu = server.cpu_seconds() - cpu_before
    return Sample(
        requests_per_second=traffic.requests_per_second,
        p50_ms=traffic.p50_ms,
        p95_ms=traffic.p95_ms,
        p99_ms=traffic.p99_ms,
        cpu_ms_per_request=cpu * 1000 / (traffic.requests or 1),
        peak_memory_mib=server.peak_memory_mib(),
        failed=traffic.failed,
    )


def run_wrk(url: str, requests: Sequence[Request], *, core: int | None, connections: int, seconds: int) -> Traffic:
    """The requests in turn, again and again. Raises SystemExit where wrk is not installed."""
    if shutil.which("wrk") is None:
        raise SystemExit("the load comes from wrk, which is not installed: apt-get install -y wrk")
    options = ["--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--timeout", "10s"]
    with tempfile.NamedTemporaryFile("wb", suffix=".requests") as file:
        file.writelines(f"{each.authorization}\t{each.accept}\t".encode() + each.body + b"\n" for each in requests)
        file.flush()
        done = subprocess.run(
            pinned(core, ["wrk", *options, "--script", str(SCRIPT), url]),
            env={
                **os.environ,
                "BENCH_REQUESTS_FILE": file.name,
                "BENCH_FIRST_COUNTER": str(next(_counters) * 1_000_000),
            },
            capture_output=True,
            text=True,
            check=True,
        )
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    outcome: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
    return Traffic(
        requests=outcome["requests"],
        requests_per_second=outcome["requests"] / (outcome["microseconds"] / 1e6),
        p50_ms=outcome["p50_ms"],
        p95_ms=outcome["p95_ms"],
        p99_ms=outcome["p99_ms"],
        failed=outcome["failed"],
    )
