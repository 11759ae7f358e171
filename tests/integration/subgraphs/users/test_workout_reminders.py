"""A planned workout is reminded of once, before its time, while it is still to be done; whatever comes twice, late or in another order."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from events.audit import Audit
from events.contracts.workouts import (
    PlannedWorkoutBegun,
    PlannedWorkoutCancelled,
    PlannedWorkoutChanged,
    PlannedWorkoutFreed,
    PlannedWorkoutSkipped,
    PlannedWorkoutState,
    WorkoutPlanned,
)
from events.envelope import Payload
from events.outbox import NewEvent, append_event
from events.retention import forget_in_batches
from events.sources import Sources
from subgraphs.users.commands.reminder_delivery import remind_some, remind_some_of_workouts
from subgraphs.users.commands.workout_reminder import forget_plans
from subgraphs.users.domain.notification_preference import WorkoutReminders
from subgraphs.users.domain.workout_reminder import MOST_SHOWN, workout_due
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.projections.planned_workout import subscription
from subgraphs.users.schema import schema
from tests.testkit import accounts
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test, user_errors

TODAY = date(2026, 3, 23)
#: A Monday, noon in Berlin.
NOON = datetime(2026, 3, 23, 11, tzinfo=UTC)
#: Half an hour before six in the evening, there.
TIME = datetime(2026, 3, 23, 16, 30, tzinfo=UTC)
TOLD = "{ me { notifications(first: 100) { nodes { kind detail subjectId title body } } } }"
NEXT = "{ me { workoutReminders { plannedWorkoutId name date timeOfDay at } } }"
MOVE = "mutation ($zone: TimeZone!) { updateSettings(input: { timeZone: $zone }) { userErrors { code } } }"
CHOOSE = """mutation ($input: UpdateNotificationPreferencesInput!) { updateNotificationPreferences(input: $input) {
  preferences { workoutReminderMinutes workoutReminderTime quietStart version } userErrors { code field } } }"""
TRAIN = """mutation { createReminder(input: { kind: TRAIN, timeOfDay: "17:30", weekdays: [MONDAY, TUESDAY] }) {
  reminder { id } userErrors { code } } }"""
LEGS = "TRAIN 2026-03-23 18:00 Legs"


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("users_workout_reminders")
    async with subgraph_under_test("users", url, schema, UsersLoaders) as subgraph:
        yield subgraph


Clock = Callable[[datetime], None]


@pytest.fixture
def clock(users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the subgraph's clock, at first to NOON."""

    def put(moment: datetime) -> None:
        monkeypatch.setattr(users.resources, "now", lambda: moment)

    put(NOON)
    return put


@pytest.fixture
async def person(users: SubgraphUnderTest) -> str:
    """Somebody in Berlin; nobody else has anything that is due."""
    async with users.database.transaction() as transaction:
        await transaction.execute(text("DELETE FROM reminder"))
        await transaction.execute(text("DELETE FROM plan_ahead"))
    return await accounts.an_account(users, time_zone="Europe/Berlin")


async def tell(users: SubgraphUnderTest, person: str, payload: Payload, version: int = 1, thing: str = "") -> None:
    """Hand an event of a plan to the group, as this version of it."""
    group = subscription(None, users.resources.now)
    await accounts.tell(users, person, payload, version=version, thing=thing, to=group)


def state(
    kind: type[PlannedWorkoutState] = WorkoutPlanned, person: str = "", thing: str = "", **more: Any
) -> PlannedWorkoutState:
    given: dict[str, Any] = {"name": "Legs", "local_date": TODAY, "time_of_day": time(18)} | more
    return kind(planned_id=f"{person}-planned_workout{thing}", **given)


def gone(person: str) -> PlannedWorkoutCancelled:
    return PlannedWorkoutCancelled(planned_id=f"{person}-planned_workout", local_date=TODAY)


