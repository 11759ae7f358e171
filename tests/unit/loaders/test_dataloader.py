"""Loaders: keys of one tick are one read, and what fails fails alone."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import pytest

from loaders.dataloader import (
    LARGEST_BATCH,
    keeping_parts,
    load_list,
    load_one,
    load_with_arguments,
    running_batches,
)


async def test_keys_of_one_tick_are_one_read() -> None:
    reads: list[list[int]] = []

    async def read(keys: Sequence[int]) -> dict[int, str]:
        reads.append(list(keys))
        return {key: str(key) for key in keys if key != 3}

    loader = load_one("number", read)
    assert await asyncio.gather(*(loader.load(key) for key in (1, 2, 3, 2))) == ["1", "2", None, "2"]
    assert reads == [[1, 2, 3]]


async def test_a_key_fails_alone_and_a_read_fails_for_all() -> None:
    async def read(keys: Sequence[int]) -> dict[int, int | Exception]:
        if 0 in keys:
            raise OSError("away")
        return {key: ValueError(f"{key} is odd") if key % 2 else key for key in keys}

    loader = load_one("even", read)
    two, three = await asyncio.gather(loader.load(2), loader.load(3), return_exceptions=True)
    assert two == 2
    assert isinstance(three, ValueError)
    with pytest.raises(OSError, match="away"):
        await loader.load_many([0, 4])
    assert await loader.load(4) == 4


async def test_lists_are_empty_where_there_is_nothing() -> None:
    async def read(keys: Sequence[str]) -> dict[str, list[int]]:
        return {"a": [1, 2]}

    loader = load_list("list", read)
    assert await loader.load_many(["a", "b"]) == [[1, 2], []]


async def test_equal_arguments_share_a_read() -> None:
    reads: list[tuple[list[str], int]] = []

    async def read(keys: Sequence[str], limit: int) -> dict[str, list[str]]:
        reads.append((list(keys), limit))
        return {key: [key] * limit for key in keys if key != "none"}

    loader = load_with_arguments("page", read, list)
    wanted = [("a", 1), ("b", 1), ("a", 2), ("none", 2)]
    assert await loader.load_many(wanted) == [["a"], ["b"], ["a", "a"], []]
    assert reads == [(["a", "b"], 1), (["a", "none"], 2)]


async def test_a_batch_has_a_largest_size_and_is_observed() -> None:
    observed: list[tuple[str, int]] = []

    @contextmanager
    def observe(name: str, keys: int) -> Iterator[None]:
        observed.append((name, keys))
        yield

    async def read(keys: Sequence[int]) -> dict[int, int]:
        return {key: key for key in keys}

    loader = load_one("many", read, observe)
    await loader.load_many(range(LARGEST_BATCH + 1))
    assert observed == [("many", LARGEST_BATCH), ("many", 1)]


async def test_what_a_read_brings_along_is_kept_for_the_loader_of_it() -> None:
    async def read_lengths(keys: Sequence[str]) -> dict[str, int]:
        raise AssertionError(f"read again: {keys}")

    async def read(keys: Sequence[str], *, offset: int) -> tuple[dict[str, int], dict[str, int]]:
        return {key: int(key) + offset for key in keys}, {key: len(key) for key in keys}

    lengths = load_one("lengths", read_lengths)
    numbers = load_one("numbers", partial(keeping_parts(lengths.prime_all, read), offset=1))
    assert await numbers.load_many(["1", "23"]) == [2, 24]
    assert await lengths.load_many(["1", "23"]) == [1, 2]


async def test_what_is_made_of_a_value_is_there_at_once_where_the_value_is() -> None:
    reads: list[list[int]] = []

    async def read(keys: Sequence[int]) -> dict[int, int | Exception]:
        reads.append(list(keys))
        return {key: ValueError("odd") if key % 2 else key for key in keys}

    loader = load_one("numbers", read)
    loader.prime_all({8: 80})
    assert loader.then(8, str) == "80"
    two, again, three = (loader.then(key, str) for key in (2, 2, 3))
    assert await two == await again == "2"  # type: ignore[misc]
    assert loader.then(2, str) == "2"
    with pytest.raises(ValueError, match="odd"):
        await three  # type: ignore[misc]
    with pytest.raises(ValueError, match="odd"):
        loader.then(3, str)
    assert reads == [[2, 3]]


async def test_reads_are_known_to_whoever_may_stop_them() -> None:
    async def read(_: Sequence[int]) -> dict[int, int]:
        await asyncio.Event().wait()
        return {}

    batches: set[asyncio.Task[None]] = set()
    running_batches.set(batches)
    value = load_one("numbers", read).load(1)
    while not batches:
        await asyncio.sleep(0)
    (batch,) = batches
    batch.cancel()
    await asyncio.wait([batch])
    assert (batches, value.done()) == (set(), False)
