"""Achievements follow the facts in whatever order they are told, are unlocked once, and come out the same when made anew."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import text

from events.contracts.nutrition import MealDeleted
from events.contracts.users import WeightDeleted
from events.contracts.workouts import WorkoutCompleted, WorkoutDeleted
from events.envelope import Aggregate, Envelope, Payload, encode_payload
from subgraphs.analytics.domain.achievement import CATALOGUE, DAYS_IN_A_ROW, Measure, kinds_by
from subgraphs.analytics.loaders import AnalyticsLoaders
from subgraphs.analytics.projections.summary import summary_projector, summary_rebuilder
from subgraphs.analytics.schema import schema
from subgraphs.shell.context import utc_now
from subgraphs.shell.database import Database
from tests.testkit.analytics import NOON, analytics_subgraph, meal, of_person, tell, weighing, workout
from tests.testkit.revisions import migrate_to
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

_people = count(1)
MONDAY = date(2026, 3, 2)
WORKOUTS = kinds_by(Measure.WORKOUTS)
ACHIEVEMENTS = of_person("achievements { totalCount nodes { id kind reachedOn unlockedAt } }")
PROGRESS = of_person("achievementProgress { id kind value target share timesReached }")
CREATE_GOAL = """mutation { createGoal(input: {kind: WEIGHT_KG, targetValue: 80, startDate: "2026-03-01", startValue: 90}) {
  goal { id status reachedOn } userErrors { code } } }"""
DELETE_GOAL = "mutation($id: ID!) { deleteGoal(input: {id: $id}) { deletedId userErrors { code } } }"
REOPEN_GOAL = "mutation($id: ID!) { setGoalStatus(input: {id: $id, status: ACTIVE}) { goal { status } } }"


@pytest.fixture(scope="module")
async def analytics(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with analytics_subgraph(postgres, "analytics_achievements") as subgraph:
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


def day(offset: int) -> date:
    return MONDAY + timedelta(days=offset)


def session(person: str, offset: int, number: int = 1) -> WorkoutCompleted:
    return replace(workout(person, day(offset), 300, 60), workout_id=f"{person}-{offset}-{number}")


@dataclass(frozen=True, slots=True)
class Trained:
    """A session as a person tells of it: the hour is that of a clock in Berlin."""

    offset: int
    volume_kg: int
    hour: int
    records: int

    def told_of(self, person: str, number: int) -> WorkoutCompleted:
        return replace(
            session(person, self.offset, number),
            volume_kg=Decimal(self.volume_kg),
            started_at=datetime.combine(day(self.offset), time(self.hour, 30), ZoneInfo("Europe/Berlin")),
            time_zone="Europe/Berlin",
            new_records=("Squat", "Bench press", "Row")[: self.records],
        )


async def achieved(analytics: SubgraphUnderTest, person: str) -> dict[str, str]:
    """Their days by kind."""
    return {each["kind"]: each["reachedOn"] for each in await listed(analytics, person)}


async def listed(analytics: SubgraphUnderTest, person: str) -> list[dict[str, Any]]:
    found = (await analytics.data(ACHIEVEMENTS, person, {"id": person}))["_entities"][0]["achievements"]
    assert found["totalCount"] == len(found["nodes"])
    return list(found["nodes"])


async def test_a_day_entered_late_closes_a_run_and_what_is_reached_keeps_its_day(
    analytics: SubgraphUnderTest, person: str
) -> None:
    assert await listed(analytics, person) == []
    await tell(analytics, person, *[meal(person, day(offset), 500) for offset in (1, 2, 3, 5, 6, 7, 8)])
    assert await achieved(analytics, person) == {"FIRST_MEAL": str(day(1))}
    await tell(analytics, person, meal(person, day(4), 500))
    assert await achieved(analytics, person) == {"FIRST_MEAL": str(day(1)), "MEALS_7_DAYS": str(day(7))}
    await tell(analytics, person, meal(person, day(9), 500), meal(person, day(20), 500))
    assert await achieved(analytics, person) == {"FIRST_MEAL": str(day(1)), "MEALS_7_DAYS": str(day(7))}
    await tell(analytics, person, meal(person, day(0), 500))
    assert await achieved(analytics, person) == {"FIRST_MEAL": str(day(0)), "MEALS_7_DAYS": str(day(6))}


async def test_what_the_entries_no_longer_bear_is_gone_and_comes_back_without_being_unlocked_again(
    analytics: SubgraphUnderTest, person: str
) -> None:
    await tell(analytics, person, meal(person, day(0), 500))
    (first,) = await listed(analytics, person)
    assert first == {
        "id": f"{person}:FIRST_MEAL",
        "kind": "FIRST_MEAL",
        "reachedOn": str(day(0)),
        "unlockedAt": first["unlockedAt"],
    }
    await tell(analytics, person, MealDeleted(meal_id=f"{person}-{day(0)}-1", local_date=day(0)), version=2)
    assert await listed(analytics, person) == []
    await tell(analytics, person, meal(person, day(5), 500))
    (again,) = await listed(analytics, person)
    assert again == first | {"reachedOn": str(day(5))}


async def test_the_tenth_workout_by_its_day_is_the_tenth(analytics: SubgraphUnderTest, person: str) -> None:
    offsets = [30, 2, 4, 6, 8, 10, 12, 14, 16]
    await tell(analytics, person, *[session(person, offset) for offset in offsets])
    unfinished = replace(session(person, 1), status="IN_PROGRESS")
    await tell(analytics, person, unfinished)
    assert await achieved(analytics, person) == {"FIRST_WORKOUT": str(day(2))}
    await tell(analytics, person, session(person, 18))
    assert (await achieved(analytics, person))["WORKOUTS_10"] == str(day(30))
    await tell(analytics, person, session(person, 18, 2))
    assert (await achieved(analytics, person))["WORKOUTS_10"] == str(day(18))
    await tell(analytics, person, WorkoutDeleted(workout_id=f"{person}-2-1", local_date=day(2)), version=2)
    assert await achieved(analytics, person) == {"FIRST_WORKOUT": str(day(4)), "WORKOUTS_10": str(day(30))}


async def test_a_goal_that_the_trend_comes_to_is_an_achievement_until_it_is_reopened_or_deleted(
    analytics: SubgraphUnderTest, person: str
) -> None:
    made = (await analytics.data(CREATE_GOAL, person))["createGoal"]
    assert (made["userErrors"], made["goal"]["status"]) == ([], "ACTIVE")
    await tell(analytics, person, weighing(person, day(0), "79"))
    assert await achieved(analytics, person) == {"FIRST_GOAL_REACHED": str(day(0))}
    gone = WeightDeleted(entry_id=f"{person}-{day(0)}-kg", local_date=day(0))
    await tell(analytics, person, gone, version=2)
    assert await achieved(analytics, person) == {}
    await tell(analytics, person, weighing(person, day(3), "79"))
    assert await achieved(analytics, person) == {"FIRST_GOAL_REACHED": str(day(3))}
    await analytics.data(REOPEN_GOAL, person, {"id": made["goal"]["id"]})
    assert await achieved(analytics, person) == {}
    second = (await analytics.data(CREATE_GOAL, person))["createGoal"]["goal"]
    assert (second["status"], await achieved(analytics, person)) == ("COMPLETED", {"FIRST_GOAL_REACHED": str(day(3))})
    await analytics.data(DELETE_GOAL, person, {"id": second["id"]})
    assert await achieved(analytics, person) == {}


async def test_volume_is_reached_on_the_day_that_brings_it_and_moves_with_what_is_lifted(
    analytics: SubgraphUnderTest, person: str
) -> None:
    lifted = [Trained(0, 2000, 12, 0), Trained(3, 2999, 12, 0), Trained(9, 1, 12, 0)]
    await tell(analytics, person, *[each.told_of(person, number) for number, each in enumerate(lifted)])
    assert (await achieved(analytics, person))["VOLUME_5000_KG"] == str(day(9))
    await tell(analytics, person, Trained(5, 1, 12, 0).told_of(person, 3))
    assert (await achieved(analytics, person))["VOLUME_5000_KG"] == str(day(5))
    await tell(analytics, person, Trained(0, 1900, 12, 0).told_of(person, 0), version=2)
    assert "VOLUME_5000_KG" not in await achieved(analytics, person)
    heavy = Trained(12, 9_994_999, 12, 0).told_of(person, 4)
    await tell(analytics, person, heavy, Trained(13, 1000, 12, 0).told_of(person, 5))
    found = await achieved(analytics, person)
    assert (found["VOLUME_5000_KG"], found["VOLUME_5000000_KG"], found["VOLUME_10000000_KG"]) == (
        str(day(12)),
        str(day(12)),
        str(day(13)),
    )


async def test_who_comes_back_after_thirty_days_has_come_back_until_an_entry_says_that_nobody_was_away(
    analytics: SubgraphUnderTest, person: str
) -> None:
    await tell(analytics, person, session(person, 0), session(person, 29))
    assert "COMEBACK" not in await achieved(analytics, person)
    await tell(analytics, person, session(person, 59), session(person, 59, 2), session(person, 100))
    assert (await achieved(analytics, person))["COMEBACK"] == str(day(59))
    assert (await on_the_way(analytics, person))["COMEBACK"] == {
        "id": f"{person}:COMEBACK:progress",
        "kind": "COMEBACK",
        "value": 2,
        "target": 1,
        "share": 1,
        "timesReached": 2,
    }
    await tell(analytics, person, session(person, 40))
    assert (await achieved(analytics, person))["COMEBACK"] == str(day(100))
    await tell(analytics, person, session(person, 80))
    assert "COMEBACK" not in await achieved(analytics, person)
    await tell(analytics, person, WorkoutDeleted(workout_id=f"{person}-80-1", local_date=day(80)), version=2)
    assert (await achieved(analytics, person))["COMEBACK"] == str(day(100))


#: Two instants of a day on which clocks change: what the person's clock shows at the first is before 06:00, at the second not.
CLOCKS_CHANGE = [
    ("Europe/Berlin", "2026-03-29T03:59Z", "2026-03-29T04:00Z"),
    ("Europe/Berlin", "2026-10-25T04:59Z", "2026-10-25T05:00Z"),
    ("America/New_York", "2026-03-08T09:59Z", "2026-03-08T10:00Z"),
    ("Pacific/Auckland", "2026-04-04T17:59Z", "2026-04-04T18:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T19:29Z", "2026-04-04T19:30Z"),
    ("Asia/Tokyo", "2026-03-28T20:59Z", "2026-03-28T21:00Z"),
]


@pytest.mark.parametrize(("zone", "early", "later"), CLOCKS_CHANGE)
async def test_the_hour_is_that_of_the_clock_where_the_workout_was_also_when_clocks_change(
    analytics: SubgraphUnderTest, person: str, zone: str, early: str, later: str
) -> None:
    before = [Trained(-number - 1, 0, 5, 0).told_of(person, number) for number in range(24)]
    last = replace(session(person, 0, 99), time_zone=zone, started_at=datetime.fromisoformat(later))
    await tell(analytics, person, *before, last)
    assert "EARLY_WORKOUTS_25" not in await achieved(analytics, person)
    await tell(analytics, person, replace(last, started_at=datetime.fromisoformat(early)), version=2)
    assert (await achieved(analytics, person))["EARLY_WORKOUTS_25"] == str(day(0))
    assert (await on_the_way(analytics, person))["EARLY_WORKOUTS_25"]["value"] == 25


async def test_progress_is_told_of_what_is_on_the_way_and_not_of_what_is_hidden(
    person: str, postgres: Postgres
) -> None:
    now = datetime.combine(day(10), time(12), UTC)
    async with analytics_subgraph(postgres, "analytics_progress") as analytics:
        analytics.resources.now = lambda: now
        assert {each["share"] for each in (await on_the_way(analytics, person)).values()} == {0}
        await tell(
            analytics,
            person,
            *[meal(person, day(offset), 500) for offset in (*range(5), 8, 9)],
            Trained(5, 1250, 23, 2).told_of(person, 1),  # on a Saturday
            Trained(7, 0, 5, 0).told_of(person, 2),
        )
        found = await on_the_way(analytics, person)
        assert {kind: each["value"] for kind, each in found.items() if each["value"]} == {
            "FIRST_MEAL": 5,
            "MEALS_7_DAYS": 2,
            "MEALS_30_DAYS": 2,
            "MEALS_100_DAYS": 2,
            "MEALS_365_DAYS": 2,
            **dict.fromkeys(WORKOUTS, 2),
            **dict.fromkeys(kinds_by(Measure.VOLUME_KG), 1250),
            "WEEKEND_WORKOUTS_25": 1,
            "EARLY_WORKOUTS_25": 1,
            "LATE_WORKOUTS_25": 1,
            **dict.fromkeys(kinds_by(Measure.RECORDS), 2),
        }
        assert (found["VOLUME_5000_KG"]["share"], found["VOLUME_5000_KG"]["timesReached"]) == (0.25, 0)
        assert (found["FIRST_WORKOUT"]["share"], found["FIRST_WORKOUT"]["timesReached"]) == (1, 1)
        hidden = {kind.value for kind, each in CATALOGUE.items() if each.is_hidden}
        assert set(found) == {kind.value for kind in CATALOGUE} - hidden
        assert list(found) == [kind.value for kind in CATALOGUE if kind.value in found]
        await tell(analytics, person, session(person, -60), session(person, -60, 2))
        found = await on_the_way(analytics, person)
        assert (day(-60), found["NEW_YEARS_DAY"]["timesReached"]) == (date(2026, 1, 1), 1)
        assert (found["COMEBACK"]["timesReached"], found["WORKOUTS_10"]["share"]) == (1, 0.4)


async def on_the_way(analytics: SubgraphUnderTest, person: str) -> dict[str, dict[str, Any]]:
    found = (await analytics.data(PROGRESS, person, {"id": person}))["_entities"][0]["achievementProgress"]
    return {each["kind"]: each for each in found}


async def test_achievements_are_paged_the_last_reached_first(analytics: SubgraphUnderTest, person: str) -> None:
    await tell(analytics, person, *[meal(person, day(offset), 500) for offset in range(7)], session(person, 2))
    page = "{ totalCount nodes { kind } pageInfo { hasNextPage endCursor } }"
    first = await analytics.data(of_person(f"achievements(first: 2) {page}"), person, {"id": person})
    found = first["_entities"][0]["achievements"]
    assert [node["kind"] for node in found["nodes"]] == ["MEALS_7_DAYS", "FIRST_WORKOUT"]
    assert (found["totalCount"], found["pageInfo"]["hasNextPage"]) == (3, True)
    after = found["pageInfo"]["endCursor"]
    rest = await analytics.data(of_person(f'achievements(after: "{after}") {page}'), person, {"id": person})
    assert rest["_entities"][0]["achievements"]["nodes"] == [{"kind": "FIRST_MEAL"}]


def envelope(person: str, payload: Payload, version: int) -> Envelope:
    names = ("meal_id", "workout_id")
    aggregate = next(getattr(payload, name) for name in names if hasattr(payload, name))
    return Envelope(
        event_id=f"{aggregate}-{version}",
        type=type(payload).__name__,
        schema_version=1,
        aggregate=Aggregate(payload.aggregate_type, aggregate, version),
        user_id=person,
        occurred_at=NOON,
        recorded_at=NOON,
        tombstone=payload.tombstone,
        payload=encode_payload(payload),
    )


def expected(meals: set[int], sessions: Sequence[int]) -> dict[str, date]:
    """The oracle, by walking the days and by sorting the workouts."""
    found: dict[str, date] = {}
    in_a_row = 0
    for offset in range(12):
        in_a_row = in_a_row + 1 if offset in meals else 0
        for kind, needed in DAYS_IN_A_ROW.items():
            if in_a_row >= needed:
                found.setdefault(kind.value, day(offset))
    for kind, needed in WORKOUTS.items():
        if len(sessions) >= needed:
            found[kind.value] = day(sorted(sessions)[needed - 1])
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    meals=st.sets(st.integers(0, 11), min_size=7),
    deleted=st.sets(st.integers(0, 11), max_size=2),
    sessions=st.lists(st.integers(0, 11), min_size=8, max_size=13),
    seed=st.integers(0, 2**32),
)
async def test_any_order_gives_the_achievements_of_the_newest_facts_and_so_does_making_them_anew(
    analytics: SubgraphUnderTest, meals: set[int], deleted: set[int], sessions: list[int], seed: int
) -> None:
    person, shuffler = f"person-{next(_people)}", random.Random(seed)
    eaten = [envelope(person, meal(person, day(offset), 500), 1) for offset in sorted(meals)]
    trained = [envelope(person, session(person, offset, number), 1) for number, offset in enumerate(sessions)]
    gone = [
        envelope(person, MealDeleted(meal_id=f"{person}-{day(offset)}-1", local_date=day(offset)), 2)
        for offset in sorted(deleted & meals)
    ]
    told = eaten + trained
    shuffler.shuffle(told)
    handle = summary_projector(None, utc_now)
    right = expected(meals - deleted, sessions)
    async with analytics.database.transaction() as transaction:
        cut = shuffler.randrange(len(told))
        for batch in (told[:cut], told[cut:], gone):
            await handle(transaction, batch)
        before = await rows(analytics, transaction, person)
        assert {kind: reached_on for kind, (reached_on, _) in before.items() if reached_on} == right
        # A row that no fact bears, and a day that is wrong, as a fault would leave them.
        await transaction.execute(
            text("UPDATE achievement SET reached_on = '2020-01-01' WHERE user_id = :id AND kind = 'FIRST_MEAL'"),
            {"id": person},
        )
        await transaction.execute(
            text("INSERT INTO achievement VALUES (:id, 'MEALS_365_DAYS', '2020-01-01', now())"), {"id": person}
        )
        newest = {each.aggregate.id: each for each in [*told, *gone]}
        await summary_rebuilder(None, utc_now)(transaction, person, list(newest.values()))
        after = await rows(analytics, transaction, person)
        assert after.pop("MEALS_365_DAYS")[0] is None
        assert after == before


def expected_of_training(told: Sequence[Trained]) -> dict[str, date]:
    """The oracle: what there is by the end of each day, counted from the beginning."""
    found: dict[str, date] = {}
    days = sorted({each.offset for each in told})
    for position, today in enumerate(days):
        until = [each for each in told if each.offset <= today]
        trained = days[: position + 1]
        totals = {
            Measure.WORKOUTS: len(until),
            Measure.VOLUME_KG: sum(each.volume_kg for each in until),
            Measure.WEEKEND_WORKOUTS: sum(day(each.offset).weekday() in (5, 6) for each in until),
            Measure.EARLY_WORKOUTS: sum(each.hour < 6 for each in until),
            Measure.LATE_WORKOUTS: sum(each.hour == 23 for each in until),
            Measure.NEW_YEARS_DAYS: sum((day(each).month, day(each).day) == (1, 1) for each in trained),
            Measure.COMEBACKS: sum(later - earlier >= 30 for earlier, later in pairwise(trained)),
            Measure.RECORDS: sum(each.records for each in until),
        }
        for kind, each in CATALOGUE.items():
            if totals.get(each.measure, -1) >= each.needed:
                found.setdefault(kind.value, day(today))
    return found


_TRAINED = st.builds(
    Trained,
    offset=st.sampled_from([-100, -61, -60, -30, -2, -1, 0, 3, 5, 6, 12, 13, 40]),
    volume_kg=st.sampled_from([0, 800, 5000, 120_000]),
    hour=st.sampled_from([5, 5, 6, 22, 23, 23]),
    records=st.sampled_from([0, 0, 1, 3]),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(_TRAINED, min_size=1, max_size=70), gone=st.integers(0, 5), seed=st.integers(0, 2**32))
async def test_any_order_gives_the_achievements_of_the_sessions_that_are_left_and_so_does_making_them_anew(
    analytics: SubgraphUnderTest, told: list[Trained], gone: int, seed: int
) -> None:
    person, shuffler = f"person-{next(_people)}", random.Random(seed)
    envelopes = [envelope(person, each.told_of(person, number), 1) for number, each in enumerate(told)]
    deleted = [
        envelope(person, WorkoutDeleted(workout_id=f"{person}-{each.offset}-{number}", local_date=day(each.offset)), 2)
        for number, each in list(enumerate(told))[:gone]
    ]
    newest = {each.aggregate.id: each for each in [*envelopes, *deleted]}
    shuffler.shuffle(envelopes)
    handle = summary_projector(None, utc_now)
    async with analytics.database.transaction() as transaction:
        cut = shuffler.randrange(len(told))
        for batch in (envelopes[:cut], envelopes[cut:], deleted):
            await handle(transaction, batch)
        before = await rows(analytics, transaction, person)
        right = expected_of_training(told[gone:])
        assert {kind: reached_on for kind, (reached_on, _) in before.items() if reached_on} == right
        await transaction.execute(
            text("UPDATE achievement SET reached_on = '2020-01-01' WHERE user_id = :id"), {"id": person}
        )
        await summary_rebuilder(None, utc_now)(transaction, person, list(newest.values()))
        assert await rows(analytics, transaction, person) == before


async def rows(analytics: SubgraphUnderTest, transaction: Any, person: str) -> dict[str, tuple[date | None, datetime]]:
    found = await transaction.execute(
        text("SELECT kind, reached_on, unlocked_at FROM achievement WHERE user_id = :id"), {"id": person}
    )
    return {row.kind: (row.reached_on, row.unlocked_at) for row in found}


async def test_one_who_deletes_a_goal_while_another_is_reached_has_the_other_one(
    analytics: SubgraphUnderTest, person: str
) -> None:
    """The projector and a command judge one after the other, whoever comes first."""
    made = (await analytics.data(CREATE_GOAL, person))["createGoal"]["goal"]
    other = (await analytics.data(CREATE_GOAL, person))["createGoal"]["goal"]

    async def delete_meanwhile() -> None:
        deleting = asyncio.create_task(analytics.data(DELETE_GOAL, person, {"id": made["id"]}))
        waiting.append(deleting)
        await asyncio.sleep(0.2)
        assert not deleting.done()  # the projector holds the goals

    waiting: list[asyncio.Task[Any]] = []
    await tell(analytics, person, weighing(person, day(0), "79"), meanwhile=delete_meanwhile)
    await waiting[0]
    assert await achieved(analytics, person) == {"FIRST_GOAL_REACHED": str(day(0))}
    await analytics.data(DELETE_GOAL, person, {"id": other["id"]})
    assert await achieved(analytics, person) == {}


_OLD_ROWS = (
    """
    INSERT INTO streak_run VALUES ('ann', 'MEALS', '2026-03-02', '2026-03-04', 3),
        ('ann', 'MEALS', '2026-03-06', '2026-03-14', 9), ('ann', 'WORKOUTS_MONDAY', '2026-01-05', '2026-03-02', 9)
    """,
    """
    INSERT INTO workout_fact (workout_id, user_id, local_date, status, volume_kg)
    SELECT 'w' || n, 'ann', date '2026-03-01' + n, CASE n WHEN 1 THEN 'CANCELLED' ELSE 'COMPLETED' END, 600
    FROM generate_series(1, 11) AS n
    """,
    """
    INSERT INTO workout_fact (workout_id, user_id, local_date, status, volume_kg)
    VALUES ('b1', 'ben', '2025-11-01', 'COMPLETED', 0), ('b2', 'ben', '2026-01-01', 'COMPLETED', 0)
    """,
    """
    INSERT INTO goal (id, user_id, kind, target_value, start_date, counts_from, status, reached_on)
    VALUES ('g', 'ann', 'WEIGHT_KG', 80, '2026-03-01', '2026-03-01', 'COMPLETED', '2026-03-09')
    """,
)


async def test_what_was_achieved_before_there_were_achievements_is_there(postgres: Postgres) -> None:
    """The migration says what the projector would."""
    url = postgres.create_database("analytics_before_achievements")
    database = Database(url)
    await migrate_to(database, "analytics", "analytics_0004")
    async with database.transaction() as transaction:
        for statement in _OLD_ROWS:
            await transaction.execute(text(statement))
    await database.close()
    async with subgraph_under_test("analytics", url, schema, AnalyticsLoaders) as analytics:
        assert await achieved(analytics, "ann") == {
            "FIRST_MEAL": "2026-03-02",
            "MEALS_7_DAYS": "2026-03-12",
            "FIRST_WORKOUT": "2026-03-03",
            "WORKOUTS_10": "2026-03-12",
            "VOLUME_5000_KG": "2026-03-11",
            "FIRST_GOAL_REACHED": "2026-03-09",
        }
        assert await achieved(analytics, "ben") == {
            "FIRST_WORKOUT": "2025-11-01",
            "COMEBACK": "2026-01-01",
            "NEW_YEARS_DAY": "2026-01-01",
        }