async def plan(users: SubgraphUnderTest, person: str, thing: str = "", **more: Any) -> str:
    """The id of a plan that is told to be new: of Legs at six, if nothing else is said."""
    await tell(users, person, state(person=person, thing=thing, **more), thing=thing)
    return f"{person}-planned_workout{thing}"


async def told(users: SubgraphUnderTest, person: str) -> list[str]:
    """The details of the reminders, in the order in which they came."""
    return [each["detail"] for each in (await users.data(TOLD, person))["me"]["notifications"]["nodes"][::-1]]


async def ahead(users: SubgraphUnderTest, person: str) -> list[dict[str, Any]]:
    return list((await users.data(NEXT, person))["me"]["workoutReminders"])


async def choose(users: SubgraphUnderTest, person: str, **given: Any) -> Any:
    return (await users.data(CHOOSE, person, {"input": given}))["updateNotificationPreferences"]


async def test_a_planned_workout_is_reminded_of_half_an_hour_before_it_and_once(
    users: SubgraphUnderTest, clock: Clock, person: str
) -> None:
    planned = await plan(users, person)
    assert await ahead(users, person) == [
        {
            "plannedWorkoutId": planned,
            "name": "Legs",
            "date": "2026-03-23",
            "timeOfDay": "18:00",
            "at": "2026-03-23T16:30:00Z",
        }
    ]
    clock(TIME - timedelta(seconds=1))
    assert await remind_some_of_workouts(users.resources) == 0
    clock(TIME)
    assert await remind_some_of_workouts(users.resources) == 1
    assert await remind_some_of_workouts(users.resources) == 0
    (shown,) = (await users.data(TOLD, person))["me"]["notifications"]["nodes"]
    assert shown == {
        "kind": "REMINDER",
        "detail": LEGS,
        "subjectId": planned,
        "title": "Planned: Legs",
        "body": "For 18:00 on 2026-03-23.",
    }
    assert await ahead(users, person) == []


