"""`fittracker up` with sample data: John's week has the sums that the first FitTracker had, and loading again changes nothing."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from graphql import GraphQLObjectType
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from benchmarks.fittracker.product import product_of
from benchmarks.micro.subgraph_answers import apps_of, requests_of_the_dashboard, statements_of
from deploy.workbench import OPERATIONS
from router.loaded_graph import LoadedGraph
from router.transport.in_process import InProcessTransport
from router.transport.protocol import SubgraphRequest
from router.workbench import read_samples
from subgraphs.shell.app import SubgraphApp, close_resources
from subgraphs.shell.graphql_schema import SubgraphSchema
from tests.testkit.random_selections import RandomSelections
from tests.testkit.running_stack import PASSWORD, ROOT, RunningStack, Visitor, eventually, running_stack
from tests.testkit.statement_counts import count_statements, operations_of

LOGIN = "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken user { id } } }"
WEEK = """query($from: LocalDate!, $to: LocalDate!) {
  me { period(from: $from, to: $to) { caloriesConsumed caloriesBurned mealsLogged workoutsCompleted workoutMinutes } }
}"""
CATALOGUE = """{
  foods(search: "broccoli", first: 5) { edges { node { name per100 { energyKcal } timesLogged } } }
  foodByBarcode(gtin: "2000000000039") { name }
  exercises(search: "squat", first: 5) { edges { node { name } } }
}"""
KITCHEN = """{ me { dietaryPreferences { avoid diet } customSlots { slots { name countsAs } } mealPlans { nodes { name } } plannedMeals { nodes { slot customSlot } } fasts { nodes { minutes isReached } } favouriteFoods { nodes { name } } savedMeals { nodes { name totals { energyKcal } } }
  recipes { nodes { name visibility dietaryFit { fit } recipe { perServing { energyKcal } } } } } }"""
IN_THE_KITCHEN = {
    "dietaryPreferences": {"avoid": ["CRUSTACEANS", "PEANUTS"], "diet": None},
    "customSlots": {
        "slots": [
            {"name": "Second breakfast", "countsAs": "BREAKFAST"},
            {"name": "Afternoon snack", "countsAs": "SNACK"},
        ]
    },
    "fasts": {"nodes": [{"minutes": 960, "isReached": True}]},
    "mealPlans": {"nodes": [{"name": "Three days before a race"}]},
    "plannedMeals": {
        "nodes": [
            {"slot": slot, "customSlot": own_slot}
            for slot, own_slot in (
                ("BREAKFAST", None),
                ("DINNER", None),
                ("BREAKFAST", None),
                ("SNACK", "Afternoon snack"),
                ("BREAKFAST", None),
                ("DINNER", None),
            )
        ]
    },
    "favouriteFoods": {
        "nodes": [
            {"name": "Rolled oats"},
            {"name": "Greek yogurt, plain"},
            {"name": "Salmon, baked"},
            {"name": "Almonds"},
        ]
    },
    "savedMeals": {
        "nodes": [
            {"name": "After training", "totals": {"energyKcal": 375.02}},
            {"name": "Usual breakfast", "totals": {"energyKcal": 428.0}},
        ]
    },
    "recipes": {
        "nodes": [
            {
                "name": "Overnight oats",
                "visibility": "READERS",
                "dietaryFit": {"fit": "FITS"},
                "recipe": {"perServing": {"energyKcal": 358.7}},
            },
            {
                "name": "Chicken and rice bowl",
                "visibility": "EVERYBODY",
                "dietaryFit": {"fit": "FITS"},
                "recipe": {"perServing": {"energyKcal": 519.7}},
            },
        ]
    },
}
#: What John trains with, what he shows everybody, and what came with the catalogue.
GYM = """{ publicTemplates(fromCatalogue: true, first: 50) { nodes { name } }
  me { templates(first: 50) { nodes { name visibility clonedFrom { name } } } gear { nodes { name workoutCount leftM retiredOn } }
    plateLoading(weight: 82.5) { isExact } workouts(first: 20) { nodes { id name track { series(points: 3) { seconds heartRate } } } } } }"""
HEART = """query ($run: ID!) { me { heartRateOfWorkout(workoutId: $run, method: RESERVE) { secondsBelow zones { seconds }
  basis { resting { source } maximum { beatsPerMinute source } } } } }"""
PLANNED = """query($from: LocalDate!, $to: LocalDate!) {
  me { defaultRestSeconds routines { nodes { name } } trainingCalendar(from: $from, to: $to) { status planned { name } workouts { id } }
    period(from: $from, to: $to) { workoutsCompleted workoutMinutes caloriesBurned } }
}"""
AIMED = """query($last: LocalDate!, $first: LocalDate!) { me {
  now: diaryDay(date: $last) { target { basis energyKcal trainingDay { energyKcal } } waterMl }
  then: diaryDay(date: $first) { target { energyKcal trainingDay { energyKcal } } }
  measurements(kind: WAIST, first: 50) { nodes { valueCm } } } }"""
REMINDERS = "{ me { workoutReminders { name at } } }"
WALKED = """query($last: LocalDate!) { me { day(date: $last) { steps } goals { nodes { kind status progress } }
  stepCounts(first: 1) { totalCount } } }"""
ACHIEVED = "{ me { achievements { nodes { kind reachedOn } } streakProtection { spans { reason } } } }"
#: He never logged 100 days in a row, and his goal is on its way. Histories that are loaded at once tell no records.
OF_A_YEAR = {
    "FIRST_MEAL",
    "MEALS_7_DAYS",
    "MEALS_30_DAYS",
    "FIRST_WORKOUT",
    "WORKOUTS_10",
    "WORKOUTS_50",
    "WORKOUTS_100",
    "VOLUME_5000_KG",
    "VOLUME_25000_KG",
    "VOLUME_100000_KG",
    "WEEKEND_WORKOUTS_25",
}
#: Whether he trained on a first of January depends on the day on which his year ends.
BY_CHANCE = {"NEW_YEARS_DAY"}
LAST_MONTH = """query($of: LocalDate!) { me { monthReport(of: $of) {
  isOver daysWithEntries daysWithoutEntries fullDays energyKcal { daysCounted trend } volumeKg { changePercent }
  weight { changeKg changeKgBefore } insights { code text } } } }"""
SUMS = {
    "caloriesConsumed": 7 * 1674,
    "caloriesBurned": 2080,
    "mealsLogged": 28,
    "workoutsCompleted": 5,
    "workoutMinutes": 305,
}


async def _kill_a_first_start(data: Path) -> None:
    """When the loader has left word that people come in now, and has not got far with them."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy", "up", "--port", "0", "--data-dir", str(data), "--no-watch",
        cwd=ROOT, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip

    async def people_come_in() -> bool:
        assert process.returncode is None
        return (data / "untold-sample-data.json").exists()

    await eventually(people_come_in, seconds=100)
    process.kill()
    await process.wait()
    assert not (data / "loaded-sample-data").exists()


