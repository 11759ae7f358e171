"""The body through the router: chains of required fields from users over nutrition and analytics and back, and a budget."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.testkit.running_stack import RunningStack, eventually

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
PROFILE = """mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { userErrors { code field } } }"""
TELL = """mutation($weight: LogWeightInput!, $goal: CreateGoalInput!, $target: SetNutritionTargetInput!, $workout: LogWorkoutInput!) {
  logWeight(input: $weight) { userErrors { code } }
  createGoal(input: $goal) { userErrors { code } }
  setNutritionTarget(input: $target) { userErrors { code } }
  logWorkout(input: $workout) { userErrors { code } }
}"""
READ = """query($date: LocalDate!) { me {
  maintenanceKcal
  basalEstimates { formula basalKcal }
  energyExpenditure { kcal confidence daysWithIntake measuredKcal }
  weeklyCheckIn { expenditureKcal confidence kgPerWeek trendKg }
  weeklyTarget { expenditureKcal dailyDifferenceKcal isAtFloor target { energyKcal proteinG } }
  cut: weeklyTarget(adjustment: CUT) { dailyDifferenceKcal target { energyKcal } }
  goals { nodes { isOverdue projection { remainingKg kgPerWeek reachedOn } } }
  diaryDay(date: $date) {
    fixed: calorieBudget { targetKcal earnedKcal remainingKcal }
    half: calorieBudget(mode: EARN_BACK, earnBackPercent: 50) { earnedKcal remainingKcal eatenKcal }
  }
} }"""


async def test_energy_crosses_three_subgraphs_and_comes_back(stack: RunningStack) -> None:
    person = await stack.register()
    # Somebody of 35 years, whatever the day.
    born = NOON.date().replace(year=NOON.year - 35, day=1).isoformat()
    profile = {"dateOfBirth": born, "sex": "MALE", "heightCm": 180, "activityLevel": "MODERATE"}
    assert (await person.data(PROFILE, {"input": profile}))["updateProfile"]["userErrors"] == []
    last_week = NOON - timedelta(days=8)
    written = await person.data(
        TELL,
        {
            "weight": {"weightKg": 80, "bodyFatPercent": 20, "recordedAt": last_week.isoformat()},
            "goal": {"kind": "WEIGHT_KG", "targetValue": 76, "startDate": last_week.date().isoformat()},
            "target": {"energyKcal": 2200, "effectiveFrom": last_week.date().isoformat()},
            "workout": {
                "name": "Row",
                "startedAt": last_week.isoformat(),
                "endedAt": (last_week + timedelta(minutes=60)).isoformat(),
                "reportedKcal": 500,
            },
        },
    )
    assert [each["userErrors"] for each in written.values()] == [[]] * 4
    expected: dict[str, Any] = {
        "maintenanceKcal": 2720.25,
        "basalEstimates": [
            {"formula": "MIFFLIN_ST_JEOR", "basalKcal": 1755.0},
            {"formula": "HARRIS_BENEDICT", "basalKcal": 1830.77},
            {"formula": "REVISED_HARRIS_BENEDICT", "basalKcal": 1825.25},
            {"formula": "KATCH_MCARDLE", "basalKcal": 1752.4},
            {"formula": "CUNNINGHAM", "basalKcal": 1908.0},
        ],
        "energyExpenditure": {"kcal": 2720.25, "confidence": "FORMULA", "daysWithIntake": 0, "measuredKcal": None},
        "weeklyCheckIn": {"expenditureKcal": 2720.25, "confidence": "FORMULA", "kgPerWeek": -0.4, "trendKg": 80.0},
        "weeklyTarget": {
            "expenditureKcal": 2720.25,
            "dailyDifferenceKcal": -440.0,
            "isAtFloor": False,
            "target": {"energyKcal": 2280.25, "proteinG": 147.2},
        },
        "cut": {"dailyDifferenceKcal": -408.04, "target": {"energyKcal": 2312.21}},
        "goals": {
            "nodes": [{"isOverdue": False, "projection": {"remainingKg": -4.0, "kgPerWeek": None, "reachedOn": None}}]
        },
        "diaryDay": {
            "fixed": {"targetKcal": 2200.0, "earnedKcal": 0.0, "remainingKcal": 2200.0},
            "half": {"earnedKcal": 208.0, "remainingKcal": 2408.0, "eatenKcal": 0.0},  # 84 of the 500 kcal were rest
        },
    }

    told: dict[str, Any] = {}

    async def all_events_came() -> bool:
        told.update(await person.data(READ, {"date": last_week.date().isoformat()}))
        budget, check_in = told["me"]["diaryDay"]["half"], told["me"]["weeklyCheckIn"]
        # Priced anew when the weight comes to the workouts too: until then nothing is known of rest.
        return bool(budget["earnedKcal"] == 208 and check_in["trendKg"] and check_in["kgPerWeek"])

    await eventually(all_events_came, seconds=90)
    assert told["me"] == expected


HEARTS = """mutation($rest: LogHeartRateInput!, $most: LogHeartRateInput!) {
  rest: logHeartRate(input: $rest) { userErrors { code field } }
  most: logHeartRate(input: $most) { userErrors { code field } }
}"""
ZONES = """query($on: LocalDate) { me { heartRateZones(method: RESERVE, on: $on) {
  first basis { resting { beatsPerMinute source } maximum { beatsPerMinute source since } } } } }"""


async def test_zones_of_a_day_are_by_the_heart_that_users_kept_of_it(stack: RunningStack) -> None:
    person = await stack.register()
    for since, rest, most in (("2021-01-01", 70, 194), ("2026-01-01", 50, 184)):
        given = {
            "rest": {"kind": "RESTING", "beatsPerMinute": rest, "since": since},
            "most": {"kind": "MAXIMUM", "beatsPerMinute": most, "since": since},
        }
        told = await person.data(HEARTS, given)
        assert [each["userErrors"] for each in told.values()] == [[], []]
    for day, first, since in (("2021-06-01", 132.0, "2021-01-01"), (None, 117.0, "2026-01-01")):
        zone = (await person.data(ZONES, {"on": day}))["me"]["heartRateZones"][0]
        assert zone["first"] == first
        assert zone["basis"]["maximum"]["since"] == since
