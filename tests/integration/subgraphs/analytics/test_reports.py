"""Reports of weeks and months as analytics answers them: from the days as they are now, in so many statements however many."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from strawberry.types.execution import ExecutionResult

from events.contracts.nutrition import MealDeleted
from events.contracts.users import UserRegistered
from events.contracts.workouts import WorkoutCompleted
from subgraphs.analytics.loaders import AnalyticsLoaders
from subgraphs.analytics.schema import schema
from subgraphs.shell.auth import KeyRing
from subgraphs.shell.database import Database
from tests.testkit.analytics import analytics_subgraph, drink, meal, of_person, tell, weighing, workout
from tests.testkit.revisions import migrate_to
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SECRET, SubgraphUnderTest, claims_of, codes_of, subgraph_under_test

_people = count(1)
MONDAY = date(2026, 3, 9)
BEFORE = MONDAY - timedelta(days=7)
WEEK = 'weekReport(of: "2026-03-11")'
MONTH = 'monthReport(of: "2026-03-11")'
MEASURE = "{ total daysCounted dailyMean dailyMeanBefore change changePercent trend }"


@pytest.fixture(scope="module")
async def analytics(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with analytics_subgraph(postgres, "analytics_reports") as subgraph:
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


def lifted(person: str, day: date, volume_kg: str) -> WorkoutCompleted:
    return replace(workout(person, day, 300, 60), volume_kg=Decimal(volume_kg))


async def ask(analytics: SubgraphUnderTest, person: str, selection: str) -> Any:
    return (await analytics.data(of_person(selection), person, {"id": person}))["_entities"][0]


async def test_what_a_week_shows_is_said_in_words_with_its_numbers(analytics: SubgraphUnderTest, person: str) -> None:
    for start, kcal in ((BEFORE, 2000), (MONDAY, 1600)):
        await tell(analytics, person, *(meal(person, start + timedelta(days=offset), kcal) for offset in range(4)))
    selection = f"{WEEK} {{ id insights {{ id code trend text figures {{ role value unit }} }} }}"
    with analytics.counted_statements() as statements:
        report = (await ask(analytics, person, selection))["weekReport"]
    with analytics.counted_statements() as without:
        await ask(analytics, person, f"{WEEK} {{ id }}")
    assert len(statements) == len(without)
    said = {each["code"]: each for each in report["insights"]}
    assert said["ENERGY_CHANGED"] == {
        "id": f"{report['id']}:ENERGY_CHANGED",
        "code": "ENERGY_CHANGED",
        "trend": "FALLING",
        "text": "You ate 1,600 kcal a day, 20 % less than the 2,000 of the week before (4 and 4 days with a meal).",
        "figures": [
            {"role": "VALUE", "value": 1600.0, "unit": "KCAL_PER_DAY"},
            {"role": "COMPARED_WITH", "value": 2000.0, "unit": "KCAL_PER_DAY"},
            {"role": "DAYS", "value": 4.0, "unit": "DAYS"},
            {"role": "DAYS_COMPARED_WITH", "value": 4.0, "unit": "DAYS"},
            {"role": "CHANGE_PERCENT", "value": -20.0, "unit": "PERCENT"},
        ],
    }


async def test_a_week_is_told_beside_the_week_before(analytics: SubgraphUnderTest, person: str) -> None:
    days = [MONDAY + timedelta(days=offset) for offset in range(5)]
    before = [BEFORE + timedelta(days=offset) for offset in range(4)]
    weighed = [weighing(person, BEFORE, "80"), weighing(person, days[0], "80"), weighing(person, days[4], "78")]
    trained = [lifted(person, days[0], "4000"), lifted(person, days[2], "5000"), lifted(person, before[0], "3600")]
    eaten = [meal(person, day, 1600) for day in days] + [meal(person, day, 2000) for day in before]
    await tell(analytics, person, *weighed, *trained, *eaten, drink(person, days[0], 1500))
    found = await ask(
        analytics,
        person,
        f"{WEEK} {{ id kind first last firstBefore isOver revision fullDays daysWithEntries daysWithoutEntries"
        f" energyKcal {MEASURE} waterMl {MEASURE} workouts {MEASURE} volumeKg {MEASURE} activeMinutes {{ total }}"
        " proteinG { dailyMean } weight { changeKg changeKgBefore trend weightChange(unit: LB) { value } } }",
    )
    assert found["weekReport"] == {
        "id": f"{person}:WEEK:{MONDAY}",
        "kind": "WEEK",
        "first": "2026-03-09",
        "last": "2026-03-15",
        "firstBefore": "2026-03-02",
        "isOver": True,
        "revision": 9,
        "fullDays": 7,
        "daysWithEntries": 5,
        "daysWithoutEntries": 2,
        "energyKcal": {
            "total": 8000,
            "daysCounted": 5,
            "dailyMean": 1600,
            "dailyMeanBefore": 2000,
            "change": -400,
            "changePercent": -20,
            "trend": "FALLING",
        },
        "waterMl": {
            "total": 1500,
            "daysCounted": 1,
            "dailyMean": 1500,
            "dailyMeanBefore": None,
            "change": None,
            "changePercent": None,
            "trend": None,
        },
        "workouts": {
            "total": 2,
            "daysCounted": 5,
            "dailyMean": 0.4,
            "dailyMeanBefore": 0.25,
            "change": 0.15,
            "changePercent": 60,
            "trend": "RISING",
        },
        "volumeKg": {
            "total": 9000,
            "daysCounted": 5,
            "dailyMean": 1800,
            "dailyMeanBefore": 900,
            "change": 900,
            "changePercent": 100,
            "trend": "RISING",
        },
        "activeMinutes": {"total": 120},
        "proteinG": {"dailyMean": 20},
        "weight": {
            "changeKg": -0.69,
            "changeKgBefore": None,
            "trend": "FALLING",
            "weightChange": {"value": -1.52},
        },
    }


async def test_a_month_is_told_beside_the_month_before(analytics: SubgraphUnderTest, person: str) -> None:
    march = [meal(person, date(2026, 3, day), 1800) for day in (1, 15, 31)]
    february = [meal(person, date(2026, 2, day), 2000) for day in (1, 14, 28)]
    others = [meal(person, day, 9000) for day in (date(2026, 1, 31), date(2026, 4, 1))]
    await tell(analytics, person, *march, *february, *others)
    found = await ask(
        analytics,
        person,
        f"{MONTH} {{ first last firstBefore fullDays energyKcal {{ total dailyMeanBefore trend }} }}",
    )
    assert found["monthReport"] == {
        "first": "2026-03-01",
        "last": "2026-03-31",
        "firstBefore": "2026-02-01",
        "fullDays": 31,
        "energyKcal": {"total": 5400, "dailyMeanBefore": 2000, "trend": "FALLING"},
    }


async def test_what_is_entered_late_or_taken_back_is_another_revision(
    analytics: SubgraphUnderTest, person: str
) -> None:
    selection = f"{WEEK} {{ revision asOf daysWithEntries energyKcal {{ total }} }}"
    report = (await ask(analytics, person, selection))["weekReport"]
    assert report == {"revision": 0, "asOf": None, "daysWithEntries": 0, "energyKcal": {"total": 0}}
    await tell(analytics, person, meal(person, MONDAY, 500))
    first = (await ask(analytics, person, selection))["weekReport"]
    assert (first["revision"], first["energyKcal"]) == (1, {"total": 500})
    await tell(analytics, person, meal(person, BEFORE, 700))
    assert (await ask(analytics, person, selection))["weekReport"]["revision"] == 2
    await tell(analytics, person, MealDeleted(meal_id=f"{person}-{MONDAY}-1", local_date=MONDAY), version=2)
    last = (await ask(analytics, person, selection))["weekReport"]
    assert (last["revision"], last["energyKcal"], last["daysWithEntries"]) == (3, {"total": 0}, 0)
    assert last["asOf"] > first["asOf"]


async def test_the_running_week_is_the_persons_own_and_today_is_not_in_it(
    analytics: SubgraphUnderTest, person: str
) -> None:
    account = UserRegistered(email="x@example.com", display_name="X", week_start="SUNDAY")
    today = analytics.resources.now().date()  # in UTC, as the account's clock is
    await tell(analytics, person, account, meal(person, today, 800))
    found = (await ask(analytics, person, "weekReport { first isOver fullDays energyKcal { total daysCounted } }"))[
        "weekReport"
    ]
    assert date.fromisoformat(found["first"]).isoweekday() == 7
    assert (found["isOver"], found["fullDays"]) == (False, today.isoweekday() % 7)
    assert found["energyKcal"] == {"total": 0, "daysCounted": 0}


async def test_many_reports_cost_as_many_statements_as_one(analytics: SubgraphUnderTest) -> None:
    """The clock, the days and the trend; people may be read by their own token only, so it is one person's many weeks."""
    person = f"person-{next(_people)}"
    await tell(analytics, person, meal(person, MONDAY, 500))
    weeks = [MONDAY - timedelta(days=7 * number) for number in range(20)]
    costs = []
    for chosen in (weeks[:1], weeks):
        selection = " ".join(
            f'w{number}: weekReport(of: "{day}") {{ energyKcal {{ total }} weight {{ changeKg }} }}'
            for number, day in enumerate(chosen)
        )
        with analytics.counted_statements() as statements:
            found = await ask(analytics, person, selection)
        assert found["w0"]["energyKcal"]["total"] == 500
        costs.append(len(statements))
    assert costs == [3, 3]


