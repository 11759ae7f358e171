"""The real product under a benchmark: `fittracker up`, people with a history, and the requests of their dashboards.

Used by `dashboard`, `product_load`, `unit_costs` and `micro.subgraph_answers`. Its own router serves as a door to sign in by; the gateways that are measured are started beside it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from benchmarks.fittracker.johns import OPERATION, expected_dashboard, johns, variables
from benchmarks.fittracker.real_servers import RealServers
from benchmarks.load import Request, WrongAnswerError, ask, verify_answer
from benchmarks.processes import cpu_seconds, own_cpu_seconds
from deploy.data_directory import DataDirectory, StackState
from deploy.embedded import DOMAINS
from deploy.sample_data.histories import PASSWORD
from deploy.sample_data.load import load_people, read_catalogues
from deploy.sample_data.people import Person, last_day_of_john
from subgraphs.shell.database import Database

ROOT = Path(__file__).parents[2]
START_SECONDS = 180
SETTLE_SECONDS = 120
LOGIN = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }"


@dataclass(frozen=True, slots=True)
class Product:
    """`requests` are the dashboards of different people, `emails` what they sign in with, in the same order; `expected` is the
    data that answers the first request. `other_pids` are of servers that `fittracker up` did not start.
    """

    directory: DataDirectory
    state: StackState
    requests: tuple[Request, ...]
    emails: tuple[str, ...]
    expected: dict[str, Any]
    other_pids: Mapping[str, int] = field(default_factory=dict)

    @property
    def subgraph_pids(self) -> dict[str, int]:
        return {name: self.state.pids[name] for name in DOMAINS if name in self.state.pids}

    @property
    def pids(self) -> dict[str, int]:
        """By part."""
        return {**self.state.pids, **self.other_pids}

    def cpu_seconds(self) -> dict[str, float]:
        """By part, so far. The router runs in the process of `fittracker up` itself, whose children are the other parts."""
        parts = {part: cpu_seconds(pid) for part, pid in self.pids.items() if part != "router"}
        router = self.state.pids.get("router")
        return {
            "router": own_cpu_seconds(self.state.supervisor_pid) if router is None else cpu_seconds(router),
            **parts,
        }

    def environment(self) -> dict[str, str]:
        """What further routers and subgraphs over the same servers need. Events are the product's own business."""
        secret = self.directory.jwt_secret()
        return {**self.state.environment, "JWT_SECRET": secret, "BACKGROUND_LOOPS": "0", "PYTHONPATH": str(ROOT)}


@contextmanager
def running_product(
    path: Path, people: int, *, source: Path = ROOT, servers: RealServers | None = None
) -> Iterator[Product]:
    """Up until the block ends, on free ports; `source` is the work tree whose code runs, `servers` are in place of the embedded ones.

    Raises RuntimeError.
    """
    environment = {**_environment(source), **(servers.environment if servers is not None else {})}
    log = path.with_name(f"{path.name}.up.log")
    command = [sys.executable, "-m", "deploy", "up", "--port", "0", "--data-dir", str(path), "--no-watch"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=source, stdout=output, stderr=output, env=environment, start_new_session=True
        )
    try:
        _wait_until_up(DataDirectory(path), process, log)
        product = product_of(path, people) if source == ROOT else _product_of_another_tree(source, path, people)
        yield replace(product, other_pids=servers.pids if servers is not None else {})
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def product_of(path: Path, people: int) -> Product:
    """The stack that is up over this data directory, with that many people. Raises RuntimeError, WrongAnswerError."""
    directory = DataDirectory(path)
    state = directory.read_state()
    if state is None:
        raise RuntimeError(f"no stack is up over {path}")
    last_day = last_day_of_john(datetime.now(UTC))
    everybody = johns(people, last_day)
    if everybody[1:]:
        asyncio.run(_load(everybody[1:], state.environment))
    requests = tuple(_dashboard(state.router_url, person, last_day) for person in everybody)
    for person, request in zip(everybody, requests, strict=True):
        _wait_until_right(state.router_url, request, expected_dashboard(person, last_day))
    emails = tuple(person.email for person in everybody)
    return Product(directory, state, requests, emails, expected_dashboard(everybody[0], last_day))


#: Run in the other work tree: prints what the product's people ask there, and what answers the first of them.
_TELL_ANOTHER_TREES = """
import json, pathlib, sys
from benchmarks.fittracker.product import product_of
product = product_of(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
requests = [[request.content, request.authorization] for request in product.requests]
print(json.dumps({"requests": requests, "expected": product.expected}))
"""


def _product_of_another_tree(source: Path, path: Path, people: int) -> Product:
    """People are loaded and asked for by that tree's own code, whose tables and whose names of types may be others.

    Raises RuntimeError with what it printed.
    """
    command = [sys.executable, "-c", _TELL_ANOTHER_TREES, str(path), str(people)]
    done = subprocess.run(command, cwd=source, env=_environment(source), check=False, capture_output=True, text=True)
    directory = DataDirectory(path)
    state = directory.read_state()
    if done.returncode or state is None:
        raise RuntimeError(f"the people could not be loaded by {source}:\n{done.stderr[-2000:]}")
    told = json.loads(done.stdout)
    requests = tuple(Request(content, authorization) for content, authorization in told["requests"])
    emails = tuple(person.email for person in johns(people, last_day_of_john(datetime.now(UTC))))
    return Product(directory, state, requests, emails, told["expected"])


def _environment(source: Path) -> Mapping[str, str]:
    return {**os.environ, "PYTHONPATH": str(source), "LOG_LEVEL": "WARNING"}


def _wait_until_up(directory: DataDirectory, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if directory.read_state() is not None:
            return
        time.sleep(0.2)
    raise RuntimeError(f"`fittracker up` did not come up:\n{log.read_text(errors='replace')[-2000:]}")


async def _load(people: list[Person], environment: Mapping[str, str]) -> None:
    """More people than the sample data have, through the same functions."""
    async with AsyncExitStack() as stack:
        databases = {
            name: Database(environment[f"DATABASE_URL_{name.upper()}"], pool_size=2, name="benchmark")
            for name in DOMAINS
        }
        for database in databases.values():
            stack.push_async_callback(database.close)
        await load_people(databases, people, await read_catalogues(databases, people), datetime.now(UTC))


def _dashboard(url: str, person: Person, last_day: date) -> Request:
    """Signs in as the person."""
    credentials = {"email": person.email, "password": PASSWORD}
    answer = ask(url, Request({"query": LOGIN, "variables": {"input": credentials}}))
    token = answer["data"]["login"]["accessToken"]
    return Request({"query": OPERATION, "variables": variables(last_day)}, f"Bearer {token}")


def _wait_until_right(url: str, request: Request, expected: dict[str, Any]) -> None:
    """Summaries follow the events: the last of them may need a moment. Raises WrongAnswerError."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            verify_answer(url, request, expected)
        except WrongAnswerError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return
