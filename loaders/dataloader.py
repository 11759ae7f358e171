"""aiodataloader as the subgraphs use it: keys of one tick become one read. Loader sets are built from these per request.

A read answers many keys with a mapping; keys that it leaves out get the default, keys that it maps to an exception fail
alone.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Generator, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Any, Generic, ParamSpec, TypeVar, cast

from aiodataloader import DataLoader as BatchingLoader
from aiodataloader import Loader, dispatch_queue_batch

LARGEST_BATCH = 1000

KeyT = TypeVar("KeyT", bound=Hashable)
ArgumentsT = TypeVar("ArgumentsT", bound=Hashable)
ValueT = TypeVar("ValueT")
MadeT = TypeVar("MadeT")
FoundT = TypeVar("FoundT")
PartsT = TypeVar("PartsT")
_Asked = ParamSpec("_Asked")

#: The reads that are under way for the work at hand. A loader reads in tasks of its own, so whoever stops the work
#: cancels these too.
running_batches: ContextVar[set[asyncio.Task[Any]] | None] = ContextVar("running_batches", default=None)

# Told the loader's name and the number of keys; what it returns is entered around the read.
BatchObserver = Callable[[str, int], AbstractContextManager[Any]]


def _unobserved(_name: str, _keys: int) -> AbstractContextManager[Any]:
    return nullcontext()


class Coming(Generic[ValueT, MadeT]):
    """What `make` will make of a value that is still being read. Whoever runs many resolvers waits for `future` itself and spares a coroutine."""

    __slots__ = ("future", "make", "read")

    def __init__(self, read: object, future: asyncio.Future[ValueT], make: Callable[[ValueT], MadeT]) -> None:
        """`read` is the same for all values that come together."""
        self.read = read
        self.future = future
        self.make = make

    def __await__(self) -> Generator[Any, None, MadeT]:
        return self.make((yield from self.future))


class DataLoader(BatchingLoader[KeyT, ValueT]):
    """aiodataloader's, which waits for keys as long as it does, by calls of the loop in place of a coroutine and a task.

    What another read brought along stays the mapping that it is, and becomes a future when it is asked for.
    """

    max_batch_size = LARGEST_BATCH

    def __init__(self, load: Callable[[list[KeyT]], Coroutine[Any, Any, list[ValueT]]]) -> None:
        """Without a call of aiodataloader's own, which looks through abstract classes for whether `load` is a coroutine function."""
        self.loop = asyncio.get_running_loop()
        self.batch_load_fn = load
        self._cache = {}
        self._queue = []
        self._primed: dict[KeyT, ValueT] = {}

    @staticmethod
    def get_cache_key(key: KeyT) -> KeyT:
        return key

    def load(self, key: KeyT) -> asyncio.Future[ValueT]:
        future = self._cache.get(key)
        if future is None:
            if key not in self._primed:
                return self._begun(key)
            future = self._cache[key] = self.loop.create_future()
            future.set_result(self._primed[key])
        return future

    def then(self, key: KeyT, make: Callable[[ValueT], MadeT]) -> MadeT:
        """What a resolver that is no coroutine function answers: what `make` makes of the value. It is said to be that, which is what a
        schema is told, and is one where the value is at hand; where it has to be read it is a `Coming` in truth. GraphQL's executors
        take either from any resolver.
        """
        future = self._cache.get(key)
        if future is None:
            if key in self._primed:
                return make(self._primed[key])
            future = self._begun(key)
            return cast("MadeT", Coming(self._queue, future, make))
        if future.done():
            return make(future.result())
        return cast("MadeT", Coming(future, future, make))

    def prime_all(self, values: Mapping[KeyT, ValueT]) -> None:
        """Answers that another read brought along, so that they are not read again; what is there or being read already stays."""
        self._primed = {**values, **self._primed}

    def _begun(self, key: KeyT) -> asyncio.Future[ValueT]:
        """The value of a key for which nobody asked yet."""
        future = self._cache[key] = self.loop.create_future()
        if not self._queue:
            self.loop.call_soon(self.loop.call_soon, self._dispatch)
        self._queue.append(Loader(key, future))
        return future

    def _dispatch(self) -> None:
        """Aiodataloader's `dispatch_queue`, with tasks that `running_batches` knows."""
        queue, self._queue = self._queue, []
        batches = running_batches.get()
        for begin in range(0, len(queue), self.max_batch_size):
            chunk = queue[begin : begin + self.max_batch_size] if len(queue) > self.max_batch_size else queue
            task = self.loop.create_task(dispatch_queue_batch(self, chunk))
            if batches is not None:
                batches.add(task)
                task.add_done_callback(batches.discard)


def load_one(
    name: str,
    read: Callable[[Sequence[KeyT]], Awaitable[Mapping[KeyT, ValueT]]],
    observe: BatchObserver = _unobserved,
) -> DataLoader[KeyT, ValueT | None]:
    """A loader of one value a key, None where there is none."""

    async def values_of(keys: list[KeyT]) -> list[ValueT | None]:
        with observe(name, len(keys)):
            found = await read(keys)
        return [found.get(key) for key in keys]

    return DataLoader(values_of)


def load_list(
    name: str,
    read: Callable[[Sequence[KeyT]], Awaitable[Mapping[KeyT, list[ValueT]]]],
    observe: BatchObserver = _unobserved,
) -> DataLoader[KeyT, list[ValueT]]:
    """A loader of a list a key, empty where there is nothing."""

    async def lists_of(keys: list[KeyT]) -> list[list[ValueT]]:
        with observe(name, len(keys)):
            found = await read(keys)
        return [found.get(key, []) for key in keys]

    return DataLoader(lists_of)


def keeping_parts(
    keep: Callable[[PartsT], None], read: Callable[_Asked, Awaitable[tuple[FoundT, PartsT]]]
) -> Callable[_Asked, Awaitable[FoundT]]:
    """A read of what `read` found; what it brought along is kept by `keep`, for other loaders."""

    async def found_alone(*asked: _Asked.args, **named: _Asked.kwargs) -> FoundT:
        found, parts = await read(*asked, **named)
        keep(parts)
        return found

    return found_alone


def nothing() -> None:
    """The default of `load_with_arguments` where there may be nothing."""


def load_with_arguments(
    name: str,
    read: Callable[[Sequence[KeyT], ArgumentsT], Awaitable[Mapping[KeyT, ValueT]]],
    default: Callable[[], ValueT],
    observe: BatchObserver = _unobserved,
) -> DataLoader[tuple[KeyT, ArgumentsT], ValueT]:
    """A loader of (key, arguments): one read for all keys with equal arguments, such as one page of many parents."""

    async def values_of(wanted: list[tuple[KeyT, ArgumentsT]]) -> list[ValueT]:
        keys_by_arguments: defaultdict[ArgumentsT, list[KeyT]] = defaultdict(list)
        for key, arguments in wanted:
            keys_by_arguments[arguments].append(key)
        found: dict[tuple[KeyT, ArgumentsT], ValueT] = {}
        for arguments, keys in keys_by_arguments.items():
            with observe(name, len(keys)):
                values = await read(keys, arguments)
            found.update({(key, arguments): value for key, value in values.items()})
        return [found[each] if each in found else default() for each in wanted]

    return DataLoader(values_of)
