"""Numbers in which several subgraphs meet: a weight of users, a workout, a meal-less day and a goal, through the router."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.testkit.running_stack import RunningStack, eventually

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
WRITE = """mutation($goal: CreateGoalInput!, $weight: LogWeightInput!, $workout: LogWorkoutInput!) {
  createGoal(input: $goal) { userErrors { code } goal { id status startValue } }
  refused: createGoal(input: {kind: WEIGHT_KG, targetValue: 1}) { userErrors { code field } goal { id } }
  logWeight(input: $weight) { userErrors { code } }
  logWorkout(input: $workout) { userErrors { code } workout { id } }
}"""
READ = """query($date: LocalDate!) { me {
  day(date: $date) { id caloriesBurned netCaloriesBurned netCalories weightKg }
  goals { nodes { kind status startValue direction currentValue progress } }
  workouts { totalCount nodes { caloriesBurned { kcal netKcal bodyWeightKg method } } }
  weightTrend(from: $date, to: $date) { weightKg trendKg }
} }"""


async def test_the_net_of_a_reported_workout_is_what_the_day_takes_off(stack: RunningStack) -> None:
    person = await stack.register()
    written = await person.data(
        WRITE,
        {
            "goal": {"kind": "WEIGHT_KG", "targetValue": 65, "startDate": NOON.date().isoformat()},
            "weight": {"weightKg": 70, "recordedAt": (NOON - timedelta(hours=5)).isoformat()},
            "workout": {
                "name": "Row",
                "startedAt": NOON.isoformat(),
                "endedAt": (NOON + timedelta(minutes=30)).isoformat(),
                "reportedKcal": 500,
            },
        },
    )
    assert written["createGoal"]["goal"]["status"] == "ACTIVE"
    assert written["refused"] == {
        "goal": None,
        "userErrors": [{"code": "VALIDATION_ERROR", "field": "targetValue"}],
    }
    assert written["logWorkout"]["workout"] is not None

    async def all_agree() -> bool:
        me = (await person.data(READ, {"date": NOON.date().isoformat()}))["me"]
        rest = 36.75  # 1 MET at 70 kg for half an hour
        day = me["day"]
        (workout,) = (node["caloriesBurned"] for node in me["workouts"]["nodes"])
        (goal,) = me["goals"]["nodes"]
        return bool(
            (day["caloriesBurned"], day["netCaloriesBurned"], day["netCalories"]) == (500.0, 500 - rest, rest - 500)
            and workout == {"kcal": 500.0, "netKcal": 500 - rest, "bodyWeightKg": 70.0, "method": "REPORTED"}
            and (goal["status"], goal["startValue"], goal["direction"]) == ("ACTIVE", 70.0, "AT_MOST")
            and (goal["currentValue"], goal["progress"]) == (70.0, 0.0)
            and me["weightTrend"] == [{"weightKg": 70.0, "trendKg": 70.0}]
        )

    await eventually(all_agree, seconds=90)


SET_CLOCK = """mutation($zone: TimeZone!) {
  updateSettings(input: {timeZone: $zone}) { userErrors { code } user { settings { timeZone } } } }"""
LOG = """mutation($at: DateTime!, $end: DateTime!) {
  logWorkout(input: {name: "Row", startedAt: $at, endedAt: $end}) { workout { localDate } }
  logWater(input: {amountMl: 250, at: $at}) { diaryDay { date } }
  logWeight(input: {weightKg: 70, recordedAt: $at}) { weightEntry { localDate } } }"""


async def test_the_next_entry_belongs_to_the_day_of_the_clock_that_was_just_set(stack: RunningStack) -> None:
    """In every subgraph, with the token of before, as often as the clock is set."""
    person = await stack.register()
    moment = {"at": NOON.isoformat(), "end": (NOON + timedelta(minutes=30)).isoformat()}
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Pacific/Kiritimati", "UTC"):
        await person.data(SET_CLOCK, {"zone": zone})
        written = await person.data(LOG, moment)
        day = NOON.astimezone(ZoneInfo(zone)).date().isoformat()
        assert written["logWorkout"]["workout"]["localDate"] == day
        assert written["logWater"]["diaryDay"]["date"] == day
        assert written["logWeight"]["weightEntry"]["localDate"] == day


OWN_WRITES = """mutation($goal: CreateGoalInput!, $meal: LogMealInput!, $workout: LogWorkoutInput!) {
  logWeight(input: {weightKg: 70}) { user { currentWeight { weightKg } weights { totalCount nodes { weightKg } } } }
  logWater(input: {amountMl: 250}) { diaryDay { waterMl drinks { amountMl } } }
  logMeal(input: $meal) { diaryDay { waterMl totals { energyKcal } } meal { user { meals { nodes { totals { energyKcal } } } } } }
  logWorkout(input: $workout) { workout { user { workouts { totalCount nodes { name } } } } }
  createGoal(input: $goal) { goal { user { goals { totalCount nodes { kind } } } } } }"""


async def test_a_mutations_answer_has_its_own_write_in_every_number_of_its_subgraph(stack: RunningStack) -> None:
    """Without waiting for any event: what waits for one says in its description that it settles (see analytics' test_settling)."""
    person = await stack.register()
    written = await person.data(
        OWN_WRITES,
        {
            "goal": {"kind": "WEIGHT_KG", "targetValue": 65},
            "meal": {"slot": "LUNCH", "quickAdds": [{"name": "Soup", "energyKcal": 320}]},
            "workout": {
                "name": "Row",
                "startedAt": NOON.isoformat(),
                "endedAt": (NOON + timedelta(minutes=30)).isoformat(),
            },
        },
    )
    assert written == {
        "logWeight": {
            "user": {"currentWeight": {"weightKg": 70}, "weights": {"totalCount": 1, "nodes": [{"weightKg": 70}]}}
        },
        "logWater": {"diaryDay": {"waterMl": 250, "drinks": [{"amountMl": 250}]}},
        "logMeal": {
            "diaryDay": {"waterMl": 250, "totals": {"energyKcal": 320}},
            "meal": {"user": {"meals": {"nodes": [{"totals": {"energyKcal": 320}}]}}},
        },
        "logWorkout": {"workout": {"user": {"workouts": {"totalCount": 1, "nodes": [{"name": "Row"}]}}}},
        "createGoal": {"goal": {"user": {"goals": {"totalCount": 1, "nodes": [{"kind": "WEIGHT_KG"}]}}}},
    }