async def test_many_processes_and_one_that_dies_before_its_commit_remind_once(
    users: SubgraphUnderTest, clock: Clock, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        await plan(users, person, f"-{number}")
    clock(TIME)
    with monkeypatch.context() as broken:

        async def die(*_: object) -> set[str]:
            raise ConnectionError

        broken.setattr("subgraphs.users.commands.workout_reminder_delivery.notify", die)
        with pytest.raises(ConnectionError):
            await remind_some_of_workouts(users.resources)
    assert await told(users, person) == []
    handled = await asyncio.gather(*(remind_some_of_workouts(users.resources) for _ in range(6)))
    assert (sum(handled), await told(users, person)) == (5, [LEGS] * 5)


@pytest.mark.parametrize(
    "change",
    [
        lambda person: state(PlannedWorkoutSkipped, person, is_skipped=True),
        lambda person: state(PlannedWorkoutBegun, person, has_begun=True),
        gone,
    ],
)
async def test_what_is_skipped_begun_or_taken_back_is_not_reminded_of(
    users: SubgraphUnderTest, clock: Clock, person: str, change: Callable[[str], Payload]
) -> None:
    await plan(users, person)
    await tell(users, person, change(person), version=3)
    await tell(
        users, person, state(PlannedWorkoutChanged, person, name="Late"), version=2
    )  # what is older changes nothing
    assert await ahead(users, person) == []
    clock(TIME)
    assert (await remind_some_of_workouts(users.resources), await told(users, person)) == (0, [])


async def test_what_is_to_be_done_after_all_is_reminded_of_and_what_was_given_up_late_is_not(
    users: SubgraphUnderTest, clock: Clock, person: str
) -> None:
    await plan(users, person)
    await tell(users, person, state(PlannedWorkoutSkipped, person, is_skipped=True), version=2)
    await tell(users, person, state(PlannedWorkoutSkipped, person), version=3)
    clock(TIME)
    await remind_some_of_workouts(users.resources)
    assert await told(users, person) == [LEGS]
    clock(TIME + timedelta(minutes=20))
    await tell(users, person, state(PlannedWorkoutBegun, person, has_begun=True), version=4)
    await tell(users, person, state(PlannedWorkoutFreed, person), version=5)  # begun, and given up at once
    assert await remind_some_of_workouts(users.resources) == 0
    await plan(users, person, "-new", name="Run")  # ten minutes before its time
    assert (await remind_some_of_workouts(users.resources), await ahead(users, person)) == (0, [])
    assert await told(users, person) == [LEGS]


async def test_what_is_moved_is_reminded_of_at_its_new_time_and_never_twice_of_one(
    users: SubgraphUnderTest, clock: Clock, person: str
) -> None:
    await plan(users, person)
    clock(TIME)
    await remind_some_of_workouts(users.resources)
    await tell(users, person, state(PlannedWorkoutChanged, person, time_of_day=time(20)), version=2)
    await tell(users, person, state(PlannedWorkoutChanged, person, time_of_day=time(20), name="Long legs"), version=3)
    clock(TIME + timedelta(hours=2))
    await remind_some_of_workouts(users.resources)
    await tell(users, person, state(PlannedWorkoutChanged, person, time_of_day=time(20), name="Legs"), version=4)
    tomorrow = TODAY + timedelta(days=1)
    await tell(users, person, state(PlannedWorkoutChanged, person, local_date=tomorrow, time_of_day=None), version=5)
    clock(datetime(2026, 3, 24, 7, tzinfo=UTC))
    await remind_some_of_workouts(users.resources)
    assert await told(users, person) == [LEGS, "TRAIN 2026-03-23 20:00 Long legs", "TRAIN 2026-03-24 - Legs"]


async def test_what_came_late_is_sent_for_an_hour_or_until_the_workout_begins(
    users: SubgraphUnderTest, clock: Clock, person: str
) -> None:
    await plan(users, person, "-1", name="Old", time_of_day=time(14))
    await plan(users, person, "-2", name="Hour", time_of_day=time(15))
    await choose(users, person, workoutReminderMinutes=300)
    await plan(users, person, "-3", name="Evening", time_of_day=time(19))
    clock(datetime(2026, 3, 23, 14, 15, tzinfo=UTC))  # a quarter past three: all processes were away since noon
    assert await remind_some_of_workouts(users.resources) >= 1
    assert await told(users, person) == ["TRAIN 2026-03-23 19:00 Evening"]


async def test_whoever_moves_is_reminded_by_the_new_clock_and_of_no_plan_twice(
    users: SubgraphUnderTest, clock: Clock, person: str
) -> None:
    await plan(users, person)
    await plan(users, person, "-next", local_date=date(2026, 3, 29), name="Run")  # clocks in Europe have gone forward
    await users.data(MOVE, person, {"zone": "America/New_York"})
    assert [each["at"] for each in await ahead(users, person)] == ["2026-03-23T21:30:00Z", "2026-03-29T21:30:00Z"]
    await users.data(MOVE, person, {"zone": "Europe/Berlin"})
    assert [each["at"] for each in await ahead(users, person)] == ["2026-03-23T16:30:00Z", "2026-03-29T15:30:00Z"]
    clock(TIME)
    await remind_some_of_workouts(users.resources)
    await users.data(MOVE, person, {"zone": "America/New_York"})  # where six comes again
    clock(datetime(2026, 3, 23, 21, 30, tzinfo=UTC))
    await remind_some_of_workouts(users.resources)
    assert await told(users, person) == [LEGS]
    await users.data(MOVE, person, {"zone": "Asia/Tokyo"})  # to the 24th, in the morning
    assert await remind_some_of_workouts(users.resources) == 0


async def test_preferences_say_when_and_whether(users: SubgraphUnderTest, clock: Clock, person: str) -> None:
    await plan(users, person)
    await plan(users, person, "-any", time_of_day=None, name="Any", local_date=TODAY + timedelta(days=1))
    assert [each["at"] for each in await ahead(users, person)] == ["2026-03-23T16:30:00Z", "2026-03-24T07:00:00Z"]
    chosen = await choose(users, person, workoutReminderMinutes=90, workoutReminderTime="06:15")
    assert chosen["preferences"]["workoutReminderMinutes"] == 90
    assert chosen["preferences"]["workoutReminderTime"] == "06:15"
    assert [each["at"] for each in await ahead(users, person)] == ["2026-03-23T15:30:00Z", "2026-03-24T05:15:00Z"]
    await choose(users, person, workoutReminderMinutes=None)
    assert [each["name"] for each in await ahead(users, person)] == ["Any"]
    await choose(users, person, workoutReminderTime=None)
    assert await ahead(users, person) == []
    clock(TIME)
    assert await remind_some_of_workouts(users.resources) == 0
    for minutes in (-1, 1_441):
        refused = await users.run(CHOOSE, person, {"input": {"workoutReminderMinutes": minutes}})
        assert user_errors(refused) == [{"code": "VALIDATION_ERROR", "field": "workoutReminderMinutes"}]
    await choose(users, person, workoutReminderMinutes=0)
    assert [each["at"] for each in await ahead(users, person)] == ["2026-03-23T17:00:00Z"]


async def test_in_the_quiet_it_waits_and_what_begins_in_it_is_in_the_list_only(
    users: SubgraphUnderTest, clock: Clock, person: str
) -> None:
    await accounts_browser(users, person)
    await choose(users, person, quietStart="17:00", quietEnd="17:45")
    await plan(users, person)
    await plan(users, person, "-early", time_of_day=time(17, 40), name="Early")
    assert [(each["name"], each["at"]) for each in await ahead(users, person)] == [
        ("Early", "2026-03-23T16:10:00Z"),
        ("Legs", "2026-03-23T16:45:00Z"),
    ]
    for minutes, pushes in ((10, []), (45, ["Legs"])):
        clock(datetime(2026, 3, 23, 16, minutes, tzinfo=UTC))
        assert await remind_some_of_workouts(users.resources) == 1
        assert await waiting_pushes(users, person) == pushes
    assert await told(users, person) == ["TRAIN 2026-03-23 17:40 Early", LEGS]


async def accounts_browser(users: SubgraphUnderTest, person: str) -> None:
    """A browser of the person that takes push messages."""
    async with users.database.transaction() as transaction:
        await transaction.execute(
            text(
                "INSERT INTO push_subscription (id, user_id, endpoint, p256dh, auth, session_id, created_at)"
                " VALUES (:id, :id, :id, '', '', 's', now())"
            ),
            {"id": person},
        )


async def waiting_pushes(users: SubgraphUnderTest, person: str) -> list[str]:
    """The names of the plans that wait to be told to the browser."""
    statement = text(
        "SELECT split_part(detail, ' ', 4) FROM pending_push JOIN notification ON notification.id = notification_id"
        " WHERE user_id = :id ORDER BY due_at"
    )
    async with users.database.reading() as connection:
        return [str(each) for each in await connection.scalars(statement, {"id": person})]


async def test_a_day_with_a_planned_workout_has_no_reminder_of_its_weekday(
    users: SubgraphUnderTest, clock: Clock, person: str
) -> None:
    await users.data(TRAIN, person)
    await plan(users, person)
    clock(TIME)
    assert await remind_some(users.resources) == 1
    await remind_some_of_workouts(users.resources)
    assert await told(users, person) == [LEGS]
    clock(TIME + timedelta(days=1))  # nothing is planned for Tuesday
    await remind_some(users.resources)
    assert await told(users, person) == [LEGS, "TRAIN"]
    clock(NOON + timedelta(days=7))
    await plan(users, person, "-monday", local_date=TODAY + timedelta(days=7))
    await choose(users, person, workoutReminderMinutes=None)  # who wants none of planned workouts keeps the weekday's
    clock(datetime(2026, 3, 30, 15, 30, tzinfo=UTC))
    await remind_some(users.resources)
    assert await told(users, person) == [LEGS, "TRAIN", "TRAIN"]


async def test_what_is_past_is_not_kept_and_a_suspended_or_erased_person_hears_nothing(
    users: SubgraphUnderTest, clock: Clock, person: str
) -> None:
    await plan(users, person, "-past", local_date=TODAY - timedelta(days=3))
    await plan(users, "nobody any more")
    await plan(users, person)
    async with users.database.transaction() as transaction:
        assert (await transaction.scalars(text("SELECT user_id FROM plan_ahead"))).all() == [person]
        await transaction.execute(text("UPDATE account SET status = 'SUSPENDED' WHERE id = :id"), {"id": person})
    clock(TIME)
    assert await remind_some_of_workouts(users.resources) == 1
    async with users.database.transaction() as transaction:
        assert (
            await transaction.scalar(text("SELECT count(*) FROM notification WHERE user_id = :id"), {"id": person}) == 0
        )
        await transaction.execute(text("UPDATE plan_ahead SET local_date = current_date - 3"))
    assert await forget_in_batches(users.database.transaction, forget_plans) == 1
    await plan(users, person, "-more")
    async with users.database.transaction() as transaction:
        await transaction.execute(text("DELETE FROM account WHERE id = :id"), {"id": person})
        assert await transaction.scalar(text("SELECT count(*) FROM plan_ahead")) == 0


async def test_news_beside_a_change_of_the_clock_follow_the_newest_clock_and_ten_are_shown(
    users: SubgraphUnderTest, clock: Clock, person: str
) -> None:
    for turn in range(3):
        zones = [*("Asia/Tokyo", "Europe/Berlin", "America/New_York")[turn:], "Asia/Kolkata"]
        days = [TODAY + timedelta(days=4 * turn + offset) for offset in range(1, 5)]
        plans = [plan(users, person, f"-{day}", local_date=day) for day in days]
        moves = [users.data(MOVE, person, {"zone": zone}) for zone in zones]
        await asyncio.gather(*(each for pair in zip(plans, moves, strict=False) for each in pair), *plans[len(moves) :])
    async with users.database.reading() as connection:
        zone = await connection.scalar(text("SELECT time_zone FROM account WHERE id = :id"), {"id": person})
        rows = (
            await connection.execute(text("SELECT local_date, remind_at FROM plan_ahead ORDER BY local_date"))
        ).all()
    due = [workout_due(day, time(18), str(zone), WorkoutReminders(), None) for day, _ in rows]
    assert [remind_at for _, remind_at in rows] == [each and each.at for each in due]
    assert (len(rows), len(await ahead(users, person))) == (12, MOST_SHOWN)


async def test_the_group_is_compared_with_its_source_and_made_anew_without_a_second_reminder(
    users: SubgraphUnderTest, clock: Clock, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.audit.SETTLE_SECONDS", 0.01)
    await plan(users, person)
    await plan(users, person, "-lost", name="Lost")
    async with users.database.transaction() as transaction:  # whose outbox stands for that of workouts
        for thing in ("", "-lost", "-more"):
            payload = state(person=person, thing=thing, name=thing or "Legs")
            event = NewEvent(
                payload=payload, aggregate_id=payload.planned_id, version=2, user_id=person, occurred_at=NOON
            )
            await append_event(transaction, event)
    sources = Sources({"workouts": users.database.writer})
    audit = Audit(subscription(None, users.resources.now), users.database.writer, sources)
    differences = await audit.differences_of(person)
    assert sorted((each.found is None, each.expected is None) for each in differences) == [
        (False, True),  # Lost
        (True, False),  # -lost
        (True, False),  # -more
    ]
    clock(TIME)
    await remind_some_of_workouts(users.resources)
    before = await told(users, person)
    assert sorted(before) == [LEGS, "TRAIN 2026-03-23 18:00 Lost"]
    await audit.rebuild(person)
    assert await audit.differences_of(person) == []
    while await remind_some_of_workouts(users.resources):
        pass
    assert sorted(await told(users, person)) == sorted([*before, "TRAIN 2026-03-23 18:00 -more"])
