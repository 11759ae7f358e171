"""Steps of days: what each source counted, told in any order and more than once, over a real database."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count, permutations
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.users import StepsCounted, StepsDeleted
from events.envelope import decode_envelope
from events.upcast import read_payload
from subgraphs.shell.calendar import latest_day
from subgraphs.users.commands import step_count as commands
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

REGISTER = """mutation ($email: String!) { register(input: {email: $email, password: "Password123!",
  displayName: "Some Walker", timeZone: "Europe/Berlin", dayStartHour: 4}) { accessToken user { id } } }"""
LOG = """mutation ($input: LogStepsInput!) { logSteps(input: $input) {
  stepCount { id date source steps countedAt version } userErrors { code field } } }"""
DELETE = """mutation ($input: DeleteStepsInput!) { deleteSteps(input: $input) {
  deletedId user { stepCounts { totalCount } } userErrors { code field } } }"""
LIST = """query ($first: Int, $after: String, $from: LocalDate, $to: LocalDate) {
  me { stepCounts(first: $first, after: $after, from: $from, to: $to) {
    totalCount nodes { date source steps } pageInfo { endCursor hasNextPage } } } }"""
CHANGES = """query ($since: String) { me { accountChanges(since: $since) { token changes {
  isDeleted entityType entity { ... on StepCount { steps } } } } } }"""
_people = count(1)
_DAY = "2026-03-02"


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with subgraph_under_test("users", postgres.create_database("users_steps"), schema, UsersLoaders) as subgraph:
        yield subgraph


class Walker:
    """A registered person and what the person asks."""

    def __init__(self, users: SubgraphUnderTest, registered: dict[str, Any]) -> None:
        self.users = users
        self.id = registered["user"]["id"]
        self.token = f"Bearer {registered['accessToken']}"

    async def ask(self, operation: str, **variables: Any) -> Any:
        result = await self.users.run_with(self.token, operation, variables)
        assert result.errors is None, result.errors
        (answer,) = (result.data or {}).values()
        return answer

    async def log(self, steps: int, hour: int, source: str = "Phone", day: str = _DAY) -> Any:
        """The total as of so many o'clock UTC of the day."""
        counted_at = f"{day}T{hour:02}:00:00Z"
        return await self.ask(LOG, input={"source": source, "steps": steps, "date": day, "countedAt": counted_at})

    async def listed(self) -> list[tuple[str, int]]:
        return [(each["source"], each["steps"]) for each in (await self.ask(LIST))["stepCounts"]["nodes"]]

    async def told(self) -> list[tuple[int, StepsCounted | StepsDeleted]]:
        """The events of steps in the outbox, with the versions of their counts."""
        async with self.users.database.reading() as connection:
            rows = await connection.scalars(
                text("SELECT value FROM outbox WHERE key = :id ORDER BY seq"), {"id": self.id}
            )
            envelopes = [decode_envelope(value) for value in rows]
        mine = [(each.aggregate.version, read_payload(each)) for each in envelopes]
        return [(version, payload) for version, payload in mine if isinstance(payload, StepsCounted | StepsDeleted)]


@pytest.fixture
async def walker(users: SubgraphUnderTest) -> Walker:
    return Walker(users, (await users.data(REGISTER, None, {"email": f"w{next(_people)}@example.com"}))["register"])


async def test_a_later_total_of_a_source_replaces_its_earlier_one_and_no_other_source(walker: Walker) -> None:
    first = await walker.log(3000, 9)
    assert first["userErrors"] == []
    later = (await walker.log(8000, 18))["stepCount"]
    assert later == first["stepCount"] | {"steps": 8000, "version": 2, "countedAt": f"{_DAY}T18:00:00Z"}
    await walker.log(8100, 18, source="Watch")
    await walker.log(500, 8, day="2026-03-03")
    assert sorted(await walker.listed()) == [("Phone", 500), ("Phone", 8000), ("Watch", 8100)]
    assert [version for version, _ in await walker.told()] == [1, 2, 1, 1]


async def test_totals_in_whatever_order_and_twice_come_to_the_one_counted_last(walker: Walker) -> None:
    orders = list(permutations([(3000, 9), (5200, 12), (5200, 15), (4900, 18)]))
    for number, order in enumerate(orders):
        for steps, hour in (*order, *order):
            answer = await walker.log(steps, hour, source=str(number))
            assert answer["userErrors"] == []
        assert (answer["stepCount"]["steps"], answer["stepCount"]["countedAt"]) == (4900, f"{_DAY}T18:00:00Z"), order
        assert answer["stepCount"]["version"] <= len(order)
    told = [(payload.source, version) for version, payload in await walker.told() if isinstance(payload, StepsCounted)]
    newest = dict(told)
    assert len(newest) == len(orders)
    assert sum(newest.values()) == len(told)  # what changes nothing is told to nobody


