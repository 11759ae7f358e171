"""Measurements, corrected weighings and the body's composition over a real database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.users import MeasurementDeleted, MeasurementLogged, WeightEdited, WeightLogged
from events.envelope import decode_envelope
from events.upcast import read_payload
from subgraphs.users.commands import measurement as commands
from subgraphs.users.commands import weight as weight_commands
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

REGISTER = """mutation { register(input: {email: "body@example.com", password: "Password123!", displayName: "Some Body",
  sex: MALE, heightCm: 180, dateOfBirth: "1990-01-01"}) { accessToken userErrors { code field } } }"""
LOG = """mutation ($input: LogWeightInput!) { logWeight(input: $input) {
  weightEntry { id version muscleMassKg } userErrors { code field } } }"""
EDIT = """mutation ($input: EditWeightInput!) { editWeight(input: $input) {
  weightEntry { weightKg bodyFatPercent notes localDate version } user { currentWeight { weightKg } }
  userErrors { code field } } }"""
MEASURE = """mutation ($input: LogMeasurementInput!) { logMeasurement(input: $input) {
  measurement { id kind valueCm value(unit: INCH) { value unit } localDate } userErrors { code field } } }"""
MEASUREMENTS = """query ($kind: MeasurementKind) { me {
  measurements(kind: $kind) { totalCount nodes { kind valueCm } }
  bodyComposition { bmi bmiCategory muscleMassKg estimates { method bodyFatPercent leanMassKg } } } }"""


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with subgraph_under_test("users", postgres.create_database("users_body"), schema, UsersLoaders) as subgraph:
        yield subgraph


@pytest.fixture(scope="module")
async def token(users: SubgraphUnderTest) -> str:
    answer = (await users.data(REGISTER, None))["register"]
    assert answer["userErrors"] == []
    return f"Bearer {answer['accessToken']}"


async def ask(users: SubgraphUnderTest, token: str, operation: str, **variables: Any) -> Any:
    result = await users.run_with(token, operation, variables)
    assert result.errors is None
    return result.data


async def test_the_day_may_be_told_and_is_the_moments_by_some_clock_on_earth(users: SubgraphUnderTest) -> None:
    answer = await users.data(REGISTER.replace("body@example.com", "elsewhere@example.com"), None)
    token = f"Bearer {answer['register']['accessToken']}"
    noon = "2026-01-10T12:00:00Z"
    for operation, what in ((LOG, {"weightKg": 80}), (MEASURE, {"kind": "NECK", "valueCm": 38})):
        told = operation.replace("id version", "id localDate version")
        for day in ("2026-01-09", "2026-01-10", "2026-01-11"):
            (logged,) = (await ask(users, token, told, input={**what, "recordedAt": noon, "localDate": day})).values()
            assert (logged.get("weightEntry") or logged.get("measurement"))["localDate"] == day
        for day in ("2026-01-08", "2026-01-12"):
            (logged,) = (await ask(users, token, told, input={**what, "recordedAt": noon, "localDate": day})).values()
            assert [each["field"] for each in logged["userErrors"]] == ["localDate"]


async def test_a_corrected_weighing_is_told_as_it_is_now(users: SubgraphUnderTest, token: str) -> None:
    logged = (await ask(users, token, LOG, input={"weightKg": 81, "bodyFatPercent": 20, "muscleMassKg": 40}))[
        "logWeight"
    ]
    assert logged["weightEntry"]["muscleMassKg"] == 40
    entry_id = logged["weightEntry"]["id"]
    before = (datetime.now(UTC) - timedelta(days=2)).replace(hour=8, minute=0, second=0, microsecond=0)
    changes = {"id": entry_id, "weightKg": 80, "notes": "after breakfast", "recordedAt": before.isoformat()}
    edited = (await ask(users, token, EDIT, input=changes | {"expectedVersion": 1}))["editWeight"]
    assert edited == {
        "weightEntry": {
            "weightKg": 80.0,
            "bodyFatPercent": 20.0,
            "notes": "after breakfast",
            "localDate": before.date().isoformat(),
            "version": 2,
        },
        "user": {"currentWeight": {"weightKg": 80.0}},
        "userErrors": [],
    }
    async with users.database.reading() as connection:
        statement = text("SELECT value FROM outbox WHERE aggregate_id = :id ORDER BY seq DESC LIMIT 1")
        envelope = decode_envelope((await connection.execute(statement, {"id": entry_id})).scalar_one())
    told = read_payload(envelope)
    assert isinstance(told, WeightEdited)
    assert (envelope.aggregate.version, told.weight_kg, told.local_date) == (2, 80, before.date())


async def test_a_correction_after_a_flight_leaves_a_weighing_on_the_clock_of_where_it_was_taken(
    users: SubgraphUnderTest,
) -> None:
    home = REGISTER.replace("body@example.com", "flight@example.com").replace(
        "sex: MALE", 'timeZone: "Asia/Tokyo", sex: MALE'
    )
    token = f"Bearer {(await users.data(home, None))['register']['accessToken']}"
    morning = {"recordedAt": "2026-01-10T22:00:00Z"}  # 07:00 on the 11th in Tokyo, noon on the 10th in Honolulu
    entry_id = (await ask(users, token, LOG, input={"weightKg": 80, **morning}))["logWeight"]["weightEntry"]["id"]
    move = 'mutation { updateSettings(input: {timeZone: "Pacific/Honolulu"}) { userErrors { code } } }'
    assert (await ask(users, token, move))["updateSettings"]["userErrors"] == []
    for changes, day in (
        ({"weightKg": 79}, "2026-01-11"),
        ({"recordedAt": "2026-01-10T21:50:00Z"}, "2026-01-11"),
        ({"recordedAt": "2026-01-10T14:50:00Z"}, "2026-01-10"),
    ):
        edited = (await ask(users, token, EDIT, input={"id": entry_id} | changes))["editWeight"]
        assert edited["weightEntry"]["localDate"] == day
        async with users.database.reading() as connection:
            statement = text("SELECT value FROM outbox WHERE aggregate_id = :id ORDER BY seq DESC LIMIT 1")
            envelope = decode_envelope((await connection.execute(statement, {"id": entry_id})).scalar_one())
        assert (str(envelope.local_date), envelope.time_zone) == (day, "Asia/Tokyo")


async def test_a_correction_is_held_to_the_rules_of_a_weighing(users: SubgraphUnderTest, token: str) -> None:
    entry_id = (await ask(users, token, LOG, input={"weightKg": 80}))["logWeight"]["weightEntry"]["id"]
    for changes, refusal in (
        ({"weightKg": 5}, ("VALIDATION_ERROR", "weightKg")),
        ({"weightKg": None}, ("VALIDATION_ERROR", "weightKg")),
        ({"muscleMassKg": 81}, ("VALIDATION_ERROR", "muscleMassKg")),
        ({"weightKg": 79, "expectedVersion": 9}, ("STALE_VERSION", "expectedVersion")),
    ):
        answer = (await ask(users, token, EDIT, input={"id": entry_id} | changes))["editWeight"]
        assert answer["weightEntry"] is None
        assert [(each["code"], each["field"]) for each in answer["userErrors"]] == [refusal]


async def test_measurements_are_listed_and_tell_the_body_fat(users: SubgraphUnderTest, token: str) -> None:
    await ask(users, token, LOG, input={"weightKg": 80})
    key = {"idempotencyKey": "waist-1"}
    first = (await ask(users, token, MEASURE, input={"kind": "WAIST", "valueCm": 90} | key))["logMeasurement"]
    assert first["measurement"]["value"] == {"value": 35.43, "unit": "INCH"}
    again = (await ask(users, token, MEASURE, input={"kind": "WAIST", "valueCm": 90} | key))["logMeasurement"]
    assert again == first
    await ask(users, token, MEASURE, input={"kind": "NECK", "valueCm": 40})
    refused = (await ask(users, token, MEASURE, input={"kind": "NECK", "valueCm": 4}))["logMeasurement"]
    assert refused["userErrors"] == [{"code": "VALIDATION_ERROR", "field": "valueCm"}]

    me = (await ask(users, token, MEASUREMENTS, kind=None))["me"]
    assert me["measurements"]["totalCount"] == 2
    assert [each["kind"] for each in me["measurements"]["nodes"]] == ["NECK", "WAIST"]
    assert (me["bodyComposition"]["bmi"], me["bodyComposition"]["bmiCategory"]) == (24.7, "NORMAL")
    by_method = {each["method"]: each for each in me["bodyComposition"]["estimates"]}
    assert by_method["NAVY"]["bodyFatPercent"] == 18.46
    assert by_method["NAVY"]["leanMassKg"] == 65.23
    waists = (await ask(users, token, MEASUREMENTS, kind="WAIST"))["me"]["measurements"]
    assert [each["valueCm"] for each in waists["nodes"]] == [90.0]

    delete = "mutation ($id: ID!) { deleteMeasurement(input: {id: $id}) { deletedId user { bmi } } }"
    deleted = await ask(users, token, delete, id=first["measurement"]["id"])
    assert deleted["deleteMeasurement"]["deletedId"] == first["measurement"]["id"]
    me = (await ask(users, token, MEASUREMENTS, kind="WAIST"))["me"]
    assert me["measurements"]["nodes"] == []
    assert "NAVY" not in {each["method"] for each in me["bodyComposition"]["estimates"]}


async def told_since(users: SubgraphUnderTest, seq: int) -> list[Any]:
    """The payloads of the events after one of the outbox."""
    async with users.database.reading() as connection:
        rows = await connection.scalars(text("SELECT value FROM outbox WHERE seq > :seq ORDER BY seq"), {"seq": seq})
        return [read_payload(decode_envelope(value)) for value in rows]


async def newest_event(users: SubgraphUnderTest) -> int:
    async with users.database.reading() as connection:
        return int(await connection.scalar(text("SELECT coalesce(max(seq), 0) FROM outbox")) or 0)


async def test_measurements_and_muscle_are_told_and_those_of_before_once(users: SubgraphUnderTest, token: str) -> None:
    before = await newest_event(users)
    made = (await ask(users, token, MEASURE, input={"kind": "CHEST", "valueCm": 101.5}))["logMeasurement"][
        "measurement"
    ]
    delete = "mutation ($id: ID!) { deleteMeasurement(input: {id: $id}) { deletedId } }"
    await ask(users, token, delete, id=made["id"])
    await ask(users, token, LOG, input={"weightKg": 80, "muscleMassKg": 35.5})
    logged, deleted, weighed = await told_since(users, before)
    assert isinstance(logged, MeasurementLogged)
    assert (logged.entry_id, logged.kind, float(logged.value_cm)) == (made["id"], "CHEST", 101.5)
    assert isinstance(deleted, MeasurementDeleted)
    assert isinstance(weighed, WeightLogged)
    assert float(weighed.muscle_mass_kg or 0) == 35.5

    untold = (await ask(users, token, MEASURE, input={"kind": "NECK", "valueCm": 38}))["logMeasurement"]["measurement"]
    async with users.database.transaction() as transaction:
        forget = text("DELETE FROM outbox WHERE aggregate_id = :id")
        await transaction.execute(forget, {"id": untold["id"]})
    before = await newest_event(users)
    async with users.database.transaction() as transaction:
        assert await commands.tell_untold_measurements(transaction, 10) == 1
        assert await commands.tell_untold_measurements(transaction, 10) == 0
    (again,) = await told_since(users, before)
    assert (again.entry_id, float(again.value_cm)) == (untold["id"], 38.0)


async def test_a_person_has_so_many_measurements_and_no_more(
    users: SubgraphUnderTest, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MOST_MEASUREMENTS", 0)
    refused = (await ask(users, token, MEASURE, input={"kind": "HIP", "valueCm": 100}))["logMeasurement"]
    assert refused["userErrors"] == [{"code": "CONFLICT", "field": None}]


async def test_a_person_has_so_many_weighings_and_no_more(
    users: SubgraphUnderTest, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"weightKg": 82, "idempotencyKey": "weighing-of-the-quota"}
    logged = (await ask(users, token, LOG, input=key))["logWeight"]
    assert logged["userErrors"] == []
    monkeypatch.setattr(weight_commands, "MOST_WEIGHINGS", 1)
    refused = (await ask(users, token, LOG, input={"weightKg": 82}))["logWeight"]
    assert refused["userErrors"] == [{"code": "CONFLICT", "field": None}]
    again = (await ask(users, token, LOG, input=key))["logWeight"]
    assert again == logged, "what was logged already is answered as before"