def _day_of_john() -> date:
    """His days begin at four in the morning: between midnight and then, his is neither that of UTC nor that of Berlin."""
    return (datetime.now(ZoneInfo("Europe/Berlin")) - timedelta(hours=4)).date()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", ["--processes", "--in-process"])
async def test_johns_week(tmp_path: Path, mode: str) -> None:
    """Also after a first start that was killed while the people came in."""
    if mode == "--processes":
        await _kill_a_first_start(tmp_path / "data")
    async with running_stack(tmp_path / "data", "--sample-data", mode) as stack:
        john = await _sign_in(stack, "john.doe@example.com")
        last = _day_of_john() - timedelta(days=1)
        days = {"from": (last - timedelta(days=6)).isoformat(), "to": last.isoformat()}

        async def week_is_right() -> bool:
            return bool((await john.data(WEEK, days))["me"]["period"] == SUMS)

        await eventually(week_is_right)
        await _last_month_is_reported(john, last)
        told = (await john.data(ACHIEVED))["me"]
        assert {each["kind"] for each in told["achievements"]["nodes"]} - BY_CHANCE == OF_A_YEAR
        assert told["streakProtection"]["spans"] == [{"reason": "HOLIDAY"}]
        found = await john.data(CATALOGUE)
        assert found["foods"]["edges"]
        assert found["exercises"]["edges"]
        assert found["foodByBarcode"] == {"name": "Olive oil"}
        assert await john.data(KITCHEN) == {"me": IN_THE_KITCHEN}
        await _two_weeks_are_planned(john)
        await _he_walks_towards_goals(john, last)
        await _the_gym_is_there(john)
        await _a_year_is_aimed_at(john, last)
        await eventually(partial(_each_plan_has_a_reminder, john))
        if mode == "--processes":
            await _dashboard_costs(tmp_path / "data")
            await _a_hundred_parents_cost_what_one_does(tmp_path / "data")
            await _load_again(stack)
            await _projections_equal_their_sources(stack)
            await asyncio.sleep(1)
            assert await week_is_right()
            assert await john.data(KITCHEN) == {"me": IN_THE_KITCHEN}
            await _two_weeks_are_planned(john)
            await _the_gym_is_there(john)
        else:
            await _samples_run(john)
            _each_subgraph_names_itself((stack.directory.logs / "router.log").read_text())


