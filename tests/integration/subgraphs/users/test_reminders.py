"""Reminders come when it is time, once, whoever runs the loop; and not for what is done already."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from events.consumer import project_newer
from events.contracts.nutrition import MealDeleted, MealLogged, MealUpdated, Nutrients, WaterLogged
from events.contracts.workouts import WorkoutCancelled, WorkoutStarted
from events.envelope import Aggregate, Envelope, Payload, encode_payload
from events.retention import forget_in_batches
from subgraphs.users.commands.logged_entry import forget_logged
from subgraphs.users.commands.reminder_delivery import remind_people, remind_some, tell_some_reports
from subgraphs.users.domain.reminder import MOST_LATE, MOST_REMINDERS
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.projections.notification import subscription
from subgraphs.users.schema import schema
from tests.testkit.accounts import an_account
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

EVERY_DAY = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
CREATE = """mutation ($input: CreateReminderInput!) { createReminder(input: $input) {
  reminder { id kind timeOfDay weekdays isOn nextAt version } userErrors { code field } } }"""
UPDATE = """mutation ($input: UpdateReminderInput!) { updateReminder(input: $input) {
  reminder { id timeOfDay weekdays isOn nextAt version } userErrors { code field } } }"""
DELETE = "mutation ($id: ID!) { deleteReminder(input: { id: $id }) { deletedId userErrors { code } } }"
LIST = "{ me { reminders { id kind timeOfDay nextAt isOn } } }"
TOLD = "{ me { notifications(first: 100) { nodes { kind detail subjectId createdAt } } } }"
MOVE = "mutation ($zone: TimeZone!) { updateSettings(input: { timeZone: $zone }) { userErrors { code } } }"
WEIGH = "mutation { logWeight(input: { weightKg: 80 }) { userErrors { code } } }"
NOTHING = Nutrients(energy_kcal=1, protein_g=0, carbs_g=0, fat_g=0)
#: A Monday, five minutes before eight in Berlin.
MORNING = datetime(2026, 3, 23, 6, 55, tzinfo=UTC)


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("users_reminders")
    async with subgraph_under_test("users", url, schema, UsersLoaders) as subgraph:
        yield subgraph


@pytest.fixture
def clock(users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Sets the subgraph's clock, at first to MORNING."""

    def put(moment: datetime) -> None:
        monkeypatch.setattr(users.resources, "now", lambda: moment)

    put(MORNING)
    return put


@pytest.fixture
async def person(users: SubgraphUnderTest) -> str:
    """Somebody in Berlin; nobody else has reminders that are due."""
    async with users.database.transaction() as transaction:
        await transaction.execute(text("DELETE FROM reminder"))
        await transaction.execute(text("DELETE FROM report_due"))
    return await an_account(users, time_zone="Europe/Berlin")


async def create(users: SubgraphUnderTest, person: str, clock: str = "08:00", **more: Any) -> dict[str, Any]:
    given = {"kind": "LOG_BREAKFAST", "timeOfDay": clock, "weekdays": EVERY_DAY} | more
    return dict((await users.data(CREATE, person, {"input": given}))["createReminder"]["reminder"])


async def told(users: SubgraphUnderTest, person: str) -> list[tuple[str, str]]:
    """Kind and detail of what the person was told, in the order in which it was."""
    nodes = (await users.data(TOLD, person))["me"]["notifications"]["nodes"]
    return [(each["kind"], each["detail"]) for each in nodes[::-1]]


async def tell(users: SubgraphUnderTest, person: str, *payloads: Payload, version: int = 1) -> None:
    """Hand events to the consumer group as this version of an aggregate of their kind."""
    now = users.resources.now()
    envelopes = [
        Envelope(
            event_id=f"{person}-{number}",
            type=type(payload).__name__,
            schema_version=1,
            aggregate=Aggregate(payload.aggregate_type, f"{person}-{payload.aggregate_type}", version),
            user_id=person,
            occurred_at=now,
            recorded_at=now,
            tombstone=payload.tombstone,
            payload=encode_payload(payload),
        )
        for number, payload in enumerate(payloads)
    ]
    async with users.database.transaction() as connection:
        await project_newer(subscription(None, users.resources.now), connection, envelopes)


def meal(
    kind: type[MealLogged] | type[MealUpdated] = MealLogged, day: str = "2026-03-23", slot: str = "BREAKFAST"
) -> Any:
    return kind(meal_id="m", slot=slot, at=MORNING, local_date=date.fromisoformat(day), items=(), totals=NOTHING)


