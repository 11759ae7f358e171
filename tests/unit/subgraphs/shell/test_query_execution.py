"""Compiled queries give what graphql-core's own executor gives: over random selections, with nulls and errors at random places."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from enum import Enum
from functools import cached_property
from typing import Annotated, Any

import pytest
import strawberry
from strawberry.schema.exceptions import CannotGetOperationTypeError
from structlog.testing import capture_logs

from loaders.dataloader import LARGEST_BATCH, DataLoader, load_one
from subgraphs.shell import compiled_operation
from subgraphs.shell.allowance import MOST_OBJECTS, AnswerTooLargeError
from subgraphs.shell.compiled_operation import MOST_FIELDS, Field
from subgraphs.shell.errors import NotFoundError
from subgraphs.shell.graphql_schema import SubgraphSchema
from tests.testkit.executions import OrdinarySchema, paths
from tests.testkit.random_selections import RandomSelections


class Fate:
    """What befalls a value: one of a thousand numbers, drawn by the place where it is asked for, not by when."""

    def __init__(self, seed: int, per_thousand: int) -> None:
        self._seed = seed
        self._per_thousand = per_thousand

    @cached_property
    def places(self) -> DataLoader[tuple[int, ...], Any]:
        """A loader, for it needs the loop in which it is asked."""
        return load_one("places", self._read)

    async def _read(self, keys: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], Any]:
        await asyncio.sleep(0)
        found: dict[tuple[int, ...], Any] = {}
        for key in keys:
            try:
                found[key] = self.of(key, key, "read")
            except Exception as error:
                found[key] = error
        return found

    def of(self, value: Any, *place: Any) -> Any:
        drawn = random.Random(f"{self._seed} {place}").randrange(1000)
        return value if drawn >= self._per_thousand else _befallen(drawn % 5, place)


def _befallen(fate: int, place: tuple[Any, ...]) -> Any:
    match fate:
        case 0:
            raise NotFoundError(f"no {place[-1]}")
        case 1:
            raise ValueError(f"bad {place[-1]}")
        case 2:
            return LookupError(f"an error as a value: {place[-1]}")
        case 3:
            return ["of", "a", "wrong", "type"]
        case _:
            return None


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Stone(Named):
    grams: int


class _Attributes:
    """Gives an attribute or, by its fate, something else."""

    def __getattribute__(self, name: str) -> Any:
        value = object.__getattribute__(self, name)
        if name not in _FATED:
            return value
        return object.__getattribute__(self, "fate").of(value, object.__getattribute__(self, "place"), name)


_FATED = frozenset({"name", "title", "size", "colour", "tags", "owner", "pages"})


@strawberry.type
class Box(_Attributes, Named):
    fate: strawberry.Private[Any]
    place: strawberry.Private[tuple[int, ...]]
    title: str | None
    size: float
    colour: Colour | None
    tags: list[str | None] | None
    pages: list[list[int]]

    def _inner(self, number: int) -> Box:
        return box(self.fate, (*self.place, number))

    @strawberry.field
    def label(self, upper: bool = False) -> str:
        name = self.fate.of("label", self.place, "label")
        return name.upper() if upper and isinstance(name, str) else name

    @strawberry.field
    def sync_box(self) -> Box:
        return self.fate.of(self._inner(1), self.place, "sync_box")  # type: ignore[no-any-return]

    @strawberry.field
    def sync_boxes(self, count: int = 2) -> list[Box | None]:
        boxes = [self.fate.of(self._inner(10 + each), self.place, "sync_boxes") for each in range(count)]
        return self.fate.of(boxes, self.place, "all_sync_boxes")  # type: ignore[no-any-return]

    @strawberry.field
    async def at_once(self, info: strawberry.Info) -> Box | None:
        assert str(info.path.typename) == "Box"
        return self.fate.of(self._inner(2), self.place, info.field_name)  # type: ignore[no-any-return]

    @strawberry.field
    async def later(self) -> Box:
        await asyncio.sleep(0)
        return self.fate.of(self._inner(3), self.place, "later")  # type: ignore[no-any-return]

    @strawberry.field
    async def much_later(self) -> list[Box] | None:
        await asyncio.sleep(0.001 * (self.place[-1] % 3))
        boxes = [self._inner(4), self._inner(5)]
        return self.fate.of(boxes, self.place, "much_later")  # type: ignore[no-any-return]

    @strawberry.field
    async def colours(self) -> list[Colour]:
        await asyncio.sleep(0)
        return self.fate.of([Colour.RED, Colour.BLUE], self.place, "colours")  # type: ignore[no-any-return]

    @strawberry.field
    def promised(self) -> list[Box | None]:
        """Items that are awaited one by one: a coroutine, a future, one that is done."""
        loop = asyncio.get_running_loop()
        soon, done = loop.create_future(), loop.create_future()
        loop.call_soon(soon.set_result, self._inner(6))
        done.set_result(self._inner(7))
        return [self._wait(8), soon, done, self._inner(9)]  # type: ignore[list-item]

    async def _wait(self, number: int) -> Box:
        await asyncio.sleep(0)
        return self.fate.of(self._inner(number), self.place, number)  # type: ignore[no-any-return]

    @strawberry.field
    def loaded(self) -> Box | None:
        return self.fate.places.then((*self.place, 30), self._made)  # type: ignore[no-any-return]

    @strawberry.field
    def all_loaded(self) -> list[Box | None]:
        """Of one read, two of them the same; and one that is at hand."""
        self.fate.places.prime_all({(*self.place, 33): (*self.place, 33)})
        return [self.fate.places.then((*self.place, each), self._made) for each in (31, 32, 31, 33)]

    def _made(self, place: Any) -> Any:
        return self.fate.of(box(self.fate, place), place, "made") if isinstance(place, tuple) else place

    @strawberry.field
    def things(self) -> list[Annotated[Box | Stone, strawberry.union("Thing")]]:
        return [self._inner(20), Stone(name="stone", grams=3), self.fate.of(self._inner(21), self.place, "things")]

    @strawberry.field
    async def named(self) -> Named | None:
        await asyncio.sleep(0)
        return self.fate.of(Stone(name="pebble", grams=1), self.place, "named")  # type: ignore[no-any-return]


def box(fate: Fate, place: tuple[int, ...]) -> Box:
    return Box(
        fate=fate,
        place=place,
        name="box",
        title=None,
        size=len(place) / 2,
        colour=Colour.RED,
        tags=["a", None],
        pages=[[1], []],
    )


@strawberry.type
class Query:
    @strawberry.field
    def root(self, info: strawberry.Info) -> Box:
        return box(info.context, (1,))

    @strawberry.field
    async def perhaps(self, info: strawberry.Info) -> Box | None:
        await asyncio.sleep(0)
        return info.context.of(box(info.context, (2,)), "perhaps")  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def _logs() -> Iterator[None]:
    """Internal errors are made by the hundred here; written out, their frames take most of the time."""
    with capture_logs():
        yield


compiled = SubgraphSchema(query=Query)
ordinary = OrdinarySchema(query=Query)


def random_query(seed: int) -> str:
    arguments = {"count": ["(count: 3)", "(count: $count)"], "upper": ["(upper: true)"]}
    selections = RandomSelections(compiled._schema, seed, arguments, {"$count": "$count: Int = 1"}, most_fields=7)
    query = compiled._schema.query_type
    assert query is not None
    return selections.query(selections.of(query, 4))


@pytest.fixture(params=[1, compiled_operation.OBJECTS_BEFORE_CODE], ids=["code", "step by step"])
def schema(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> SubgraphSchema:
    """Reads leaves by code that is made for them as soon as one object was read, or one by one."""
    monkeypatch.setattr(compiled_operation, "OBJECTS_BEFORE_CODE", request.param)
    return SubgraphSchema(query=Query)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # graphql-core drops coroutines
@pytest.mark.parametrize("seeds", [range(begin, begin + 10) for begin in range(0, 30, 10)], ids=str)
async def test_random_queries_are_answered_as_by_graphql_core(seeds: range, schema: SubgraphSchema) -> None:
    """With many errors, which of them is told for a place that became null may hang on which came first; not what is null."""
    for seed in seeds:
        operation = random_query(seed)
        for number, per_thousand in enumerate((0, 5, 40, 200)):
            variables = {"count": number, "c0": number % 2 == 0, "c1": seed % 2 == 0}
            ours = await schema.execute(operation, variables, Fate(seed, per_thousand))
            theirs = await ordinary.execute(operation, variables, Fate(seed, per_thousand))
            assert list(paths(ours.data)) == list(paths(theirs.data)), operation
            assert _null_places(ours) == _null_places(theirs), operation
    gc.collect()  # what graphql-core dropped is told here, not in whichever test comes next


@pytest.mark.parametrize("text", ["{ root { things { __typename @stream } } }", "{ root { name @stream } }"])
async def test_a_directive_that_there_is_not_is_refused_wherever_it_stands(text: str) -> None:
    answer = await compiled.execute(text, {}, Fate(0, 0))
    assert [error.message for error in answer.errors or ()] == ["Unknown directive '@stream'."]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # graphql-core drops coroutines
async def test_a_single_error_is_told_as_by_graphql_core(schema: SubgraphSchema) -> None:
    told = []
    for seed in range(12):
        operation = random_query(seed)
        asked = OneOf(-1, 0)
        await schema.execute(operation, None, asked)
        places = sorted(asked.asked)
        for number in range(0, len(places), 1 + len(places) // 30):
            ours = await schema.execute(operation, None, OneOf(number, number % 5, places))
            theirs = await ordinary.execute(operation, None, OneOf(number, number % 5, places))
            assert list(paths(ours.data)) == list(paths(theirs.data)), operation
            assert _complaints(ours) == _complaints(theirs), operation
            told += _complaints(ours)
    assert len({each[0] for each in told}) > 50
    gc.collect()  # what graphql-core dropped is told here, not in whichever test comes next


class OneOf(Fate):
    """One of all places that are asked for has a fate, the others none."""

    def __init__(self, number: int, fate: int, places: list[str] | None = None) -> None:
        super().__init__(0, 0)
        self.asked: set[str] = set()
        self._fated = None if places is None else places[number]
        self._fate = fate

    def of(self, value: Any, *place: Any) -> Any:
        self.asked.add(str(place))
        return _befallen(self._fate, place) if str(place) == self._fated else value


def _null_places(result: Any) -> set[str]:
    """Where null stands for each error: its path as far as the answer goes."""
    places = set()
    for error in result.errors or []:
        at, reached = result.data, []
        for key in error.path:
            if at is None:
                break
            at = at[key]
            reached.append(key)
        places.add(str(reached))
    return places


def _complaints(result: Any) -> list[Any]:
    return sorted(
        (repr(error.path), repr(error.locations), error.extensions["code"], _message(error))
        for error in result.errors or []
    )


def _message(error: Any) -> str:
    """Masked ones have an id of their own each."""
    return "" if error.extensions["code"] == "INTERNAL_SERVER_ERROR" else str(error.message)


@strawberry.type
class Several:
    @strawberry.field
    async def loaded(self, info: strawberry.Info, key: int) -> int:
        await info.context.wait(key)
        return key

    @strawberry.field
    async def in_time(self) -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            return "too late"
        return "never"

    @strawberry.field
    async def own_value(self, value: int) -> int:
        _OF_TASK.set(value)
        await asyncio.sleep(0)
        return _OF_TASK.get()

    @strawberry.field
    async def own_task(self) -> bool:
        first = asyncio.current_task()
        await asyncio.sleep(0)
        return asyncio.current_task() is first

    @strawberry.field
    async def in_a_group(self) -> int:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(asyncio.sleep(0, each)) for each in (1, 2)]
        return sum(each.result() for each in tasks)

    @strawberry.field
    async def cancelled(self) -> int:
        raise asyncio.CancelledError

    @strawberry.field
    async def without_end(self, info: strawberry.Info) -> int:
        info.context.begun += 1
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            info.context.ended += 1
        return 0


class Waited:
    """Counts who waits at the same time, who began to wait without end, and who was let go of."""

    def __init__(self) -> None:
        self.begun = self.ended = 0
        self.batches: list[list[int]] = []
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def wait(self, key: int) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._release)
        future = loop.create_future()
        self._waiting.append((key, future))
        return future

    def _release(self) -> None:
        waiting, self._waiting = self._waiting, []
        self.batches.append([key for key, _ in waiting])
        for _, future in waiting:
            future.set_result(None)


_OF_TASK: ContextVar[int] = ContextVar("of_task", default=0)
several = SubgraphSchema(query=Several)


async def test_what_waits_at_once_is_one_batch() -> None:
    context = Waited()
    result = await several.execute("{ a: loaded(key: 1) b: loaded(key: 2) c: loaded(key: 3) }", None, context)
    assert (result.data, context.batches) == ({"a": 1, "b": 2, "c": 3}, [[1, 2, 3]])


async def test_each_resolver_has_a_task_and_a_context_of_its_own() -> None:
    operation = "{ inTime a: ownValue(value: 1) b: ownValue(value: 2) ownTask inAGroup again: inTime }"
    result = await several.execute(operation)
    assert result.errors is None
    assert result.data == {
        "inTime": "too late",
        "a": 1,
        "b": 2,
        "ownTask": True,
        "inAGroup": 3,
        "again": "too late",
    }
    assert _OF_TASK.get() == 0


async def test_whoever_cancels_a_query_cancels_its_resolvers() -> None:
    context = Waited()
    task = asyncio.ensure_future(several.execute("{ a: withoutEnd b: withoutEnd }", None, context))
    while context.begun < 2:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert context.ended == 2


@strawberry.type
class Loading:
    @strawberry.field
    def value(self, info: strawberry.Info, key: int) -> int:
        return info.context.then(key, _doubled)  # type: ignore[no-any-return]

    @strawberry.field
    def places(self, info: strawberry.Info, keys: list[int]) -> list[int]:
        return [info.context.then(key, _doubled) for key in keys]

    @strawberry.field
    async def aside(self, info: strawberry.Info, key: int) -> int:
        return await info.context.load(key)  # type: ignore[no-any-return]


def _doubled(value: int) -> int:
    return 2 * value


loading = SubgraphSchema(query=Loading)


async def test_values_of_one_read_and_of_others_are_each_given_to_their_place() -> None:
    """With more of them than one read may have, so that some are there before the others."""
    gates = {True: asyncio.Event(), False: asyncio.Event()}
    reads: list[int] = []

    async def read(keys: Sequence[int]) -> dict[int, int]:
        reads.append(len(keys))
        await gates[len(keys) == LARGEST_BATCH].wait()
        return {key: key for key in keys}

    keys = list(range(LARGEST_BATCH + 2))
    asked = "query($keys: [Int!]!) { one: aside(key: 5) two: value(key: 5) all: places(keys: $keys) }"
    context = load_one("numbers", read)
    task = asyncio.create_task(loading.execute(asked, {"keys": keys[:1000]}, context))
    await asyncio.sleep(0.01)
    more = asyncio.create_task(loading.execute(asked, {"keys": keys[2:]}, context))
    await asyncio.sleep(0.01)
    for gate in (False, True):
        gates[gate].set()
        await asyncio.sleep(0.01)
    result, other = await task, await more
    assert result.data == {"one": 5, "two": 10, "all": [2 * key for key in keys[:1000]]}
    assert other.data == {"one": 5, "two": 10, "all": [2 * key for key in keys[2:]]}
    assert reads == [LARGEST_BATCH, 2]


async def test_whoever_cancels_a_query_cancels_its_waits_for_loaders() -> None:
    begun = asyncio.Event()

    async def read(keys: Sequence[int]) -> dict[int, int]:
        begun.set()
        await asyncio.Event().wait()
        return {}

    context = load_one("numbers", read)
    task = asyncio.create_task(loading.execute("{ value(key: 1) places(keys: [1, 2, 3]) }", None, context))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert all(context.load(key).cancelled() for key in (1, 2, 3))


async def test_a_value_that_is_cancelled_ends_the_query() -> None:
    async def read(keys: Sequence[int]) -> dict[int, int]:
        context.load(2).cancel()
        return {key: key for key in keys}

    context = load_one("numbers", read)
    with pytest.raises(asyncio.CancelledError):
        await loading.execute("{ places(keys: [1, 2, 3]) }", None, context)


async def test_a_resolver_that_is_cancelled_ends_the_query() -> None:
    context = Waited()
    with pytest.raises(asyncio.CancelledError):
        await several.execute("{ a: withoutEnd cancelled }", None, context)
    assert context.ended == 1


async def test_conditions_and_arguments_are_each_requests_own() -> None:
    operation = "query($key: Int!, $deep: Boolean!) { loaded(key: $key) a: loaded(key: 7) @include(if: $deep) }"
    for key, deep in ((1, True), (2, False), (3, True)):
        result = await several.execute(operation, {"key": key, "deep": deep}, Waited())
        assert result.data == {"loaded": key} | ({"a": 7} if deep else {})


async def test_an_answer_has_a_bounded_number_of_objects() -> None:
    operation = "{ root { syncBoxes(count: 200) { syncBoxes(count: 200) { name } } } }"
    refusals = Refusals()
    result = await compiled.execute(operation, None, refusals)
    assert MOST_OBJECTS < 200 * 200
    assert [type(each) for each in refusals.stoppable.reasons[:1]] == [AnswerTooLargeError]
    assert {code for _, _, code, _ in _complaints(result)} == {"ANSWER_TOO_LARGE"}


class Refusals(Fate):
    def __init__(self) -> None:
        super().__init__(0, 0)
        self.stoppable = self
        self.reasons: list[Exception] = []

    def refuse(self, reason: Exception) -> None:
        self.reasons.append(reason)


_LONG = "fragment Long on Box { " + " ".join(f"a{number}: name" for number in range(300)) + " }"
_SPREADS = " ".join(f"p{number}: root {{ ...Long }}" for number in range(20))
_TURNS = [f"$v{number}" for number in range(5)]


@pytest.mark.parametrize(
    ("document", "requests"),
    [
        pytest.param(
            "{ " + " ".join(f"p{number}: root {{ ...Long }}" for number in range(100)) + " }" + _LONG,
            [(None, {})],
            id="at many places",
        ),
        pytest.param(
            " ".join(f"query Q{number} {{ {_SPREADS} }}" for number in range(5)) + _LONG,
            [(f"Q{number}", {}) for number in range(5)],
            id="of many operations",
        ),
        pytest.param(
            f"query({' '.join(f'{name}: Boolean!' for name in _TURNS)}) {{ {_SPREADS}"
            f" {' '.join(f'x{number}: root @skip(if: {name}) {{ name }}' for number, name in enumerate(_TURNS))} }}"
            + _LONG,
            [(None, {name[1:]: name == true for name in _TURNS}) for true in _TURNS],
            id="under many conditions",
        ),
    ],
)
async def test_a_document_keeps_a_bounded_number_of_fields(
    document: str, requests: list[tuple[str | None, dict[str, bool]]]
) -> None:
    gc.collect()
    before = _live_fields()
    for name, variables in requests:
        result = await compiled.execute(document, variables, Fate(0, 0), operation_name=name)
        assert result.errors is None
    gc.collect()
    assert _live_fields() - before <= MOST_FIELDS


def _live_fields() -> int:
    return sum(type(each) is Field for each in gc.get_objects())


async def test_nothing_is_kept_of_operations_that_a_document_has_not() -> None:
    document = "query Here($key: Int!) { loaded(key: $key) }"
    for number in range(3):
        with pytest.raises(CannotGetOperationTypeError):
            await several.execute(document, {"key": 1}, Waited(), operation_name=f"Elsewhere{number}")
        told = [each async for each in await several.stream(document, {"key": 1}, Waited(), None, f"There{number}")]
        assert [bool(each.errors) for each in told] == [True]
    assert (await several.execute(document, {"key": 1}, Waited(), operation_name="Here")).data == {"loaded": 1}
    prepared = several.documents.prepared(document)
    assert (list(prepared._declared), list(prepared._operations)) == (["Here"], ["Here"])