async def _he_walks_towards_goals(john: Visitor, last: date) -> None:
    """Steps of a year, mostly by two sources, and his own goals beside that of his coach."""
    me = (await john.data(WALKED, {"last": last.isoformat()}))["me"]
    assert me["stepCounts"]["totalCount"] > 365
    assert me["day"]["steps"] >= 800
    goals = {each["kind"]: each for each in me["goals"]["nodes"]}
    assert set(goals) == {"WORKOUTS_PER_WEEK", "DAILY_STEPS", "ONE_REP_MAX_KG", "MEASUREMENT_CM"}
    assert {each["status"] for each in goals.values()} == {"ACTIVE"}
    assert 0 < goals["ONE_REP_MAX_KG"]["progress"] < 1


async def _a_year_is_aimed_at(john: Visitor, last: date) -> None:
    """Two targets, of which the later tells days of training apart; drinks of each day, and a tape of each month."""
    me = (await john.data(AIMED, {"last": last.isoformat(), "first": (last - timedelta(days=200)).isoformat()}))["me"]
    assert me["then"]["target"] == {"energyKcal": 2200.0, "trainingDay": None}
    now = me["now"]["target"]
    assert now["trainingDay"] == {"energyKcal": 2250.0}
    assert now["energyKcal"] == {"USUAL": 1950.0, "TRAINING_DAY": 2250.0}[now["basis"]]
    assert me["now"]["waterMl"] > 0
    waists = [each["valueCm"] for each in me["measurements"]["nodes"]]
    assert len(waists) >= 12
    assert waists[0] < waists[-1]


async def _the_gym_is_there(john: Visitor) -> None:
    """Ten templates of the catalogue, one of them cloned, one of John's own that everybody sees, worn shoes and plates."""
    found = await john.data(GYM)
    assert len(found["publicTemplates"]["nodes"]) == 10
    mine = {each["name"]: each for each in found["me"]["templates"]["nodes"]}
    assert mine["Upper body in an hour"]["visibility"] == "PUBLIC"
    assert mine["Fifteen minutes of mobility"]["clonedFrom"] == {"name": "Fifteen minutes of mobility"}
    gear = {each["name"]: each for each in found["me"]["gear"]["nodes"]}
    assert (gear["Grey shoes"]["workoutCount"], gear["Grey shoes"]["leftM"]) == (1, -10_450.0)
    assert gear["Grey shoes"]["retiredOn"] is not None
    assert (gear["Blue shoes"]["workoutCount"], gear["Blue shoes"]["leftM"]) == (0, 700_000.0)
    assert found["me"]["plateLoading"] == {"isExact": True}
    (run,) = [each for each in found["me"]["workouts"]["nodes"] if each["track"]]
    assert len(run["track"]["series"]["seconds"]) == 3
    heart = (await john.data(HEART, {"run": run["id"]}))["me"]["heartRateOfWorkout"]
    assert sum(zone["seconds"] for zone in heart["zones"]) + heart["secondsBelow"] == 2400
    assert heart["basis"] == {
        "resting": {"source": "MEASURED"},
        "maximum": {"beatsPerMinute": 188.0, "source": "MEASURED"},
    }