def workout(kind: Any, status: str) -> Any:
    return kind(workout_id="w", name="Legs", status=status, local_date=MORNING.date(), started_at=MORNING)


async def test_a_reminder_comes_at_its_time_and_once_a_day(
    users: SubgraphUnderTest, clock: Callable[[datetime], None], person: str
) -> None:
    made = await create(users, person)
    assert made == {
        "id": made["id"],
        "kind": "LOG_BREAKFAST",
        "timeOfDay": "08:00",
        "weekdays": EVERY_DAY,
        "isOn": True,
        "nextAt": "2026-03-23T07:00:00Z",
        "version": 1,
    }
    assert await remind_some(users.resources) == 0
    clock(MORNING + timedelta(minutes=5))
    assert await remind_some(users.resources) == 1
    assert await remind_some(users.resources) == 0
    assert await told(users, person) == [("REMINDER", "LOG_BREAKFAST")]
    (listed,) = (await users.data(LIST, person))["me"]["reminders"]
    assert listed["nextAt"] == "2026-03-24T07:00:00Z"
    for day in range(1, 8):  # over the change of summer time on Sunday
        clock(datetime(2026, 3, 23 + day, 7, tzinfo=UTC))
        await remind_some(users.resources)
    assert len(await told(users, person)) == 8
    (listed,) = (await users.data(LIST, person))["me"]["reminders"]
    assert listed["nextAt"] == "2026-03-31T06:00:00Z"


