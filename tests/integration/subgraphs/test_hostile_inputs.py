"""Whatever stands at any place of any input, no subgraph answers that it was its own fault. Made from the committed schema."""

import asyncio
import base64
import importlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema
from structlog.testing import capture_logs

from subgraphs.shell.keyset import BigInteger, KeysetList, encode_cursor
from tests.testkit.input_positions import Operations, Position, positions
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, sign_token, subgraph_under_test

SUBGRAPHS = ("users", "nutrition", "workouts", "analytics")
COMMITTED = Path(__file__).parents[3] / "schema" / "fittracker" / "subgraphs"
_numbers = count(1)

TEXTS = (
    "",
    " ",
    "a\0b",
    "\n",
    "turns \u202eround",
    "\ufeff",
    "x" * 199,
    "x" * 2_800,  # more than a B-tree's entry holds
    "ü" * 4_999,
    "x" * 9_000,
    "%_\\'\"; DROP TABLE account",
    "-",
    "NaN",
    "Infinity",
    "1e400",
    "Nope/Zone",
    "localtime",
    "../../etc/passwd",
    "2026-02-30",
    "9999-12-31",
    "0001-01-01",
    "1900-01-01",
    "2200-12-31",
    "9999-12-31T23:59:59-12:00",
    "0001-01-01T00:00:00+12:00",
    "1900-01-01T00:00:00+15:59",
    "2200-12-31T23:59:59-15:59",
    "2026-03-01T08:00:00",
    "018f0000-0000-7000-8000-000000000000",
    base64.urlsafe_b64encode(b"[2,null]").decode(),
    base64.urlsafe_b64encode(b'[2,"",null,9]').decode(),
    base64.urlsafe_b64encode(b"[" * 400).decode(),
    encode_cursor("", ("a", "b")),
    encode_cursor("", ("9999-12-31T23:59:59-12:00", "b")),
    encode_cursor("", ("9999-12-31", "b")),
    encode_cursor("", ("NaN", "b", "c")),
    encode_cursor("", ("1e999999999", "b", "c")),
    encode_cursor("another list", ("2026-03-01T08:00:00Z", "b")),
)
NUMBERS = (
    0, -1, 1, 12, 13, 99, 101, 2**31 - 1, -(2**31), 2**31, 2**53, 2**63, 10**30, 10**400,
    0.5, -0.0, 0.005, 1e-9, 1e-300, 99.999, 1e9, 9.99e14, -9.99e14, 1e15, 1e20, 1e26, 1e30, 1e308,
)  # fmt: skip
#: Of each type of sort key, a usual value first.
CURSOR_EDGES: Mapping[type, tuple[Any, ...]] = {
    str: ("a", "", "x" * 700, "\u202e", "{", "0001-01-01"),
    int: (1, 0, -1, 2**31 - 1, -(2**31) + 1, 2**31, 2**63),
    BigInteger: (1, -1, 2**63 - 1, -(2**63) + 1, 2**63),
    float: (1.0, -0.0, 1e308, -1e308, 5e-324),
    date: ("2026-03-01", "0001-01-01", "9999-12-31"),
    datetime: (
        "2026-03-01T08:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ),
}  # fmt: skip
OTHERS: tuple[Any, ...] = (None, True, [], [None], {}, [[]], {"a": 1}, ["x"] * 1_001, [{}] * 60_000)
#: Each document is parsed and validated anew, so only what its own way of reading could mistake.
IN_DOCUMENTS: tuple[Any, ...] = ("a\0b", "x" * 9_000, "9999-12-31T23:59:59-12:00", 2**31, 10**400, 1e26, -0.0, {"a": 1})
HOSTILE: tuple[Any, ...] = (*TEXTS, *NUMBERS, *OTHERS)

SENSIBLE: dict[str, Any] = {
    "Int": 1,
    "Float": 50,
    "Boolean": True,
    "DateTime": "2026-03-01T08:00:00Z",
    "LocalDate": "2026-03-01",
    "LocalTime": "07:30",
    "TimeZone": "Europe/Berlin",
    "IdempotencyKey": "a key",
}
#: An apple's, for a label has to add up.
SENSIBLE_NUMBERS = {"energyKcal": 52, "proteinG": 0.3, "carbsG": 14, "fatG": 0.2, "grams": 150, "met": 9.8}
SENSIBLE_TEXTS = {"password": "Password123!", "newPassword": "Different123!", "currentPassword": "Password123!"}


@dataclass(eq=False)
class Target:
    """A subgraph, its committed schema, and the ids of what it has been made to create, by type."""

    name: str
    subgraph: SubgraphUnderTest
    schema: GraphQLSchema
    viewer: str
    ids: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def operations(self) -> Operations:
        return Operations(self.schema, self.valid, also=("grams",))

    def valid(self, kind: str, name: str, where: str) -> Any:
        if kind == "_Any":
            own = {"User": self.viewer}.get(name) or self._id(name)
            return {"__typename": name, "id": own, "userId": self.viewer, "date": "2026-03-01"}
        if kind == "ID":
            return self._id(name.removesuffix("Id") if name != "id" else where.rpartition(".")[2])
        if kind == "String":
            known = {"email": f"person{next(_numbers)}@example.com", **SENSIBLE_TEXTS}
            return known.get(name, "Something")
        return SENSIBLE_NUMBERS.get(name, SENSIBLE.get(kind, "Something"))

    def _id(self, wanted: str) -> str:
        """One that exists of the type whose name is nearest: `mealId`, `deleteWeight` and `food` name theirs."""
        for type_name in sorted(self.ids, key=len, reverse=True):
            stem = type_name.lower().removesuffix("entry")
            if stem in wanted.lower() and self.ids[type_name]:
                return self.ids[type_name][-1]
        return "018f0000-0000-7000-8000-000000000000"

    def remember(self, data: Any) -> None:
        if isinstance(data, dict):
            if isinstance(data.get("id"), str) and "__typename" in data:
                self.ids[data["__typename"]].append(data["id"])
            for value in data.values():
                self.remember(value)
        elif isinstance(data, list):
            for value in data:
                self.remember(value)

    async def ask(
        self, query: str, variables: dict[str, Any], signed_in: bool, also: Sequence[str] = ()
    ) -> list[tuple[str, str]]:
        """The codes and messages of the errors that are our fault, that have no code, or whose code is one of `also`."""
        authorization = f"Bearer {sign_token(self.viewer)}" if signed_in else None
        with capture_logs() as logs:  # a traceback is drawn for long, and only its last line is wanted
            result = await self.subgraph.run_with(authorization, query, variables)
        self.remember(result.data)
        return _faults(result, logs, also)

    async def subscribe(self, query: str, variables: dict[str, Any]) -> list[tuple[str, str]]:
        context = self.subgraph.context(self.viewer)
        try:
            async with asyncio.timeout(0.05):
                stream: Any = await self.subgraph.schema.subscribe(query, variables, context_value=context)
                if not hasattr(stream, "__aiter__"):
                    return _faults(stream)
                async for result in stream:
                    return _faults(result)
        except TimeoutError:
            pass
        return []


def _faults(result: Any, logs: Sequence[Mapping[str, Any]] = (), also: Sequence[str] = ()) -> list[tuple[str, str]]:
    reasons = [repr(log.get("exc_info"))[:300] for log in logs if log["event"] == "internal_error"]
    return [
        (str(code), f"{error.path} {reasons}")
        for error in result.errors or []
        if (code := (error.extensions or {}).get("code")) in (None, "INTERNAL_SERVER_ERROR", *also)
    ]


def _told(faults: Mapping[str, list[str]]) -> list[str]:
    """A few of each place, one a line."""
    return [f"{place} {fault}" for place, found in faults.items() for fault in found[:2]]


@pytest.fixture(scope="module")
async def targets(postgres: Postgres) -> AsyncIterator[dict[str, Target]]:
    """The four subgraphs, each with what its mutations make of sensible input."""
    async with AsyncExitStack() as stack:
        found = {}
        for name in SUBGRAPHS:
            module = importlib.import_module(f"subgraphs.{name}.app")
            url = postgres.create_database(f"hostile_{name}")
            subgraph = await stack.enter_async_context(
                subgraph_under_test(name, url, module.SUBGRAPH.schema, module.SUBGRAPH.make_loaders)
            )
            schema = build_schema((COMMITTED / f"{name}.graphql").read_text(), assume_valid_sdl=True)
            found[name] = Target(name, subgraph, schema, await _viewer(name, subgraph))
            await _make_what_can_be_made(found[name])
        yield found


async def _viewer(name: str, subgraph: SubgraphUnderTest) -> str:
    if name != "users":
        return "somebody"
    register = """mutation { register(input: { email: "viewer@example.com", password: "Password123!", displayName: "V V" }) {
        user { id } } }"""
    return str((await subgraph.data(register, None))["register"]["user"]["id"])


async def _make_what_can_be_made(target: Target) -> None:
    for position in positions(target.schema):
        if position.kind == "mutation" and position.field.startswith(("create", "log", "start")):
            is_leaf = position.leaf in SENSIBLE and not position.is_list
            value = target.valid(position.leaf, str(position.path[-1]), position.field) if is_leaf else {}
            query, variables = target.operations.with_variables(position, value)
            await target.ask(query, variables, signed_in=True)


def _values_for(position: Position) -> tuple[Any, ...]:
    """Of values that coercion refuses for their kind alone, a few will do."""
    if position.leaf in ("Int", "Float"):
        return NUMBERS + TEXTS[:3] + OTHERS
    if position.leaf == "Boolean" or position.leaf.endswith("Input"):
        return NUMBERS[:2] + TEXTS[:3] + OTHERS
    foreign = tuple(encode_cursor("another list", keys) for keys in (("a",), ("a", "b"), ("2026-03-01", "b")))
    return TEXTS + foreign + (0, 2**31, 1e26) + OTHERS


@pytest.mark.parametrize("name", SUBGRAPHS)
async def test_nothing_at_any_place_of_any_input_is_our_fault(targets: dict[str, Target], name: str) -> None:
    target = targets[name]
    operations = target.operations
    faults: dict[str, list[str]] = defaultdict(list)
    for position in positions(target.schema):
        for value in _values_for(position):
            ways = [operations.with_variables]
            if value in IN_DOCUMENTS:
                ways.append(operations.with_literals)
            for written in ways:
                query, variables = written(position, value)
                if position.kind == "subscription":
                    found = await target.subscribe(query, variables)
                else:
                    found = await target.ask(query, variables, signed_in=True)
                faults[position.coordinate] += [f"{repr(value)[:60]}: {fault}" for fault in found]
    assert _told(faults) == []


@pytest.mark.parametrize("name", SUBGRAPHS)
async def test_nobody_learns_more_from_a_hostile_value(targets: dict[str, Target], name: str) -> None:
    target = targets[name]
    faults: dict[str, list[str]] = defaultdict(list)
    for position in positions(target.schema):
        if position.kind == "subscription":
            continue
        for value in ("a\0b", "x" * 9_000, 2**31, 1e26, "9999-12-31T23:59:59-12:00", [{}] * 60_000, None):
            query, variables = target.operations.with_variables(position, value)
            faults[position.coordinate] += map(str, await target.ask(query, variables, signed_in=False))
    assert _told(faults) == []


@pytest.mark.parametrize("name", SUBGRAPHS)
async def test_no_representation_is_our_fault(targets: dict[str, Target], name: str) -> None:
    target = targets[name]
    query = "query ($representations: [_Any!]!) { _entities(representations: $representations) { __typename } }"
    entities = [one.name for one in getattr(target.schema.type_map["_Entity"], "types", ())]
    faults: list[str] = []
    for entity in (*entities, "Nothing", None):
        own = target.valid("_Any", entity or "", "")
        for key in (*own, "physiology", "totals", "gtin"):
            for value in HOSTILE:
                representation = {**own, "__typename": entity, key: value}
                found = await target.ask(query, {"representations": [representation]}, signed_in=True)
                faults += [f"{entity}.{key} {repr(value)[:40]}: {fault}" for fault in found]
    assert faults[:20] == []


@pytest.mark.parametrize("name", SUBGRAPHS)
async def test_a_cursor_that_a_client_made_itself_is_not_our_fault(
    targets: dict[str, Target], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How cursors are made is no secret, so that one of the right list may say anything: the edges of each sort key."""
    target = targets[name]
    asked: list[KeysetList] = []
    read = KeysetList.read_cursor

    def note(self: KeysetList, argument: str, cursor: str) -> tuple[Any, ...]:
        asked.append(self)
        return read(self, argument, cursor)

    monkeypatch.setattr(KeysetList, "read_cursor", note)
    faults: list[str] = []
    tried = 0
    for position in positions(target.schema):
        if position.path[-1] not in ("after", "before", "since") or position.kind == "subscription":
            continue
        asked.clear()
        await target.ask(*target.operations.with_variables(position, "no cursor"), signed_in=True)
        for keyset in dict.fromkeys(asked):
            for keys in _edges_of(keyset.key_types):
                query, variables = target.operations.with_variables(position, encode_cursor(keyset.tag, keys))
                found = await target.ask(query, variables, signed_in=True, also=("UNAVAILABLE",))
                faults += [f"{position.coordinate} {keys!r:.80}: {fault}" for fault in found]
                tried += 1
    assert faults[:20] == []
    assert tried > 20


def _edges_of(kinds: tuple[type, ...]) -> Iterator[tuple[Any, ...]]:
    """Cursors with one key at an edge of its type, and others that are usual."""
    for place, kind in enumerate(kinds):
        for edge in CURSOR_EDGES[kind]:
            yield tuple(edge if at == place else CURSOR_EDGES[each][0] for at, each in enumerate(kinds))


async def test_the_commands_behind_the_inputs_are_reached(targets: dict[str, Target]) -> None:
    made = {type_name for target in targets.values() for type_name, ids in target.ids.items() if ids}
    assert made >= {"User", "WeightEntry", "Measurement", "Food", "Meal", "Exercise", "Workout", "Goal"}


async def test_every_place_of_the_schema_is_tried(targets: dict[str, Target]) -> None:
    """That the generator sees all: counted another way, over the text of the committed API."""
    api = build_schema((COMMITTED.parent / "api.graphql").read_text())
    offered = {position.coordinate for position in positions(api)}
    tried = {position.coordinate for target in targets.values() for position in positions(target.schema)}
    assert offered - tried == set()
    assert len(offered) > 150
