"""Passwords are hashed in threads, as many at a time as there are processors, and a crowd is turned away at once."""

import asyncio
import os
import threading
import time

import pytest

from subgraphs.shell.errors import RateLimitedError
from subgraphs.users.commands import password


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many hashes are made at this moment and how many were at most, in place of hashes that take 30 ms."""
    counts = {"now": 0, "most": 0, "done": 0, "on the loop": 0}
    lock, loop_thread = threading.Lock(), threading.get_ident()

    def slow_hash(_: str) -> str:
        with lock:
            counts["now"] += 1
            counts["most"] = max(counts["most"], counts["now"])
            counts["on the loop"] += threading.get_ident() == loop_thread
        time.sleep(0.002)
        with lock:
            counts["now"] -= 1
            counts["done"] += 1
        return "a hash"

    class Hasher:
        hash = staticmethod(slow_hash)

    cores = max(1, os.cpu_count() or 1)
    monkeypatch.setattr(password, "_HASHER", Hasher)
    monkeypatch.setattr(password, "_AT_ONCE", asyncio.Semaphore(cores))  # of this test's event loop
    return counts


async def test_a_crowd_is_hashed_a_few_at_a_time_beside_the_loop_and_the_rest_is_told_to_come_back(
    hashing: dict[str, int],
) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    ticking = asyncio.create_task(tick())
    crowd = [password.hash_password("Password123!") for _ in range(password.MOST_WAITING + 50)]
    outcomes = await asyncio.gather(*crowd, return_exceptions=True)
    ticking.cancel()
    refused = [each for each in outcomes if isinstance(each, RateLimitedError)]
    assert (len(refused), outcomes.count("a hash")) == (50, password.MOST_WAITING)
    assert all(each.extensions["retryAfterSeconds"] > 0 for each in refused)
    assert hashing["most"] <= max(1, os.cpu_count() or 1)
    assert hashing["on the loop"] == 0
    assert ticks > 10, "the loop went on meanwhile"
    assert await password.hash_password("Password123!") == "a hash", "places come free again"


async def test_who_leaves_while_waiting_gives_the_place_back(hashing: dict[str, int]) -> None:
    waiting = [asyncio.create_task(password.hash_password("Password123!")) for _ in range(password.MOST_WAITING)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await password.hash_password("Password123!") == "a hash"
    assert hashing["done"] >= 1


async def test_nobodys_password_takes_a_verification_and_never_fits() -> None:
    stored = await password.hash_password("Password123!")
    assert await password.verify_password(stored, "Password123!")
    assert not await password.verify_password(stored, "password123!")
    assert not await password.verify_password(None, "Password123!")
    assert not await password.verify_password("no hash at all", "Password123!")
