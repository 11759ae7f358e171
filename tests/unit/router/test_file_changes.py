"""Files that are followed: when a change is told, to whom, and what it costs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router import file_changes
from router.file_changes import changes_of


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_changes, "LOOK_SECONDS", 0.02)


async def next_of(changes: AsyncIterator[None]) -> None:
    async with asyncio.timeout(60):
        await anext(changes)


async def test_the_first_step_comes_at_once_and_the_next_with_a_change(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("1")
    changes = changes_of(file)
    await next_of(changes)
    following = asyncio.ensure_future(next_of(changes))
    await asyncio.sleep(0.1)
    assert not following.done()
    file.write_text("12")
    await following


@pytest.mark.parametrize("make", [lambda file: file.write_text("new"), lambda file: file.symlink_to("elsewhere")])
async def test_a_file_that_comes_or_a_link_that_is_turned_is_a_change(tmp_path: Path, make: object) -> None:
    (tmp_path / "elsewhere").write_text("other")
    assert callable(make)
    file = tmp_path / "a"
    changes = changes_of(file)
    await next_of(changes)
    make(file)
    await next_of(changes)
    file.unlink()
    await next_of(changes)


async def test_what_is_still_being_written_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a"
    file.write_text("")
    changes = changes_of(file)
    await next_of(changes)
    real = file_changes._stamps
    told: list[bool] = []

    def written_before_each_look(files: set[Path]) -> dict[Path, file_changes.Stamp]:
        if len(told) < 20:
            file.write_text("x" * (len(told) + 1))
            told.append(following.done())
        return real(files)

    monkeypatch.setattr(file_changes, "_stamps", written_before_each_look)
    following = asyncio.ensure_future(next_of(changes))
    await following
    assert told == [False] * 20


async def test_all_that_follow_files_share_a_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[set[Path]] = []
    real = file_changes._stamps

    def noted(files: set[Path]) -> dict[Path, file_changes.Stamp]:
        looked.append(set(files))
        return real(files)

    files = [tmp_path / name for name in "abc"]
    monkeypatch.setattr(file_changes, "_stamps", noted)
    all_changes = [changes_of(file) for file in files]
    for changes in all_changes:
        await next_of(changes)
    looked.clear()
    following = [asyncio.ensure_future(next_of(changes)) for changes in all_changes]
    async with asyncio.timeout(60):
        while set(files) not in looked:
            await asyncio.sleep(0.01)
    told = len(looked)
    async with asyncio.timeout(60):
        while len(looked) == told:
            await asyncio.sleep(0.01)
    assert looked[-1] == set(files)
    for each in following[:2]:
        each.cancel()
    files[2].write_text("changed")
    await following[2]  # whom the others' end does not concern
    await asyncio.gather(*following, return_exceptions=True)


async def test_nothing_goes_on_looking_when_nobody_follows(tmp_path: Path) -> None:
    changes = changes_of(tmp_path / "a")
    await next_of(changes)
    following = asyncio.ensure_future(next_of(changes))
    await asyncio.sleep(0.05)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    async with asyncio.timeout(60):
        while file_changes.THREAD_NAME in {thread.name for thread in threading.enumerate()}:
            await asyncio.sleep(0.01)


async def test_a_look_without_a_change_wakes_no_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    real = file_changes._stamps

    def counted(files: set[Path]) -> dict[Path, file_changes.Stamp]:
        nonlocal looks
        looks += 1
        return real(files)

    changes = changes_of(tmp_path / "a")
    await next_of(changes)
    monkeypatch.setattr(file_changes, "_stamps", counted)
    following = asyncio.ensure_future(next_of(changes))
    await asyncio.sleep(0)
    woken: list[object] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *call: woken.append(call))
    async with asyncio.timeout(60):
        while looks < 3:
            await asyncio.sleep(0.01)
    monkeypatch.undo()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert not woken
