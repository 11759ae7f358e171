"""While the platform runs, code changes: what composes is taken over, what does not is told and changes nothing."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deploy import dev_loop
from deploy.stack import SUBGRAPH_PORTS

ROOMS = Path(__file__).parents[3]


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not claim():
            await asyncio.sleep(0.05)


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the code, to be changed."""
    for room in ("subgraphs", "loaders", "events"):
        shutil.copytree(ROOMS / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(dev_loop, "_ROOMS", tmp_path)
    return tmp_path


async def test_code_that_composes_is_taken_over_and_broken_code_is_told(rooms: Path) -> None:
    told: list[str] = []
    restarted: list[str] = []

    async def restart(name: str) -> None:
        restarted.append(name)

    supergraph = rooms / "supergraph.graphql"
    complaint = rooms / "supergraph.graphql.error"
    stack: Any = SimpleNamespace(
        directory=SimpleNamespace(supergraph=supergraph, complaint=complaint),
        subgraph_urls={name: f"http://127.0.0.1:{port}/graphql" for name, port in SUBGRAPH_PORTS.items()},
        supervisor=SimpleNamespace(restart=restart),
        news=told.append,
    )
    code = rooms / "subgraphs" / "users" / "api" / "user.py"
    good = code.read_text()
    following = asyncio.create_task(dev_loop.follow_code(stack))
    try:
        await asyncio.sleep(0.5)  # until the folders are watched
        code.write_text(good.replace("async def bmi(", "async def body_mass_index("))
        await until(supergraph.exists)
        assert "bodyMassIndex" in supergraph.read_text()
        assert restarted == ["users"]
        taken_over = supergraph.read_text()

        code.write_text(good.replace("async def bmi(", "async def body mass index("))
        await until(complaint.exists)
        assert "SyntaxError" in complaint.read_text()
        assert supergraph.read_text() == taken_over
        assert restarted == ["users"]
        assert "not taken over, what ran before goes on" in told[-1]

        complaint.unlink()
        other = rooms / "subgraphs" / "nutrition" / "app.py"
        other.write_text(other.read_text() + "\n# changed\n")
        await until(complaint.exists)  # a sound change elsewhere does not hide what is still broken
        assert supergraph.read_text() == taken_over

        code.write_text(good)
        await until(lambda: not complaint.exists())
        assert "bodyMassIndex" not in supergraph.read_text()
        assert restarted == ["users", "nutrition", "users"]
    finally:
        following.cancel()
        await asyncio.wait([following])