async def test_two_instances_and_one_that_dies_before_its_commit_send_once(
    users: SubgraphUnderTest, clock: Callable[[datetime], None], person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        await create(users, person)
    clock(MORNING + timedelta(minutes=6))
    with monkeypatch.context() as broken:

        async def die(*_: object) -> None:
            raise ConnectionError

        broken.setattr("subgraphs.users.commands.reminder_delivery.set_due", die)
        with pytest.raises(ConnectionError):
            await remind_some(users.resources)
    assert await told(users, person) == []
    handled = await asyncio.gather(*(remind_some(users.resources) for _ in range(6)))
    assert (sum(handled), len(await told(users, person))) == (5, 5)


async def test_what_was_missed_comes_up_to_an_hour_late_and_then_not_at_all(
    users: SubgraphUnderTest, clock: Callable[[datetime], None], person: str
) -> None:
    await create(users, person, "08:00", kind="DRINK")
    await create(users, person, "08:30", kind="TRAIN")
    clock(datetime(2026, 3, 23, 7, 30, tzinfo=UTC) + MOST_LATE)  # a process that was away since before eight
    assert await remind_some(users.resources) == 2
    assert await told(users, person) == [("REMINDER", "TRAIN")]
    clock(datetime(2026, 3, 25, 7, 20, tzinfo=UTC))  # and for a whole day: yesterday's is skipped, today's is sent
    while await remind_some(users.resources):
        pass
    assert await told(users, person) == [("REMINDER", "TRAIN"), ("REMINDER", "DRINK")]


async def test_what_is_done_already_needs_no_reminder(
    users: SubgraphUnderTest, clock: Callable[[datetime], None], person: str
) -> None:
    for kind in ("LOG_BREAKFAST", "LOG_LUNCH", "DRINK", "WEIGH_IN", "TRAIN"):
        await create(users, person, kind=kind)
    drink = WaterLogged(entry_id="d", amount_ml=200, at=MORNING, local_date=MORNING.date())
    await tell(users, person, meal(), drink, workout(WorkoutStarted, "IN_PROGRESS"))
    await users.data(WEIGH, person)
    clock(MORNING + timedelta(minutes=5))
    assert await remind_some(users.resources) == 5
    assert await told(users, person) == [("REMINDER", "LOG_LUNCH")]


async def test_what_is_taken_back_or_of_another_day_counts_no_more(
    users: SubgraphUnderTest, clock: Callable[[datetime], None], person: str
) -> None:
    await create(users, person)
    await create(users, person, kind="TRAIN")
    await tell(users, person, meal(), workout(WorkoutStarted, "IN_PROGRESS"))
    await tell(users, person, meal(MealUpdated, slot="SNACK"), workout(WorkoutCancelled, "CANCELLED"), version=2)
    clock(MORNING + timedelta(minutes=5))
    await remind_some(users.resources)
    assert sorted(await told(users, person)) == [("REMINDER", "LOG_BREAKFAST"), ("REMINDER", "TRAIN")]
    for day, payload in enumerate(
        (meal(MealUpdated, "2026-03-20"), MealDeleted(meal_id="m", local_date=date(2026, 3, 20)))
    ):
        await tell(users, person, payload, version=3 + day)
        clock(MORNING + timedelta(days=1 + day, minutes=5))
        await remind_some(users.resources)
    assert len(await told(users, person)) == 6
    async with users.database.transaction() as transaction:
        await transaction.execute(
            text(
                "INSERT INTO logged_entry VALUES ('old', :id, 'WATER', current_date - 11), ('new', :id, 'WATER', current_date)"
            ),
            {"id": person},
        )
    assert await forget_in_batches(users.database.transaction, forget_logged) >= 1
    async with users.database.reading() as connection:
        left = await connection.scalars(text("SELECT entry_id FROM logged_entry WHERE user_id = :id"), {"id": person})
        assert left.all() == ["new"]


async def test_whoever_moves_is_reminded_by_the_new_clock_and_of_no_day_twice(
    users: SubgraphUnderTest, clock: Callable[[datetime], None], person: str
) -> None:
    await create(users, person)
    clock(MORNING + timedelta(minutes=5))
    await remind_some(users.resources)
    await users.data(MOVE, person, {"zone": "America/New_York"})  # where it is three in the morning of the same day
    (listed,) = (await users.data(LIST, person))["me"]["reminders"]
    assert listed["nextAt"] == "2026-03-24T12:00:00Z"
    clock(datetime(2026, 3, 24, 11, 30, tzinfo=UTC))  # half an hour before: whoever moves east skips the hour
    await users.data(MOVE, person, {"zone": "America/Halifax"})
    assert await remind_some(users.resources) == 1
    assert len(await told(users, person)) == 2
    clock(datetime(2026, 3, 25, 10, 30, tzinfo=UTC))
    await users.data(MOVE, person, {"zone": "Asia/Tokyo"})  # half past seven in the evening: too late for this day
    (listed,) = (await users.data(LIST, person))["me"]["reminders"]
    assert listed["nextAt"] == "2026-03-25T23:00:00Z"
    assert await remind_some(users.resources) == 0


async def test_a_change_counts_anew_and_one_that_is_off_says_nothing(
    users: SubgraphUnderTest, clock: Callable[[datetime], None], person: str
) -> None:
    made = await create(users, person)
    clock(MORNING + timedelta(minutes=5))
    await remind_some(users.resources)
    change = {"id": made["id"], "timeOfDay": "08:30", "weekdays": ["MONDAY"], "expectedVersion": 1}
    changed = (await users.data(UPDATE, person, {"input": change}))["updateReminder"]["reminder"]
    assert (changed["nextAt"], changed["version"]) == ("2026-03-23T07:30:00Z", 2)
    assert await users.codes(UPDATE, person, {"input": change}) == ["STALE_VERSION"]
    clock(MORNING + timedelta(minutes=40))
    await remind_some(users.resources)
    assert len(await told(users, person)) == 2
    off = (await users.data(UPDATE, person, {"input": {"id": made["id"], "isOn": False}}))["updateReminder"]["reminder"]
    assert (off["isOn"], off["nextAt"]) == (False, None)
    await users.data(MOVE, person, {"zone": "Asia/Tokyo"})
    clock(MORNING + timedelta(days=7, minutes=40))
    assert await remind_some(users.resources) == 0
    on = (await users.data(UPDATE, person, {"input": {"id": made["id"], "isOn": True}}))["updateReminder"]["reminder"]
    assert on["nextAt"] == "2026-04-05T23:30:00Z"
    await users.data(DELETE, person, {"id": made["id"]})
    assert (await users.data(LIST, person))["me"]["reminders"] == []
    assert await users.codes(DELETE, person, {"id": made["id"]}) == ["NOT_FOUND"]


async def test_what_is_wrong_is_told_with_its_place_and_a_key_makes_one(
    users: SubgraphUnderTest, clock: Callable[[datetime], None], person: str
) -> None:
    given = {"kind": "DRINK", "timeOfDay": "10:00", "weekdays": ["MONDAY"], "idempotencyKey": "once"}
    assert await create(users, person, **given) == await create(users, person, **given)
    assert await users.codes(CREATE, person, {"input": given | {"timeOfDay": "11:00"}}) == ["CONFLICT"]
    assert await users.codes(CREATE, person, {"input": given | {"weekdays": []}}) == ["VALIDATION_ERROR"]
    for wrong in ("24:00", "7:30", "07:30:01", "noon", 730):
        refused = await users.run(CREATE, person, {"input": given | {"timeOfDay": wrong}})
        assert "LocalTime" in str(refused.errors)
    for _ in range(MOST_REMINDERS - 1):
        await create(users, person)
    assert await users.codes(CREATE, person, {"input": given | {"idempotencyKey": "more"}}) == ["CONFLICT"]
    assert await users.codes(UPDATE, person, {"input": {"id": "another's"}}) == ["NOT_FOUND"]
    assert await users.codes(UPDATE, person, {"input": {"id": "x", "timeOfDay": None}}) == ["VALIDATION_ERROR"]


async def test_a_suspended_person_is_reminded_of_nothing(
    users: SubgraphUnderTest, clock: Callable[[datetime], None], person: str
) -> None:
    await create(users, person)
    async with users.database.transaction() as transaction:
        await transaction.execute(text("UPDATE account SET status = 'SUSPENDED' WHERE id = :id"), {"id": person})
    clock(MORNING + timedelta(minutes=5))
    assert (await remind_some(users.resources), await told(users, person)) == (1, [])


async def test_the_report_of_a_week_with_entries_is_told_once_on_the_morning_after_it(
    users: SubgraphUnderTest, clock: Callable[[datetime], None], person: str
) -> None:
    await tell(users, person, meal())
    await tell(users, person, meal(MealUpdated, "2026-03-24"), version=2)
    clock(datetime(2026, 3, 30, 5, 59, tzinfo=UTC))
    assert await tell_some_reports(users.resources) == 0
    clock(datetime(2026, 3, 30, 6, tzinfo=UTC))
    assert await asyncio.gather(*(tell_some_reports(users.resources) for _ in range(3))) in (
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
    )
    await tell(users, person, meal(MealUpdated, "2026-03-27"), version=3)  # a late entry of that week
    clock(datetime(2026, 3, 31, 6, tzinfo=UTC))
    assert (await tell_some_reports(users.resources), await told(users, person)) == (
        0,
        [("WEEKLY_REPORT_READY", "2026-03-23")],
    )


async def test_what_is_logged_before_the_report_of_the_last_week_takes_its_place_only_when_it_was_told(
    users: SubgraphUnderTest, clock: Callable[[datetime], None], person: str
) -> None:
    await tell(users, person, meal())
    clock(datetime(2026, 3, 30, 5, tzinfo=UTC))  # Monday at seven: the report comes at eight
    monday = datetime(2026, 3, 30, tzinfo=UTC)
    await tell(users, person, WaterLogged(entry_id="w", amount_ml=250, at=monday, local_date=monday.date()))
    clock(datetime(2026, 3, 30, 6, tzinfo=UTC))
    assert (await tell_some_reports(users.resources), await told(users, person)) == (
        1,
        [("WEEKLY_REPORT_READY", "2026-03-23")],
    )
    clock(datetime(2026, 4, 6, 5, 59, tzinfo=UTC))
    assert await tell_some_reports(users.resources) == 0
    clock(datetime(2026, 4, 6, 6, tzinfo=UTC))
    assert await tell_some_reports(users.resources) == 1
    assert sorted(await told(users, person)) == [
        ("WEEKLY_REPORT_READY", "2026-03-23"),
        ("WEEKLY_REPORT_READY", "2026-03-30"),
    ]


async def test_a_week_that_was_taken_back_has_no_report_and_one_of_a_mover_follows_the_clock(
    users: SubgraphUnderTest, clock: Callable[[datetime], None], person: str
) -> None:
    await tell(users, person, meal())
    await users.data(MOVE, person, {"zone": "Asia/Tokyo"})
    await tell(users, person, MealDeleted(meal_id="m", local_date=MORNING.date()), version=2)
    clock(datetime(2026, 3, 29, 22, 59, tzinfo=UTC))
    assert await tell_some_reports(users.resources) == 0
    clock(datetime(2026, 3, 29, 23, tzinfo=UTC))
    assert await tell_some_reports(users.resources) == 1
    assert await told(users, person) == []


async def test_the_loop_goes_on_and_is_seen_in_health(
    users: SubgraphUnderTest, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subgraphs.users.commands.due.LOOK_EVERY_SECONDS", 0.02)
    await create(users, person)
    async with users.database.transaction() as transaction:
        await transaction.execute(text("UPDATE reminder SET next_at = now(), next_day = current_date"))
    running = asyncio.create_task(remind_people(replace(users.resources)))
    try:
        async with asyncio.timeout(60):
            while not await told(users, person):
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.wait([running])  # it gives its connection back before the pool is closed
    (loop,) = [each for each in users.resources.loops if each.name == "reminders"]
    assert loop.is_well
