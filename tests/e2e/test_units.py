"""Amounts in the units that people read, of all four subgraphs through the router."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.testkit.running_stack import RunningStack, eventually

NOON = (datetime.now(UTC) - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
WRITE = """mutation($weight: LogWeightInput!, $water: LogWaterInput!, $workout: LogWorkoutInput!) {
  updateSettings(input: { units: IMPERIAL }) { userErrors { code } }
  updateProfile(input: { heightCm: 180, targetWeightKg: 75 }) { userErrors { code } }
  logWeight(input: $weight) { weightEntry { weight { value unit } kilograms: weight(unit: KG) { value unit } } }
  logWater(input: $water) { drink { amount { value unit } ounces: amount(unit: FL_OZ) { value unit } } diaryDay {
    water(unit: FL_OZ) { value unit } } }
  logWorkout(input: $workout) { workout { volume(unit: LB) { value unit }
    caloriesBurned { gross { value unit } joules: gross(unit: KJ) { value unit } }
    sets { weight(unit: LB) { value unit } distance(unit: MI) { value unit } } } userErrors { code message } }
}"""
PROFILE = """{ me { profile { height { value unit } centimetres: height(unit: CM) { value } targetWeight { value unit } } } }"""
DAY = """query($date: LocalDate!) { me {
  day(date: $date) { weight(unit: LB) { value unit } water { value unit } energyBurned(unit: KJ) { value unit } }
  weightTrend(from: $date, to: $date) { weight(unit: LB) { value } trend { value unit } }
} }"""
CREATE = """mutation { createExercise(input: { name: "Sled", category: STRENGTH, tracking: WEIGHT_REPS, met: 5 }) {
  exercise { id } userErrors { code message } } }"""


async def test_each_amount_is_told_in_the_unit_that_is_asked_for(stack: RunningStack) -> None:
    person = await stack.register()
    exercise = (await person.data(CREATE))["createExercise"]["exercise"]["id"]
    at = NOON.isoformat()
    sets = [{"reps": 5, "weightKg": 100}, {"distanceM": 1000}]
    workout = {
        "name": "Sled",
        "startedAt": at,
        "endedAt": (NOON + timedelta(minutes=30)).isoformat(),
        "reportedKcal": 500,
        "exercises": [{"exerciseId": exercise, "sets": sets}],
    }
    variables = {
        "weight": {"weightKg": 80, "recordedAt": at},
        "water": {"amountMl": 250, "at": at},
        "workout": workout,
    }
    written = await person.data(WRITE, variables)
    entry, drink = written["logWeight"]["weightEntry"], written["logWater"]["drink"]
    assert entry == {"weight": {"value": 176.37, "unit": "LB"}, "kilograms": {"value": 80.0, "unit": "KG"}}
    assert drink == {"amount": {"value": 250.0, "unit": "ML"}, "ounces": {"value": 8.45, "unit": "FL_OZ"}}
    assert written["logWater"]["diaryDay"] == {"water": {"value": 8.45, "unit": "FL_OZ"}}
    trained = written["logWorkout"]["workout"]
    assert trained["volume"] == {"value": 1102.31, "unit": "LB"}
    assert trained["caloriesBurned"]["gross"] == {"value": 500.0, "unit": "KCAL"}
    assert trained["caloriesBurned"]["joules"] == {"value": 2092.0, "unit": "KJ"}
    assert trained["sets"][0] == {"weight": {"value": 220.46, "unit": "LB"}, "distance": None}
    assert trained["sets"][1] == {"weight": None, "distance": {"value": 0.62, "unit": "MI"}}
    profile = (await person.data(PROFILE))["me"]["profile"]
    assert (profile["height"]["value"], profile["centimetres"]["value"]) == (70.87, 180.0)
    assert profile["targetWeight"] == {"value": 165.35, "unit": "LB"}

    async def the_day_says_the_same() -> bool:
        me = (await person.data(DAY, {"date": NOON.date().isoformat()}))["me"]
        return bool(
            me["day"]
            == {
                "weight": {"value": 176.37, "unit": "LB"},
                "water": {"value": 250.0, "unit": "ML"},
                "energyBurned": {"value": 2092.0, "unit": "KJ"},
            }
            and me["weightTrend"] == [{"weight": {"value": 176.37}, "trend": {"value": 80.0, "unit": "KG"}}]
        )

    await eventually(the_day_says_the_same, seconds=60)
