"""aiodataloader as the subgraphs use it: keys of one tick become one read. Loader sets are built from these per request.

A read answers many keys with a mapping; keys that it leaves out get the default, keys that it maps to an exception fail
alone.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from aiodataloader import DataLoader

LARGEST_BATCH = 1000

KeyT = TypeVar("KeyT", bound=Hashable)
ArgumentsT = TypeVar("ArgumentsT", bound=Hashable)
ValueT = TypeVar("ValueT")

# Told the loader's name and the number of keys; what it returns is entered around the read.
BatchObserver = Callable[[str, int], AbstractContextManager[Any]]


def _unobserved(_name: str, _keys: int) -> AbstractContextManager[Any]:
    return nullcontext()


def load_one(
    name: str,
    read: Callable[[Sequence[KeyT]], Awaitable[Mapping[KeyT, ValueT]]],
    observe: BatchObserver = _unobserved,
) -> "DataLoader[KeyT, ValueT | None]":
    """A loader of one value a key, None where there is none."""

    async def load(keys: list[KeyT]) -> list[ValueT | None]:
        with observe(name, len(keys)):
            found = await read(keys)
        return [found.get(key) for key in keys]

    return DataLoader(load, max_batch_size=LARGEST_BATCH)


def load_list(
    name: str,
    read: Callable[[Sequence[KeyT]], Awaitable[Mapping[KeyT, list[ValueT]]]],
    observe: BatchObserver = _unobserved,
) -> "DataLoader[KeyT, list[ValueT]]":
    """A loader of a list a key, empty where there is nothing."""

    async def load(keys: list[KeyT]) -> list[list[ValueT]]:
        with observe(name, len(keys)):
            found = await read(keys)
        return [found.get(key, []) for key in keys]

    return DataLoader(load, max_batch_size=LARGEST_BATCH)


def load_with_arguments(
    name: str,
    read: Callable[[Sequence[KeyT], ArgumentsT], Awaitable[Mapping[KeyT, ValueT]]],
    default: Callable[[], ValueT],
    observe: BatchObserver = _unobserved,
) -> "DataLoader[tuple[KeyT, ArgumentsT], ValueT]":
    """A loader of (key, arguments): one read for all keys with equal arguments, such as one page of many parents."""

    async def load(wanted: list[tuple[KeyT, ArgumentsT]]) -> list[ValueT]:
        keys_by_arguments: defaultdict[ArgumentsT, list[KeyT]] = defaultdict(list)
        for key, arguments in wanted:
            keys_by_arguments[arguments].append(key)
        found: dict[tuple[KeyT, ArgumentsT], ValueT] = {}
        for arguments, keys in keys_by_arguments.items():
            with observe(name, len(keys)):
                values = await read(keys, arguments)
            found.update({(key, arguments): value for key, value in values.items()})
        return [found[each] if each in found else default() for each in wanted]

    return DataLoader(load, max_batch_size=LARGEST_BATCH)
