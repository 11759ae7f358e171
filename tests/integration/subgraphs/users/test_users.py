"""Users end to end over a real database: registration, sessions, profile, weighings and what is refused."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.users import AccountState, UserRegistered, WeightDeleted, WeightLogged
from events.envelope import decode_envelope
from events.upcast import read_payload
from subgraphs.shell.auth import KeyRing
from subgraphs.users.commands.session import GRACE
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, codes_of, subgraph_under_test, user_errors

PASSWORD = "Password123!"
REGISTER = """
    mutation ($input: RegisterInput!) { register(input: $input) {
      accessToken refreshToken tokenType expiresIn
      user { id email displayName roles version settings { timeZone dayStartHour weekStart units } }
      userErrors { code field message }
    } }
"""
LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { accessToken refreshToken user { id } } }"
REFRESH = (
    "mutation ($token: String!) { refresh(input: { refreshToken: $token }) { accessToken refreshToken user { id } } }"
)
LOG = """
    mutation ($input: LogWeightInput!) { logWeight(input: $input) {
      weightEntry { id weightKg localDate recordedAt } user { currentWeight { weightKg } bmi }
      userErrors { code field }
    } }
"""
_numbers = count(1)


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("users_api")
    async with subgraph_under_test("users", url, schema, UsersLoaders) as subgraph:
        yield subgraph


class Person:
    """Somebody who registered, with the tokens of the newest session."""

    def __init__(self, users: SubgraphUnderTest, email: str, session: dict[str, Any]) -> None:
        self._users = users
        self.email = email
        self.id: str = session["user"]["id"]
        self.session = session

    async def run(self, operation: str, **variables: Any) -> Any:
        return await self._users.run_with(f"Bearer {self.session['accessToken']}", operation, variables)

    async def data(self, operation: str, **variables: Any) -> dict[str, Any]:
        result = await self.run(operation, **variables)
        assert result.errors is None, result.errors
        data: dict[str, Any] = result.data
        return data

    async def codes(self, operation: str, **variables: Any) -> list[str]:
        result = await self.run(operation, **variables)
        return codes_of(result)


async def register(users: SubgraphUnderTest, **more: Any) -> Person:
    email = f"person{next(_numbers)}@example.com"
    given = {"email": email, "password": PASSWORD, "displayName": "Some Body", **more}
    result = await users.run(REGISTER, None, {"input": given})
    assert result.errors is None, result.errors
    assert result.data is not None
    return Person(users, given["email"], result.data["register"])


@pytest.fixture
async def person(users: SubgraphUnderTest) -> Person:
    return await register(users)


async def payloads_of(users: SubgraphUnderTest, user_id: str) -> list[Any]:
    async with users.database.reading() as connection:
        rows = await connection.execute(text("SELECT value FROM outbox WHERE key = :id ORDER BY seq"), {"id": user_id})
        return [read_payload(decode_envelope(row.value)) for row in rows]


async def test_who_registers_is_signed_in_and_announced(users: SubgraphUnderTest) -> None:
    person = await register(users, displayName="Ada Lovelace", timeZone="Asia/Kolkata", heightCm=165.5, sex="FEMALE")

    me = await person.data(
        "{ me { displayName roles settings { timeZone } profile { heightCm sex } physiology { weightKg heightCm } } }"
    )
    assert me["me"] == {
        "displayName": "Ada Lovelace",
        "roles": ["USER"],
        "settings": {"timeZone": "Asia/Kolkata"},
        "profile": {"heightCm": 165.5, "sex": "FEMALE"},
        "physiology": {"weightKg": None, "heightCm": 165.5},
    }
    (event,) = await payloads_of(users, person.id)
    assert isinstance(event, UserRegistered)
    assert (event.display_name, event.time_zone, event.sex) == ("Ada Lovelace", "Asia/Kolkata", "FEMALE")


async def test_an_address_is_taken_whatever_its_case(users: SubgraphUnderTest, person: Person) -> None:
    given = {"email": person.email.upper(), "password": PASSWORD, "displayName": "Some Body"}
    assert await users.codes(REGISTER, None, {"input": given}) == ["CONFLICT"]


async def test_all_broken_rules_are_told_at_once(users: SubgraphUnderTest) -> None:
    given = {
        "email": "no address",
        "password": "short",
        "displayName": "x",
        "dayStartHour": 13,
    }
    result = await users.run(REGISTER, None, {"input": given})

    assert result.data is not None
    assert result.data["register"]["accessToken"] is None
    refusals = user_errors(result)
    assert {refusal["code"] for refusal in refusals} == {"VALIDATION_ERROR"}
    assert [refusal["field"] for refusal in refusals] == ["email", "password", "displayName", "dayStartHour"]


@pytest.mark.parametrize(
    "password", ["alllowercase1!", "ALLUPPERCASE1!", "NoDigits!!", "NoSpecial11", "Sh0rt!", "L0ng!" * 21]
)
async def test_weak_passwords_are_refused(users: SubgraphUnderTest, password: str) -> None:
    given = {"email": f"weak{next(_numbers)}@example.com", "password": password, "displayName": "Some Body"}
    assert await users.codes(REGISTER, None, {"input": given}) == ["VALIDATION_ERROR"]


async def test_a_wrong_password_and_an_unknown_address_look_alike(users: SubgraphUnderTest, person: Person) -> None:
    wrong = await users.run(LOGIN, None, {"input": {"email": person.email, "password": "Wrong123!"}})
    unknown = await users.run(LOGIN, None, {"input": {"email": "nobody@example.com", "password": PASSWORD}})

    assert [error.formatted for error in wrong.errors or []] == [error.formatted for error in unknown.errors or []]
    assert (wrong.errors or [])[0].extensions == {"code": "UNAUTHENTICATED", "reason": "BAD_CREDENTIALS"}


async def test_signing_in_ignores_the_case_of_the_address(users: SubgraphUnderTest, person: Person) -> None:
    result = await users.data(LOGIN, None, {"input": {"email": f" {person.email.upper()} ", "password": PASSWORD}})
    assert result["login"]["user"]["id"] == person.id


async def test_a_password_is_stored_as_an_argon2id_hash_with_the_named_parameters(
    users: SubgraphUnderTest, person: Person
) -> None:
    async with users.database.reading() as connection:
        statement = text("SELECT password_hash FROM account WHERE id = :id")
        stored = await connection.scalar(statement, {"id": person.id})
    assert str(stored).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_session(
    users: SubgraphUnderTest, person: Person
) -> None:
    first = person.session["refreshToken"]
    second = (await users.data(REFRESH, None, {"token": first}))["refresh"]["refreshToken"]
    third = (await users.data(REFRESH, None, {"token": second}))["refresh"]["refreshToken"]

    assert await users.codes(REFRESH, None, {"token": first}) == ["UNAUTHENTICATED"]
    assert await users.codes(REFRESH, None, {"token": third}) == ["UNAUTHENTICATED"]


async def refusal(users: SubgraphUnderTest, token: str) -> str:
    answer = await users.run_with(None, REFRESH, {"token": token})
    (error,) = answer.errors or []
    assert error.extensions is not None
    return f"{error.extensions['code']} {error.extensions['reason']}"


async def test_a_lost_answer_and_a_second_tab_get_the_same_refresh_token_again(
    users: SubgraphUnderTest, person: Person
) -> None:
    first = person.session["refreshToken"]
    answers = await asyncio.gather(*(users.data(REFRESH, None, {"token": first}) for _ in range(5)))

    (second,) = {answer["refresh"]["refreshToken"] for answer in answers}
    assert second != first
    for answer in answers:
        authorization = f"Bearer {answer['refresh']['accessToken']}"
        assert (await users.run_with(authorization, "{ me { id } }")).data == {"me": {"id": person.id}}
    third = (await users.data(REFRESH, None, {"token": second}))["refresh"]["refreshToken"]
    assert third not in (first, second)


async def test_a_refresh_token_that_comes_again_too_late_ends_its_session(
    users: SubgraphUnderTest, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = person.session["refreshToken"]
    second = (await users.data(REFRESH, None, {"token": first}))["refresh"]["refreshToken"]
    later = users.resources.now() + GRACE + timedelta(seconds=1)
    monkeypatch.setattr(users.resources, "now", lambda: later)

    assert await refusal(users, first) == "UNAUTHENTICATED REUSED"
    assert await refusal(users, second) == "UNAUTHENTICATED SESSION_ENDED"
    assert await refusal(users, "guess") == "UNAUTHENTICATED INVALID"


async def test_a_successor_given_under_a_former_secret_is_given_again(
    users: SubgraphUnderTest, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, ring = person.session["refreshToken"], users.resources.key_ring
    second = (await users.data(REFRESH, None, {"token": first}))["refresh"]["refreshToken"]
    former = users.resources.settings.jwt_secret
    monkeypatch.setattr(users.resources, "key_ring", KeyRing("a new secret of this test, long enough", (former,)))

    assert users.resources.key_ring.successors(first)[0] != second
    assert (await users.data(REFRESH, None, {"token": first}))["refresh"]["refreshToken"] == second
    assert ring.successors(first) == (second,)


async def test_a_refresh_token_is_no_access_token_and_the_other_way_round(
    users: SubgraphUnderTest, person: Person
) -> None:
    as_access = await users.run_with(f"Bearer {person.session['refreshToken']}", "{ me { id } }")
    assert [error.extensions["code"] for error in as_access.errors or []] == ["UNAUTHENTICATED"]
    assert await users.codes(REFRESH, None, {"token": person.session["accessToken"]}) == ["UNAUTHENTICATED"]


async def test_signing_out_ends_refresh_and_access(users: SubgraphUnderTest, person: Person) -> None:
    assert await person.data("mutation { logout(input: {}) { endedSessions } }") == {"logout": {"endedSessions": 1}}

    assert await users.codes(REFRESH, None, {"token": person.session["refreshToken"]}) == ["UNAUTHENTICATED"]
    assert await person.codes("{ me { id } }") == ["UNAUTHENTICATED"]


async def test_signing_out_everywhere_ends_other_sessions_too(users: SubgraphUnderTest, person: Person) -> None:
    given = {"email": person.email, "password": PASSWORD}
    other = (await users.data(LOGIN, None, {"input": given}))["login"]

    out = await person.data("mutation { logout(input: { everywhere: true }) { endedSessions } }")
    assert out == {"logout": {"endedSessions": 2}}
    assert await users.codes(REFRESH, None, {"token": other["refreshToken"]}) == ["UNAUTHENTICATED"]


async def test_a_new_password_ends_all_sessions_but_the_one_it_opens(users: SubgraphUnderTest, person: Person) -> None:
    change = """mutation ($input: ChangePasswordInput!) {
        changePassword(input: $input) { accessToken refreshToken user { id displayName } userErrors { code } } }"""
    wrong = {"currentPassword": "Wrong123!", "newPassword": "Different123!"}
    assert await person.codes(change, input=wrong) == ["VALIDATION_ERROR"]
    same = {"currentPassword": PASSWORD, "newPassword": PASSWORD}
    assert await person.codes(change, input=same) == ["VALIDATION_ERROR"]

    old = person.session
    right = {"currentPassword": PASSWORD, "newPassword": "Different123!"}
    new = (await person.data(change, input=right))["changePassword"]

    assert await users.codes(REFRESH, None, {"token": old["refreshToken"]}) == ["UNAUTHENTICATED"]
    assert await users.codes(LOGIN, None, {"input": {"email": person.email, "password": PASSWORD}}) == [
        "UNAUTHENTICATED"
    ]
    assert (await users.data(REFRESH, None, {"token": new["refreshToken"]}))["refresh"]["user"]["id"] == person.id


async def test_a_suspended_account_neither_signs_in_nor_refreshes(users: SubgraphUnderTest, person: Person) -> None:
    async with users.database.transaction() as transaction:
        await transaction.execute(text("UPDATE account SET status = 'SUSPENDED' WHERE id = :id"), {"id": person.id})

    given = {"email": person.email, "password": PASSWORD}
    assert await users.codes(LOGIN, None, {"input": given}) == ["UNAUTHENTICATED"]
    assert await users.codes(REFRESH, None, {"token": person.session["refreshToken"]}) == ["UNAUTHENTICATED"]


async def test_profile_changes_keep_what_is_absent_and_forget_what_is_null(
    users: SubgraphUnderTest, person: Person
) -> None:
    change = """mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) {
        user { version displayName profile { heightCm dateOfBirth activityLevel } } userErrors { code field } } }"""
    await person.data(change, input={"heightCm": 180, "dateOfBirth": "1990-05-15", "activityLevel": "MODERATE"})
    data = await person.data(change, input={"displayName": "New Name", "activityLevel": None, "expectedVersion": 2})

    assert data["updateProfile"]["user"] == {
        "version": 3,
        "displayName": "New Name",
        "profile": {"heightCm": 180.0, "dateOfBirth": "1990-05-15", "activityLevel": None},
    }
    newest = (await payloads_of(users, person.id))[-1]
    assert isinstance(newest, AccountState)
    assert (newest.display_name, newest.activity_level, newest.email) == ("New Name", None, person.email)
    assert await person.codes(change, input={"heightCm": 181, "expectedVersion": 2}) == ["STALE_VERSION"]
    both = {"heightCm": 18, "dateOfBirth": "2024-01-01"}
    assert await person.codes(change, input=both) == ["VALIDATION_ERROR", "VALIDATION_ERROR"]
    assert await person.codes(change, input={"displayName": None}) == ["VALIDATION_ERROR"]
    assert await person.codes(change, input={"displayName": ""}) == ["VALIDATION_ERROR"]


async def test_changing_nothing_makes_no_version_and_no_event(users: SubgraphUnderTest, person: Person) -> None:
    change = 'mutation { updateSettings(input: { timeZone: "UTC" }) { user { version } } }'
    assert (await person.data(change))["updateSettings"]["user"]["version"] == 1
    assert len(await payloads_of(users, person.id)) == 1


async def test_a_weighing_has_the_local_day_of_its_moment(users: SubgraphUnderTest) -> None:
    person = await register(users, timeZone="Europe/Berlin", dayStartHour=4, heightCm=180)

    # 03:30 in Berlin, before the day begins at four
    night = await person.data(LOG, input={"weightKg": 81, "recordedAt": "2026-03-02T02:30:00Z"})
    morning = await person.data(LOG, input={"weightKg": 80.55, "recordedAt": "2026-03-02T07:00:00+01:00"})

    assert night["logWeight"]["weightEntry"]["localDate"] == "2026-03-01"
    entry = morning["logWeight"]["weightEntry"]
    assert (entry["localDate"], entry["recordedAt"], entry["weightKg"]) == ("2026-03-02", "2026-03-02T06:00:00Z", 80.55)
    # 80.55 / 1.8²
    assert morning["logWeight"]["user"] == {"currentWeight": {"weightKg": 80.55}, "bmi": 24.9}
    logged = [event for event in await payloads_of(users, person.id) if isinstance(event, WeightLogged)]
    assert [str(event.weight_kg) for event in logged] == ["81.00", "80.55"]


async def test_one_idempotency_key_logs_one_weighing(users: SubgraphUnderTest, person: Person) -> None:
    first = await person.data(LOG, input={"weightKg": 80, "idempotencyKey": "once"})
    again = await person.data(LOG, input={"weightKg": 80.0, "idempotencyKey": "once", "notes": None})

    assert again["logWeight"]["weightEntry"] == first["logWeight"]["weightEntry"]
    assert await person.codes(LOG, input={"weightKg": 99, "idempotencyKey": "once"}) == ["CONFLICT"]
    assert len(await payloads_of(users, person.id)) == 2


@pytest.mark.parametrize(
    "given",
    [
        {"weightKg": 19.9},
        {"weightKg": 500.5},
        {"weightKg": 80, "bodyFatPercent": 0},
        {"weightKg": 80, "notes": "x" * 501},
        {"weightKg": 80, "recordedAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat()},
    ],
)
async def test_impossible_weighings_are_refused(person: Person, given: dict[str, Any]) -> None:
    assert await person.codes(LOG, input=given) == ["VALIDATION_ERROR"]


async def test_a_moment_without_a_zone_is_refused(person: Person) -> None:
    assert await person.codes(LOG, input={"weightKg": 80, "recordedAt": "2026-03-02T07:00:00"}) == ["BAD_USER_INPUT"]


async def test_a_deleted_weighing_gives_way_to_the_one_before(users: SubgraphUnderTest, person: Person) -> None:
    await person.data(LOG, input={"weightKg": 80, "recordedAt": "2026-03-01T07:00:00Z"})
    newest = await person.data(LOG, input={"weightKg": 79, "recordedAt": "2026-03-02T07:00:00Z"})
    entry_id = newest["logWeight"]["weightEntry"]["id"]

    delete = (
        "mutation ($id: ID!) { deleteWeight(input: { id: $id }) { deletedId user { currentWeight { weightKg } } } }"
    )
    data = await person.data(delete, id=entry_id)

    assert data["deleteWeight"] == {"deletedId": entry_id, "user": {"currentWeight": {"weightKg": 80.0}}}
    assert isinstance((await payloads_of(users, person.id))[-1], WeightDeleted)
    assert await person.codes(delete, id=entry_id) == ["NOT_FOUND"]


async def test_weighings_come_in_stable_pages(users: SubgraphUnderTest, person: Person) -> None:
    for day in range(1, 6):
        await person.data(LOG, input={"weightKg": 80 + day, "recordedAt": f"2026-03-0{day}T07:00:00Z"})
    page = """query ($after: String) { me { weights(first: 2, after: $after) {
        edges { node { weightKg } } pageInfo { hasNextPage hasPreviousPage endCursor } } } }"""

    first = (await person.data(page))["me"]["weights"]
    await person.data(LOG, input={"weightKg": 90, "recordedAt": "2026-03-06T07:00:00Z"})
    second = (await person.data(page, after=first["pageInfo"]["endCursor"]))["me"]["weights"]
    third = (await person.data(page, after=second["pageInfo"]["endCursor"]))["me"]["weights"]

    weights = [[edge["node"]["weightKg"] for edge in part["edges"]] for part in (first, second, third)]
    assert weights == [[85.0, 84.0], [83.0, 82.0], [81.0]]
    assert [part["pageInfo"]["hasNextPage"] for part in (first, second, third)] == [True, True, False]


@pytest.mark.parametrize(
    "arguments",
    ["first: 0", "first: 101", 'after: "nonsense"', f'after: "{base64.urlsafe_b64encode(b"[1,2,3]").decode()}"'],
)
async def test_impossible_pages_are_refused(person: Person, arguments: str) -> None:
    assert await person.codes(f"{{ me {{ weights({arguments}) {{ edges {{ cursor }} }} }} }}") == ["VALIDATION_ERROR"]


async def test_statements_do_not_grow_with_the_entities_asked_for(users: SubgraphUnderTest) -> None:
    people = [await register(users, heightCm=170) for _ in range(6)]
    for person in people:
        await person.data(LOG, input={"weightKg": 70})
    entities = """query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on User {
        displayName physiology { weightKg } currentWeight { weightKg user { id } } weights(first: 3) { edges { node { id } } } } } }"""

    counts = []
    for number in (1, 6):
        representations = [{"__typename": "User", "id": person.id} for person in people[:number]]
        with users.counted_statements() as statements:
            data = await users.data(entities, "admin", {"representations": representations}, roles=("ADMIN",))
        assert [entity["currentWeight"]["weightKg"] for entity in data["_entities"]] == [70.0] * number
        counts.append(len(statements))

    # accounts with their newest weighings, pages of weighings
    assert counts == [2, 2]


async def test_an_unknown_address_takes_as_long_as_a_wrong_password(users: SubgraphUnderTest, person: Person) -> None:
    durations: dict[str, list[float]] = {person.email: [], "nobody@example.com": []}
    for _ in range(8):  # in turn, so that whatever else runs here slows both down
        for email, taken in durations.items():
            started = time.perf_counter()
            await users.codes(LOGIN, None, {"input": {"email": email, "password": "Wrong123!"}})
            taken.append(time.perf_counter() - started)
    known, unknown = map(min, durations.values())
    # a hash takes some 30 ms; without it the answer would come ten times as fast
    assert unknown > known / 2


async def test_what_is_stored_is_what_is_told(users: SubgraphUnderTest, person: Person) -> None:
    await person.data(LOG, input={"weightKg": 80.126})
    event = (await payloads_of(users, person.id))[-1]
    stored = await person.data("{ me { currentWeight { weightKg } } }")
    assert (str(event.weight_kg), stored["me"]["currentWeight"]) == ("80.13", {"weightKg": 80.13})


async def test_a_weight_is_told_in_the_unit_that_is_asked_for_or_the_persons_own(users: SubgraphUnderTest) -> None:
    person = await register(users, units="IMPERIAL")
    await person.data(LOG, input={"weightKg": 81.65})
    query = "{ me { currentWeight { own: weight { value unit } kg: weight(unit: KG) { value unit } weightKg } } }"
    weight = (await person.data(query))["me"]["currentWeight"]

    # 81.65 / 0.45359237
    assert weight == {"own": {"value": 180.01, "unit": "LB"}, "kg": {"value": 81.65, "unit": "KG"}, "weightKg": 81.65}
    await person.data("mutation { updateSettings(input: { units: METRIC }) { user { id } } }")
    assert (await person.data(query))["me"]["currentWeight"]["own"] == {"value": 81.65, "unit": "KG"}


async def test_registering_again_with_the_same_key_is_the_same_account(users: SubgraphUnderTest) -> None:
    given = {"email": f"twice{next(_numbers)}@example.com", "password": PASSWORD, "displayName": "Some Body"}
    first = await users.data(REGISTER, None, {"input": {**given, "idempotencyKey": "twice"}})
    again = await users.data(REGISTER, None, {"input": {**given, "idempotencyKey": "twice"}})

    assert again["register"]["user"]["id"] == first["register"]["user"]["id"]
    assert again["register"]["accessToken"] != first["register"]["accessToken"]
    for change in ({"displayName": "Other"}, {"password": "Different123!"}, {"email": "other@example.com"}):
        other = {**given, **change, "idempotencyKey": "twice"}
        assert await users.codes(REGISTER, None, {"input": other}) == ["CONFLICT"]
    assert await users.codes(REGISTER, None, {"input": given}) == ["CONFLICT"]


@pytest.mark.parametrize(("first", "second"), [("ada@b\u00fccher.example", "Ada@xn--bcher-kva.example")])
async def test_an_address_is_one_however_its_domain_is_spelled(
    users: SubgraphUnderTest, first: str, second: str
) -> None:
    given = {"email": first, "password": PASSWORD, "displayName": "Some Body"}
    assert await users.codes(REGISTER, None, {"input": given}) == []
    assert await users.codes(REGISTER, None, {"input": {**given, "email": second}}) == ["CONFLICT"]
    assert await users.codes(LOGIN, None, {"input": {"email": second, "password": PASSWORD}}) == []


async def test_weighings_page_backward_and_count_and_refuse_another_persons_cursor(users: SubgraphUnderTest) -> None:
    person, other = await register(users), await register(users)
    for day in range(1, 6):
        await person.data(LOG, input={"weightKg": 80 + day, "recordedAt": f"2026-03-0{day}T07:00:00Z"})
    page = """query ($before: String) { me { weights(last: 2, before: $before) {
        nodes { weightKg } totalCount pageInfo { hasNextPage hasPreviousPage startCursor } } } }"""

    last = (await person.data(page))["me"]["weights"]
    before = (await person.data(page, before=last["pageInfo"]["startCursor"]))["me"]["weights"]

    assert [[node["weightKg"] for node in part["nodes"]] for part in (last, before)] == [[82.0, 81.0], [84.0, 83.0]]
    assert (last["totalCount"], last["pageInfo"]["hasPreviousPage"], before["pageInfo"]["hasNextPage"]) == (
        5,
        True,
        True,
    )
    assert await other.codes(page, before=last["pageInfo"]["startCursor"]) == ["VALIDATION_ERROR"]


async def test_language_theme_and_dates_are_kept_and_told(person: Person) -> None:
    update = """mutation ($input: UpdateSettingsInput!) { updateSettings(input: $input) {
      user { version settings { units language theme dateFormat } } userErrors { code field } } }"""

    async def change(**given: Any) -> Any:
        return (await person.data(update, input=given))["updateSettings"]

    nothing_told = {"units": "METRIC", "language": None, "theme": "SYSTEM", "dateFormat": "BY_LANGUAGE"}
    assert (await change())["user"] == {"version": 1, "settings": nothing_told}
    told = await change(language="ZH-hant-tw", theme="DARK", dateFormat="YEAR_MONTH_DAY")
    settings = {"units": "METRIC", "language": "zh-Hant-TW", "theme": "DARK", "dateFormat": "YEAR_MONTH_DAY"}
    assert told["user"] == {"version": 2, "settings": settings}
    assert (await change(language="zh-Hant-TW"))["user"]["version"] == 2
    for wrong in ("english", "en_US", "e", "en-US-x-twain", "", "de-"):
        assert (await change(language=wrong))["userErrors"] == [{"code": "VALIDATION_ERROR", "field": "language"}]
    assert (await change(theme=None))["userErrors"] == [{"code": "VALIDATION_ERROR", "field": "theme"}]
    assert (await change(language=None))["user"]["settings"] == settings | {"language": None}