async def test_two_devices_that_tell_at_once_make_one_count(walker: Walker) -> None:
    answers = await asyncio.gather(*(walker.log(1000 + hour, hour) for hour in range(8)))
    assert len({each["stepCount"]["id"] for each in answers}) == 1
    assert await walker.listed() == [("Phone", 1007)]


async def test_a_total_without_a_day_is_of_the_persons_day_then(walker: Walker) -> None:
    # Three in the morning in Berlin is of the day before, which ends at four.
    told = await walker.ask(LOG, input={"source": "Phone", "steps": 40, "countedAt": "2026-03-02T02:00:00Z"})
    assert told["stepCount"]["date"] == "2026-03-01"
    now = await walker.ask(LOG, input={"source": "  Phone ", "steps": 50})
    assert now["stepCount"]["source"] == "Phone"
    assert now["stepCount"]["date"] <= latest_day(datetime.now(UTC)).isoformat()


async def test_a_count_is_taken_back_by_its_version_and_comes_again_as_another(walker: Walker) -> None:
    first = (await walker.log(3000, 9))["stepCount"]
    await walker.log(3500, 10)
    stale = await walker.ask(DELETE, input={"id": first["id"], "expectedVersion": 1})
    assert [each["code"] for each in stale["userErrors"]] == ["STALE_VERSION"]
    gone = await walker.ask(DELETE, input={"id": first["id"], "expectedVersion": 2})
    assert (gone["deletedId"], gone["user"]) == (first["id"], {"stepCounts": {"totalCount": 0}})
    again = (await walker.log(3000, 9))["stepCount"]
    assert (again["version"], again["id"] != first["id"]) == (1, True)
    told = [(version, type(payload)) for version, payload in await walker.told()]
    assert told == [(1, StepsCounted), (2, StepsCounted), (3, StepsDeleted), (1, StepsCounted)]


async def test_counts_are_listed_by_days_in_pages_and_told_to_copies(walker: Walker) -> None:
    token = (await walker.ask(CHANGES))["accountChanges"]["token"]
    for number in range(1, 6):
        await walker.log(number * 1000, 9, day=f"2026-03-0{number}")
    page = (await walker.ask(LIST, first=2, to="2026-03-04"))["stepCounts"]
    assert [each["date"] for each in page["nodes"]] == ["2026-03-04", "2026-03-03"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (5, True)
    after = page["pageInfo"]["endCursor"]
    rest = (await walker.ask(LIST, first=5, after=after, **{"from": "2026-03-02", "to": "2026-03-04"}))["stepCounts"]
    assert [each["steps"] for each in rest["nodes"]] == [2000]
    changes = (await walker.ask(CHANGES, since=token))["accountChanges"]["changes"]
    told = {each["entity"]["steps"] for each in changes if each["entityType"] == "StepCount"}
    assert told == {1000, 2000, 3000, 4000, 5000}


async def test_what_cannot_be_a_count_is_refused_with_its_place(
    walker: Walker, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = (latest_day(datetime.now(UTC)) + timedelta(days=1)).isoformat()
    usual = {"source": "Phone", "steps": 100}
    for told, place in (
        ({"steps": -1}, "steps"),
        ({"steps": 300_001}, "steps"),
        ({"source": " "}, "source"),
        ({"source": "x" * 61}, "source"),
        ({"source": "two\nlines"}, "source"),
        ({"date": later}, "date"),
        ({"countedAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}, "countedAt"),
    ):
        refused = (await walker.ask(LOG, input=usual | told))["userErrors"]
        assert [(each["code"], each["field"]) for each in refused] == [("VALIDATION_ERROR", place)], told
    east = latest_day(datetime.now(UTC)).isoformat()
    assert (await walker.ask(LOG, input=usual | {"date": east}))["stepCount"]["date"] == east
    monkeypatch.setattr(commands, "MOST_STEP_COUNTS", 1)
    assert (await walker.log(1, 9, source="Watch"))["userErrors"] == [{"code": "CONFLICT", "field": None}]
    assert (await walker.ask(LOG, input=usual | {"date": east, "steps": 200}))["userErrors"] == []