async def _two_weeks_are_planned(john: Visitor) -> None:
    """Three workouts in each week to come, and nothing of it is counted as done."""
    tomorrow = _day_of_john() + timedelta(days=1)
    days = {"from": tomorrow.isoformat(), "to": (tomorrow + timedelta(days=13)).isoformat()}
    me = (await john.data(PLANNED, days))["me"]
    assert (me["defaultRestSeconds"], me["routines"]["nodes"]) == (90, [{"name": "Three days a week"}])
    names = [one["name"] for day in me["trainingCalendar"] for one in day["planned"]]
    assert Counter(names) == {"Upper body": 2, "Legs": 2, "Long run": 2}
    assert Counter(day["status"] for day in me["trainingCalendar"]) == {"PLANNED": 6, "REST": 8}
    assert [day["workouts"] for day in me["trainingCalendar"]] == [[]] * 14
    assert me["period"] == {"workoutsCompleted": 0, "workoutMinutes": 0, "caloriesBurned": 0}
    missed = {"from": (tomorrow - timedelta(days=3)).isoformat(), "to": (tomorrow - timedelta(days=3)).isoformat()}
    (day,) = (await john.data(PLANNED, missed))["me"]["trainingCalendar"]
    assert [one["name"] for one in day["planned"]] == ["Swim before work"]


async def _each_plan_has_a_reminder(john: Visitor) -> bool:
    """Half an hour before it; the one that was missed has none."""
    shown = (await john.data(REMINDERS))["me"]["workoutReminders"]
    at = [datetime.fromisoformat(each["at"]) for each in shown]
    return (Counter(each["name"] for each in shown), at) == ({"Upper body": 2, "Legs": 2, "Long run": 2}, sorted(at))


async def _last_month_is_reported(john: Visitor, last: date) -> None:
    """Of his year, a whole month before his week: a few days missed, everything compared with the month before."""
    month = (last - timedelta(days=7)).replace(day=1) - timedelta(days=1)
    report = (await john.data(LAST_MONTH, {"of": month.isoformat()}))["me"]["monthReport"]
    assert (report["isOver"], report["fullDays"]) == (True, month.day)
    assert report["daysWithEntries"] + report["daysWithoutEntries"] == month.day
    assert report["energyKcal"]["daysCounted"] == report["daysWithEntries"] > 20
    assert report["energyKcal"]["trend"] in ("RISING", "FALLING", "STEADY")
    assert "ENERGY_SPLIT" in [each["code"] for each in report["insights"]]
    assert None not in (report["volumeKg"]["changePercent"], *report["weight"].values())


def _each_subgraph_names_itself(log: str) -> None:
    """Four subgraphs write into the router's log: each line says whose it is, and the router's own are nobody's."""
    started = [line for line in log.splitlines() if "subgraph_started" in line]
    assert sorted(word for line in started for word in line.split() if word.startswith("subgraph=")) == [
        "subgraph=analytics", "subgraph=nutrition", "subgraph=users", "subgraph=workouts"
    ]  # fmt: skip
    assert not [line for line in log.splitlines() if "supergraph_loaded" in line and "subgraph=" in line]


async def _samples_run(john: Visitor) -> None:
    """What the pages offer to run is answered without an error, and refused only where it shows a refusal."""
    for sample in read_samples(OPERATIONS):
        if sample.feature not in ("Subscriptions", "Answers in pieces"):
            answer = await john.data(sample.operation, orjson.loads(sample.variables or "{}"))
            refused = [error for payload in answer.values() for error in payload.get("userErrors", ())]
            assert bool(refused) == (sample.feature == "Errors"), (sample.title, refused)


async def _dashboard_costs(data_dir: Path) -> None:
    """A dashboard with 4 meals of 13 items, 7 days and 5 workouts costs 7 statements, whatever their number is: one for each
    subgraph, one more where analytics is asked for things of two kinds at once, and none for the target, which wants what users knows.
    """
    product = await asyncio.to_thread(product_of, data_dir, 1)
    apps = apps_of(product)
    statements: Counter[str] = Counter()
    try:
        requests = await requests_of_the_dashboard(product, apps)
        for request in requests:
            statements[request.subgraph] += len(await statements_of(apps[request.subgraph], request))
        john = next(filter(None, (_representations(each) for each in requests)))
        for request in {each.subgraph: each for each in requests}.values():
            await _answered_as_by_strawberry(apps[request.subgraph], request, john)
    finally:
        for app in apps.values():
            await close_resources(app.resources)
    assert statements == {"users": 1, "nutrition": 1, "workouts": 1, "analytics": 4}