async def test_the_volume_of_old_days_is_there(postgres: Postgres) -> None:
    """The migration takes it from the workouts that were completed."""
    url = postgres.create_database("analytics_without_volume")
    database = Database(url)
    await migrate_to(database, "analytics", "analytics_0003")
    async with database.transaction() as transaction:
        await transaction.execute(
            text(
                "INSERT INTO workout_fact (workout_id, user_id, local_date, status, volume_kg) VALUES"
                " ('1', 'ann', '2026-03-09', 'COMPLETED', 1200), ('2', 'ann', '2026-03-09', 'COMPLETED', 300),"
                " ('3', 'ann', '2026-03-09', 'IN_PROGRESS', 9000)"
            )
        )
        await transaction.execute(
            text(
                "INSERT INTO daily_summary (user_id, local_date, calories_consumed, calories_burned, net_calories_burned,"
                " protein_g, carbs_g, fat_g, meals_logged, workouts_completed, workout_minutes, active_minutes, water_ml,"
                " revision, computed_at) VALUES ('ann', '2026-03-09', 0, 0, 0, 0, 0, 0, 0, 2, 60, 60, 0, 1, now())"
            )
        )
    await database.close()
    async with subgraph_under_test("analytics", url, schema, AnalyticsLoaders) as analytics:
        assert await ask(analytics, "ann", 'day(date: "2026-03-09") { volumeKg }') == {"day": {"volumeKg": 1500.0}}


