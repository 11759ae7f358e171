from __future__ import annotations

import asyncio

from router.bounded_cache import BoundedCache


async def test_askers_at_the_same_time_share_one_computation() -> None:
    cache: BoundedCache[str, int] = BoundedCache(10)
    go = asyncio.Event()
    computed = 0

    async def compute() -> int:
        nonlocal computed
        computed += 1
        await go.wait()
        return 7

    first, *others = [asyncio.create_task(cache.get_or_compute("a", compute)) for _ in range(3)]
    await asyncio.sleep(0)
    first.cancel()  # the one that began it leaves
    await asyncio.sleep(0)
    go.set()

    assert await asyncio.gather(*others) == [7, 7]
    assert computed == 1
    assert cache.get("a") == 7
    assert cache.take_counts() == {"hit": 1, "miss": 1, "coalesced": 2}
    assert cache.take_counts() == {"hit": 0, "miss": 0, "coalesced": 0}


async def test_a_failure_reaches_everyone_who_waits_and_is_forgotten() -> None:
    cache: BoundedCache[str, int] = BoundedCache(10)

    async def fail() -> int:
        await asyncio.sleep(0)
        raise ValueError("no")

    async def succeed() -> int:
        return 1

    outcomes = await asyncio.gather(*(cache.get_or_compute("a", fail) for _ in range(2)), return_exceptions=True)

    assert [str(outcome) for outcome in outcomes] == ["no", "no"]
    assert await cache.get_or_compute("a", succeed) == 1


async def test_the_least_recently_used_entry_goes_first() -> None:
    cache: BoundedCache[str, int] = BoundedCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.get("a")
    cache.put("c", 3)

    assert cache.keys() == ["a", "c"]