async def _a_hundred_parents_cost_what_one_does(data_dir: Path) -> None:
    """Each field of what John's lists and those of everybody hold: no loader asks again because there are more parents."""
    product = await asyncio.to_thread(product_of, data_dir, 1)
    apps, authorization = apps_of(product), product.requests[0].authorization
    graph = LoadedGraph.from_sdl(product.directory.supergraph.read_text(encoding="utf-8"))
    asked_of_a_hundred, repeated = 0, []
    try:
        for name, text in operations_of(graph.api_schema):
            one = await count_statements(text, 1, graph, apps, authorization)
            many = await count_statements(text, 100, graph, apps, authorization)
            assert many.codes <= {"FORBIDDEN"}, name  # what is an administrator's
            asked_of_a_hundred += many.parents == 100
            repeated += [
                (name, *sent) for sent, times in many.statements.items() if times > max(1, one.statements[sent])
            ]
    finally:
        for app in apps.values():
            await close_resources(app.resources)
    assert repeated == []
    assert asked_of_a_hundred >= 60


async def _sign_in(stack: RunningStack, email: str) -> Visitor:
    _, answer = await stack.post({"query": LOGIN, "variables": {"input": {"email": email, "password": PASSWORD}}})
    assert "errors" not in answer, answer
    session = answer["data"]["login"]
    return Visitor(stack, email, session["user"]["id"], session["accessToken"], session["refreshToken"])


async def _load_again(stack: RunningStack) -> Any:
    """As at a terminal, which is told how many people are there already."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy", "sample-data", "--data-dir", str(stack.directory.path), "--users", "3",
        cwd=ROOT, env={**os.environ, "TTY_COMPATIBLE": "1", "NO_COLOR": "1"}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    told, _ = await process.communicate()
    assert process.returncode == 0
    assert re.search(r"People .* 8/8 ", told.decode())


async def _projections_equal_their_sources(stack: RunningStack) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy", "events", "check", "--data-dir", str(stack.directory.path), cwd=ROOT
    )
    assert await process.wait() == 0


def _representations(request: SubgraphRequest) -> Any:
    return (orjson.loads(request.body).get("variables") or {}).get("representations")


async def _answered_as_by_strawberry(app: SubgraphApp, of_the_dashboard: SubgraphRequest, people: Any) -> None:
    """Random selections of what a subgraph has of a person, as the viewer and by representations, are answered, and refused, as by
    Strawberry's own executor.
    """
    schema: SubgraphSchema = import_module(f"subgraphs.{of_the_dashboard.subgraph}.schema").schema
    transport = InProcessTransport({of_the_dashboard.subgraph: app})
    user = schema._schema.type_map["User"]
    assert isinstance(user, GraphQLObjectType)
    compiled = schema.execution_context_class
    ours: list[Any] = []
    for seed in range(8):
        selections = RandomSelections(schema._schema, seed, variables={"$people": "$people: [_Any!]!"})
        selection = selections.of(user, 4)
        if seed % 2:
            query = selections.query("{ me " + selection + " }")
        else:
            query = selections.query("{ _entities(representations: $people) { ... on User " + selection + " } }")
        body = orjson.dumps({"query": query, "variables": {"people": people}})
        headers = of_the_dashboard.headers if seed % 4 else ()  # nobody asks, and is refused
        request = replace(of_the_dashboard, body=body, headers=headers)
        ours.append(await _answer(transport, request))
        try:
            schema.execution_context_class = StrawberryGraphQLCoreExecutionContext
            theirs = await _answer(transport, request)
        finally:
            schema.execution_context_class = compiled
        assert ours[-1] == theirs or theirs == await _answer(transport, request), query  # a clock may have gone on
    assert sum(not each["errors"] for each in ours) > 4, ours
    assert any(each["errors"] for each in ours), ours


async def _answer(transport: InProcessTransport, request: SubgraphRequest) -> Any:
    answer = orjson.loads((await transport.send(request)).body)
    answer["errors"] = sorted(
        str((each["path"], each["locations"], each["message"])) for each in answer.get("errors", ())
    )
    return answer