RANGE = """query ($from: LocalDate!, $to: LocalDate!) { rangeReport(from: $from, to: $to) {
    id kind first last firstBefore fullDays daysWithEntries energyKcal { total daysCounted dailyMeanBefore trend } insights { text } } }"""


async def ask_range(analytics: SubgraphUnderTest, person: str, scope: str, first: date, last: date) -> ExecutionResult:
    token = KeyRing(SECRET).sign(claims_of(person) | {"scope": scope})
    return await analytics.run_with(f"Bearer {token}", RANGE, {"from": str(first), "to": str(last)})


async def test_a_report_of_any_days_is_for_the_role_premium(analytics: SubgraphUnderTest, person: str) -> None:
    days = [MONDAY + timedelta(days=offset) for offset in range(-10, 10)]
    await tell(analytics, person, *(meal(person, day, 1600 if day >= MONDAY else 2000) for day in days))
    span = (MONDAY, MONDAY + timedelta(days=9))
    for scope in ("read write", "read write admin", "key read:progress"):
        assert codes_of(await ask_range(analytics, person, scope, *span)) == ["FORBIDDEN"]
    with analytics.counted_statements() as statements:
        result = await ask_range(analytics, person, "read write premium", *span)
    assert result.errors is None
    assert result.data is not None
    assert len(statements) <= 3
    assert result.data["rangeReport"] == {
        "id": f"{person}:RANGE:{span[0]}:{span[1]}",
        "kind": "RANGE",
        "first": "2026-03-09",
        "last": "2026-03-18",
        "firstBefore": "2026-02-27",
        "fullDays": 10,
        "daysWithEntries": 10,
        "energyKcal": {"total": 16000.0, "daysCounted": 10, "dailyMeanBefore": 2000.0, "trend": "FALLING"},
        "insights": result.data["rangeReport"]["insights"],
    }
    said = [each["text"] for each in result.data["rangeReport"]["insights"]]
    assert "You ate 1,600 kcal a day, 20 % less than the 2,000 of the time before (10 and 10 days with a meal)." in said


@pytest.mark.parametrize(
    ("first", "last", "codes"),
    [
        (date(2025, 3, 9), date(2026, 3, 9), []),
        (date(2025, 3, 8), date(2026, 3, 9), ["VALIDATION_ERROR"]),
        (date(2026, 3, 9), date(2026, 3, 8), ["VALIDATION_ERROR"]),
        (date(1900, 1, 1), date(1900, 1, 2), ["VALIDATION_ERROR"]),
        (date(2200, 1, 1), date(2200, 12, 31), []),
    ],
)
async def test_a_range_has_a_length_and_bounds(
    analytics: SubgraphUnderTest, person: str, first: date, last: date, codes: list[str]
) -> None:
    assert codes_of(await ask_range(analytics, person, "read write premium", first, last)) == codes
