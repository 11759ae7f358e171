"""Heart rates that a person keeps, each from a day on, over a real database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from subgraphs.shell.calendar import latest_day
from subgraphs.users.commands import heart_rate as commands
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

REGISTER = """mutation ($email: String!) { register(input: {email: $email, password: "Password123!",
  displayName: "Some Heart", dateOfBirth: "1990-05-15"}) { accessToken user { id } } }"""
LOG = """mutation ($input: LogHeartRateInput!) { logHeartRate(input: $input) {
  heartRate { id kind beatsPerMinute since notes version } userErrors { code field } } }"""
EDIT = """mutation ($input: EditHeartRateInput!) { editHeartRate(input: $input) {
  heartRate { beatsPerMinute since notes version } userErrors { code field } } }"""
DELETE = """mutation ($input: DeleteHeartRateInput!) { deleteHeartRate(input: $input) {
  deletedId user { heartRates { totalCount } } userErrors { code field } } }"""
LIST = """query ($kind: HeartRateKind, $first: Int, $after: String) { me { heartRates(kind: $kind, first: $first, after: $after) {
  totalCount nodes { kind beatsPerMinute since } pageInfo { endCursor hasNextPage } } } }"""
PHYSIOLOGY = """query ($who: [_Any!]!) { _entities(representations: $who) { ... on User {
  physiology { dateOfBirth heartRates { kind beatsPerMinute since } } } } }"""


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with subgraph_under_test("users", postgres.create_database("users_hearts"), schema, UsersLoaders) as subgraph:
        yield subgraph


class Owner:
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

    async def log(self, kind: str, beats: int, since: str, **more: Any) -> Any:
        return await self.ask(LOG, input={"kind": kind, "beatsPerMinute": beats, "since": since} | more)


@pytest.fixture
async def owner(users: SubgraphUnderTest, request: pytest.FixtureRequest) -> Owner:
    email = f"{request.node.name.replace('_', '-')[-40:].strip('-')}@example.com"
    return Owner(users, (await users.data(REGISTER, None, {"email": email}))["register"])


async def test_heart_rates_are_kept_from_a_day_on_and_told_to_the_formulas_of_others(owner: Owner) -> None:
    resting = await owner.log("RESTING", 64, "2021-03-01", idempotencyKey="rest-1", notes="after a cold")
    assert resting["userErrors"] == []
    assert await owner.log("RESTING", 64, "2021-03-01", idempotencyKey="rest-1", notes="after a cold") == resting
    await owner.log("MAXIMUM", 191, "2021-03-01")
    await owner.log("RESTING", 55, "2025-03-01")
    today = datetime.now(UTC).date().isoformat()
    now = await owner.ask(LOG, input={"kind": "RESTING", "beatsPerMinute": 54})
    assert now["heartRate"]["since"] == today

    page = (await owner.ask(LIST, kind="RESTING", first=2))["heartRates"]
    assert [each["beatsPerMinute"] for each in page["nodes"]] == [54, 55]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (4, True)
    rest = (await owner.ask(LIST, kind="RESTING", first=2, after=page["pageInfo"]["endCursor"]))["heartRates"]
    assert [each["beatsPerMinute"] for each in rest["nodes"]] == [64]

    (told,) = await owner.ask(PHYSIOLOGY, who=[{"__typename": "User", "id": owner.id}])
    assert told["physiology"]["dateOfBirth"] == "1990-05-15"
    assert {(each["kind"], each["beatsPerMinute"], each["since"]) for each in told["physiology"]["heartRates"]} == {
        ("RESTING", 54, today),
        ("RESTING", 55, "2025-03-01"),
        ("RESTING", 64, "2021-03-01"),
        ("MAXIMUM", 191, "2021-03-01"),
    }


async def test_a_heart_rate_is_corrected_by_its_newest_version_and_taken_back(owner: Owner) -> None:
    first = (await owner.log("MAXIMUM", 190, "2024-01-01"))["heartRate"]
    await owner.log("MAXIMUM", 188, "2025-01-01")
    change = {"id": first["id"], "beatsPerMinute": 192, "since": "2024-02-01", "notes": "on the hill"}
    edited = await owner.ask(EDIT, input=change | {"expectedVersion": 1})
    told = {"beatsPerMinute": 192, "since": "2024-02-01", "notes": "on the hill", "version": 2}
    assert edited == {"heartRate": told, "userErrors": []}
    for changes, refusal in (
        ({"expectedVersion": 1, "beatsPerMinute": 180}, ("STALE_VERSION", "expectedVersion")),
        ({"since": "2025-01-01"}, ("CONFLICT", "since")),
        ({"beatsPerMinute": None}, ("VALIDATION_ERROR", "beatsPerMinute")),
        ({"beatsPerMinute": 59}, ("VALIDATION_ERROR", "beatsPerMinute")),
    ):
        refused = (await owner.ask(EDIT, input={"id": first["id"]} | changes))["userErrors"]
        assert [(each["code"], each["field"]) for each in refused] == [refusal]
    stale = await owner.ask(DELETE, input={"id": first["id"], "expectedVersion": 1})
    assert [each["code"] for each in stale["userErrors"]] == ["STALE_VERSION"]
    gone = await owner.ask(DELETE, input={"id": first["id"], "expectedVersion": 2})
    assert gone["user"] == {"heartRates": {"totalCount": 1}}


async def test_a_heart_rate_of_a_day_further_east_is_kept_and_corrected(owner: Owner) -> None:
    day = latest_day(datetime.now(UTC)).isoformat()
    kept = (await owner.log("RESTING", 58, day))["heartRate"]
    assert kept["since"] == day
    edited = await owner.ask(EDIT, input={"id": kept["id"], "notes": "on landing"})
    assert (edited["userErrors"], edited["heartRate"]["since"]) == ([], day)


async def test_what_cannot_be_kept_is_refused_with_its_place(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    later = (latest_day(datetime.now(UTC)) + timedelta(days=1)).isoformat()
    for told, place in (
        (("RESTING", 24, "2025-01-01"), "beatsPerMinute"),
        (("RESTING", 151, "2025-01-01"), "beatsPerMinute"),
        (("MAXIMUM", 251, "2025-01-01"), "beatsPerMinute"),
        (("MAXIMUM", 190, later), "since"),
    ):
        assert (await owner.log(*told))["userErrors"] == [{"code": "VALIDATION_ERROR", "field": place}]
    await owner.log("RESTING", 60, "2025-01-01")
    assert (await owner.log("RESTING", 61, "2025-01-01"))["userErrors"] == [{"code": "CONFLICT", "field": "since"}]
    monkeypatch.setattr(commands, "MOST_HEART_RATES", 1)
    assert (await owner.log("MAXIMUM", 190, "2025-01-01"))["userErrors"] == [{"code": "CONFLICT", "field": None}]
