"""While the platform runs, code changes: what composes is taken over, what does not is told and changes nothing."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deploy import dev_loop
from deploy.child import ChildError
from deploy.subgraph_ports import SUBGRAPH_PORTS

ROOMS = Path(__file__).parents[3]


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not claim():
            await asyncio.sleep(0.05)


@dataclass
class Stack:
    """Writes down what it is asked for. Names in `failing` have no working successor."""

    directory: Any
    done: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def fleet(self) -> Any:
        return self

    def children_of(self, subgraphs: list[str]) -> list[str]:
        return subgraphs

    @property
    def supervisor(self) -> Any:
        return self

    @property
    def subgraph_urls(self) -> dict[str, str]:
        return {name: f"http://127.0.0.1:{port}/graphql" for name, port in SUBGRAPH_PORTS.items()}

    def news(self, text: str) -> None:
        self.told.append(text)

    async def running_sdls(self) -> dict[str, str]:
        return {
            name: (ROOMS / "schema/fittracker/subgraphs" / f"{name}.graphql").read_text() for name in SUBGRAPH_PORTS
        }

    async def replace(self, names: list[str]) -> None:
        if broken := self.failing & set(names):
            raise ChildError(f"{broken} ended at start")
        self.done += [f"replace {name}" for name in names]

    async def migrate(self) -> None:
        self.done.append("migrate")

    async def serve_graph(self, supergraph: str) -> None:
        self.directory.supergraph.write_text(supergraph)
        self.done.append("graph")


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the code, to be changed."""
    for room in ("subgraphs", "loaders", "events"):
        shutil.copytree(ROOMS / room, tmp_path / room)
    monkeypatch.setattr(dev_loop, "_ROOMS", tmp_path)
    return tmp_path


@pytest.fixture
async def stack(rooms: Path) -> AsyncIterator[Stack]:
    supergraph = rooms / "supergraph.graphql"
    stack = Stack(SimpleNamespace(supergraph=supergraph, complaint=rooms / "supergraph.graphql.error"))
    subject: Any = stack
    following = asyncio.create_task(dev_loop.follow_code(subject))
    await asyncio.sleep(0.5)  # until the folders are watched
    yield stack
    following.cancel()
    await asyncio.wait([following])


async def test_processes_that_still_answer_go_before_the_graph_and_others_after_it(rooms: Path, stack: Stack) -> None:
    code, other = rooms / "subgraphs/users/api/user.py", rooms / "subgraphs/nutrition/app.py"
    good = code.read_text()

    code.write_text(good.replace("async def bmi(", "async def body_mass_index("))
    await until(lambda: stack.told[-1].startswith("taken over"))
    assert stack.done == ["graph", "replace users"]
    removed, added = "breaking: Field User.bmi was removed.", "safe: Field User.bodyMassIndex was added."
    assert stack.told[-1] == f"taken over; the API changed:\n  {removed}\n  {added}"
    assert "bodyMassIndex" in stack.directory.supergraph.read_text()

    stack.done.clear()
    stack.told[:] = [""]
    code.write_text(good)
    other.write_text(other.read_text() + "\n# changed\n")
    await until(lambda: stack.told[-1].startswith("taken over"))
    assert stack.done == ["replace nutrition", "graph", "replace users"]
    assert "bodyMassIndex" not in stack.directory.supergraph.read_text()


async def test_broken_code_is_told_until_all_of_it_is_sound(rooms: Path, stack: Stack) -> None:
    code, other = rooms / "subgraphs/users/api/user.py", rooms / "subgraphs/nutrition/app.py"
    complaint = stack.directory.complaint
    good = code.read_text()

    code.write_text(good.replace("async def bmi(", "async def body mass index("))
    await until(complaint.exists)
    line = good[: good.index("async def bmi(")].count("\n") + 1
    assert complaint.read_text() == f"users: SyntaxError: expected '(' (subgraphs/users/api/user.py:{line})"
    assert "not taken over, what ran before goes on" in stack.told[-1]

    complaint.unlink()
    other.write_text(other.read_text() + "\n# changed\n")
    await until(complaint.exists)  # a sound change elsewhere does not hide what is still broken
    assert stack.done == []

    code.write_text(good)
    await until(lambda: not complaint.exists())
    assert stack.done == ["replace nutrition", "replace users", "graph"]
    composed, _, version = stack.directory.supergraph.read_text().rpartition("# code as of ")

    other.write_text(other.read_text() + "\n# changed again\n")
    await until(lambda: len(stack.done) > 3)
    await until(lambda: stack.told[-1] == "taken over; the API is as it was")
    again, _, later = stack.directory.supergraph.read_text().rpartition("# code as of ")
    assert again == composed
    assert later > version  # another digest: answers that are cached are not given any more


async def test_a_process_that_cannot_start_takes_the_new_graph_back(rooms: Path, stack: Stack) -> None:
    code = rooms / "subgraphs/users/api/user.py"
    stack.failing = {"users"}
    code.write_text(code.read_text().replace("async def bmi(", "async def body_mass_index("))
    await until(stack.directory.complaint.exists)
    assert stack.done == ["graph", "graph"]
    assert "bodyMassIndex" not in stack.directory.supergraph.read_text()


USER = 'type Query { me: User! } type User @key(fields: "id") { id: ID! name: String age: Int @external years: Int @requires(fields: "age") }'


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (USER, True),
        (USER.replace("name: String", "name: String nick: String"), True),
        (USER.replace("name: String", "name: String!"), True),
        (USER.replace("type User", 'type User @key(fields: "name")'), True),
        (USER.replace("name: String", ""), False),
        (USER.replace("me: User!", "me(now: Boolean!): User!"), False),
        (USER.replace('fields: "id"', 'fields: "name"'), False),
        (USER.replace('fields: "age"', 'fields: "age name"'), False),
    ],
)
def test_a_new_schema_answers_what_the_old_one_did(new: str, expected: bool) -> None:
    assert dev_loop.still_answers(USER, new) is expected
