"""From the records of an export to the inputs of mutations that make them again, kind by kind.

A thing keeps its content and gets a new id. What it refers to is found by `Known`: the person's own foods and exercises under their new
ids, those of the catalogue under the ids that they have everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from subgraphs.shell.calendar import local_date

Record = Mapping[str, Any]
Input = dict[str, Any]

RECIPE = "RECIPE"
FINISHED = "COMPLETED"
ACTIVE = "ACTIVE"


class NotImportedError(Exception):
    """A record that cannot be made again, and why."""


@dataclass
class Known:
    """Where the export's own foods and exercises are now, its gear, workouts, routines and planned workouts: new ids by old ones, None
    while they are not made yet.
    """

    foods: dict[str, str | None] = field(default_factory=dict)
    exercises: dict[str, str | None] = field(default_factory=dict)
    workouts: dict[str, str | None] = field(default_factory=dict)
    gear: dict[str, str | None] = field(default_factory=dict)
    routines: dict[str, str | None] = field(default_factory=dict)
    planned: dict[str, str | None] = field(default_factory=dict)
    slots: set[str] = field(default_factory=set)  # names of the person's own slots of the day
    clock: tuple[str, int] = ("UTC", 0)  # zone and first hour of the day, as the account has them after the settings

    def food(self, old: Record | None) -> str:
        """Raises NotImportedError for a food that is gone or not made yet."""
        if old is None:
            raise NotImportedError("a food of it was deleted before the export")
        return _now(self.foods, old["id"], "a food of it is not there")

    def exercise(self, old: Record) -> str:
        """Raises NotImportedError for one that is not made yet."""
        return _now(self.exercises, old["id"], "an exercise of it is not there")

    def other_day(self, record: Record, at: str | None) -> Input:
        """The day of what was logged under another clock than the account has: its owner moved, or began the day at another hour."""
        day = record.get("localDate")  # other apps' files have none
        if day is None or at is None or local_date(datetime.fromisoformat(at), *self.clock).isoformat() == day:
            return {}
        return {"localDate": day}


def _now(known: Mapping[str, str | None], old: str, complaint: str) -> str:
    new = known.get(old, old)
    if new is None:
        raise NotImportedError(complaint)
    return new


@dataclass(frozen=True, slots=True)
class Arrival:
    """How one kind of thing is made: from which file, by which mutation, and `read`, which gives None for a record of another kind.

    `answer` selects what was made; `is_keyed` is whether the input takes an idempotency key, else it says the same thing twice at no harm.
    """

    file: str
    mutation: str
    input_type: str
    read: Callable[[Record, Known], Input | None]
    answer: str = ""
    is_keyed: bool = True

    @property
    def operation(self) -> str:
        return (
            f"mutation Import($input: {self.input_type}!) {{"
            f" made: {self.mutation}(input: $input) {{ {self.answer} userErrors {{ field message }} }} }}"
        )


def _pick(record: Record, *names: str) -> Input:
    """These fields, without those that are not told."""
    return {name: record[name] for name in names if record[name] is not None}


def _pick_newer(record: Record, *names: str) -> Input:
    """As `_pick`, of fields that exports of an earlier release do not have."""
    return _pick(record, *(name for name in names if name in record))


def _settings(account: Record, _known: Known) -> Input:
    settings = account["settings"]
    told = _pick(settings, "timeZone", "dayStartHour", "weekStart", "units")
    return told | _pick_newer(settings, "language", "theme", "dateFormat", "invitableByEmail")


def _profile(account: Record, _known: Known) -> Input:
    names = ("dateOfBirth", "sex", "heightCm", "activityLevel", "fitnessGoal", "targetWeightKg")
    return _pick(account["profile"], *names)


def _default_rest(account: Record, _known: Known) -> Input | None:
    seconds = account.get("defaultRestSeconds")  # exports of an earlier release do not tell
    return None if seconds is None else {"seconds": seconds}


def _plates(account: Record, _known: Known) -> Input | None:
    inventory = account.get("plateInventory")  # exports of an earlier release do not tell
    return None if inventory is None else {"inventory": inventory}


def _exercise(record: Record, _known: Known) -> Input:
    names = ("name", "category", "level", "tracking", "met", "primaryMuscles", "secondaryMuscles", "equipment")
    return _pick(record, *names, "instructions") | _pick_newer(
        record, "force", "mechanic", "isOneSided", "videoUrl", "pictureUrl"
    )


def _food(record: Record, _known: Known) -> Input | None:
    if record["source"] == RECIPE:
        return None
    amounts = record["per100"]
    per_100 = {name: amount for name, amount in amounts.items() if amount is not None and name != "quickAddKcal"}
    per_100["micronutrients"] = [_pick(each, "code", "amount") for each in amounts["micronutrients"]]
    told = {**_pick(record, "name", "category", "brand", "gtin", "portions"), "per100": per_100}
    if (declared := record.get("declared")) is not None:  # exports of an earlier release have none
        told["declared"] = _pick(declared, "contains", "freeFrom", "suits", "suitsNot")
    return told


def _recipe(record: Record, known: Known) -> Input | None:
    """By its newest version: the versions before it are in nothing but the export."""
    if record["source"] != RECIPE:
        return None
    newest = record["recipeVersions"][0]
    ingredients = [_item(each, known) for each in newest["ingredients"]]
    told = {**_pick(record, "name", "category"), **_pick(newest, "servings", "yieldGrams", "instructions")}
    return {**told, "ingredients": ingredients}


def _item(item: Record, known: Known) -> Input:
    food_id = known.food(item["food"])
    if item["portion"] is not None:
        return {"foodId": food_id, **_pick(item, "portion", "quantity")}
    return {"foodId": food_id, **_pick(item, "grams")}


def _favourite(record: Record, known: Known) -> Input:
    return {"foodId": known.food(record), "isFavourite": True}


def _weight(record: Record, known: Known) -> Input:
    told = _pick(record, "weightKg", "bodyFatPercent", "muscleMassKg", "notes", "recordedAt")
    return told | known.other_day(record, record["recordedAt"])


def _measurement(record: Record, known: Known) -> Input:
    return _pick(record, "kind", "valueCm", "notes", "recordedAt") | known.other_day(record, record["recordedAt"])


def _heart_rate(record: Record, _known: Known) -> Input:
    return _pick(record, "kind", "beatsPerMinute", "since", "notes")


def _steps(record: Record, _known: Known) -> Input:
    return _pick(record, "date", "source", "steps", "countedAt")


def _drink(record: Record, known: Known) -> Input:
    return _pick(record, "amountMl", "at") | known.other_day(record, record["at"])


def _target(record: Record, _known: Known) -> Input:
    aims = [_pick(each, "nutrient", "minimum", "maximum") for each in record["nutrients"]]
    amounts = ("energyKcal", "proteinG", "carbsG", "fatG")
    # An export of an earlier release knows no weekdays: what it tells is of every day.
    usual = _pick(record.get("usual") or record, *amounts)
    weekdays = [_pick(each, "weekdays", *amounts) for each in record.get("weekdays", ())]
    told = {**_pick(record, "waterMl", "effectiveFrom"), **usual, "nutrients": aims, "weekdays": weekdays}
    if training := record.get("trainingDay"):
        told["trainingDay"] = _pick(training, *amounts)
    return told


def _meal(record: Record, known: Known) -> Input:
    """An item of a food that is gone becomes a quick add with the item's name, energy and macronutrients."""
    here = [item for item in record["items"] if item["food"] is not None]
    gone = [item for item in record["items"] if item["food"] is None]
    quick = [
        {"name": item["foodName"], **_pick(item["nutrients"], "energyKcal", "proteinG", "carbsG", "fatG")}
        for item in gone
    ]
    own_slot = record.get("customSlot")  # exports of an earlier release have none
    return {
        **_pick(record, "slot", "at", "timeZone", "notes"),
        **({"customSlot": own_slot} if own_slot in known.slots else {}),  # one that was renamed since is no more
        "items": [_item(item, known) for item in here],
        "quickAdds": [*_quick_adds(record), *quick],
    }


def _custom_slots(record: Record, known: Known) -> Input:
    slots = [_pick(each, "name", "countsAs") for each in record["slots"]]
    known.slots = {each["name"] for each in slots}
    return {"slots": slots}


def _dietary_preferences(record: Record, _known: Known) -> Input:
    return _pick(record, "avoid", "diet")


def _streak_protection(record: Record, _known: Known) -> Input:
    return {"spans": [_pick(span, "first", "last", "reason") for span in record["spans"]]}


def _saved_meal(record: Record, known: Known) -> Input:
    items = [_item(item, known) for item in record["items"]]
    return {**_pick(record, "name", "slot"), "items": items, "quickAdds": _quick_adds(record)}


def _meal_plan(record: Record, known: Known) -> Input:
    days = [{"meals": [_meal_of_plan(meal, known) for meal in day["meals"]]} for day in record["days"]]
    return {**_pick(record, "name"), "days": days}


def _meal_of_plan(meal: Record, known: Known) -> Input:
    own_slot = {"customSlot": meal["customSlot"]} if meal["customSlot"] in known.slots else {}
    items = [_item(item, known) for item in meal["items"]]
    return {**_pick(meal, "slot"), **own_slot, "items": items, "quickAdds": _quick_adds(meal)}


def _quick_adds(record: Record) -> list[Input]:
    return [_pick(each, "name", "energyKcal", "proteinG", "carbsG", "fatG") for each in record["quickAdds"]]


def _workout(record: Record, known: Known) -> Input:
    if record["status"] != FINISHED:
        raise NotImportedError(
            f"it is {record['status'].lower().replace('_', ' ')}: only finished workouts are imported"
        )
    told = _pick(record, "name", "startedAt", "endedAt", "activeMinutes", "sessionRpe", "timeZone", "notes")
    if record.get("pauses"):  # exports of an earlier release do not tell
        told["pauses"] = [_pick(each, "startedAt", "endedAt") for each in record["pauses"]]
    energy = record["caloriesBurned"]
    if energy is not None and energy["method"] == "REPORTED" and energy["kcal"] is not None:
        told["reportedKcal"] = energy["kcal"]
    if (track := record.get("track")) is not None:  # exports of an earlier release have none
        told["track"] = _track(track)
    gear = record.get("gear")  # exports of an earlier release, and most apps, tell of none
    gear_id = None if gear is None else known.gear.get(gear["id"])
    # What is there by default is not what was used then.
    told |= {"withoutGear": True} if gear_id is None else {"gearId": gear_id}
    return {**told, "exercises": [_done(each, known) for each in record["exercises"]]}


def _gear(record: Record, known: Known) -> Input:
    names = ("name", "kind", "startDistanceM", "lifeDistanceM", "retiredOn")
    default_for = [known.exercise(each) for each in record["defaultFor"]]
    return {**_pick(record, *names), "defaultForExerciseIds": default_for}


def _done(exercise: Record, known: Known) -> Input:
    names = ("kind", "reps", "weightKg", "durationSeconds", "distanceM", "rpe")
    sets = [_pick(each, *names) | _pick_newer(each, "tempo", "notes", "side") for each in exercise["sets"]]
    told = _pick(exercise, "durationSeconds", "notes") | _pick_newer(exercise, "superset")
    return {**told, "exerciseId": known.exercise(exercise["exercise"]), "sets": sets}


def _track(track: Record) -> Input:
    names = ("distanceM", "movingSeconds", "ascentM", "descentM", "meanHeartRate", "maxHeartRate", "bests")
    splits = {
        name: [_pick(each, "distanceM", "seconds", "riseM", "meanHeartRate") for each in track[name]]
        for name in ("kmSplits", "mileSplits")
    }
    return {**_pick(track, *names), **splits, **_over_time(track)}


def _over_time(track: Record) -> Input:
    """What exports of an earlier release do not tell."""
    told: Input = {}
    if (series := track.get("series")) is not None:
        told["series"] = _pick(series, "seconds", "distanceM", "altitudeM", "heartRate", "cadence", "power")
    if (times := track.get("heartRateTimes")) is not None:
        told["heartRateTimes"] = _pick(times, "beatsPerMinute", "seconds")
    return told


def _template(record: Record, known: Known) -> Input:
    return {**_pick(record, "name", "notes"), "exercises": _planned_exercises(record, known)}


def _planned_exercises(record: Record, known: Known) -> list[Input]:
    return [
        {
            "exerciseId": known.exercise(each["exercise"]),
            **_pick(each["plan"], "sets", "leastReps", "mostReps", "weightKg", "restSeconds", "superset"),
            **_pick(each, "incrementKg"),
            **_rule(each),
        }
        for each in record["exercises"]
    ]


def _routine(record: Record, known: Known) -> Input:
    days = [
        {
            **_pick(day, "weekday", "name", "timeOfDay", "minutes", "notes"),
            **({"exercises": exercises} if (exercises := _planned_exercises(day, known)) else {}),
        }
        for day in record["days"]
    ]
    return {**_pick(record, "name", "schedule"), "days": days}


def _planned(record: Record, known: Known) -> Input:
    """On the date that its routine put it on, if it is of one that is there: the same routine then plans nothing double."""
    told = {
        **_pick(record, "date", "timeOfDay", "name", "minutes", "notes"),
        "exercises": _planned_exercises(record, known),
    }
    if record["routineDay"] is not None and (routine := known.routines.get(record["routine"]["id"])) is not None:
        told |= {"routineId": routine, "routineDay": record["routineDay"], "date": record["routineDate"]}
    return told


def _moved(record: Record, known: Known) -> Input | None:
    """What it has that its routine's day has not, and where it was moved to."""
    planned = known.planned.get(record["id"])
    if planned is None or record["routineDay"] is None:
        return None
    return {"id": planned, **{name: record[name] for name in ("timeOfDay", "minutes", "notes", "date")}}


def _skipped(record: Record, known: Known) -> Input | None:
    planned = known.planned.get(record["id"])
    return None if planned is None or record["status"] != "SKIPPED" else {"id": planned}


def _paired(record: Record, known: Known) -> Input | None:
    """With the finished workout that it was done as, where that was imported."""
    planned = known.planned.get(record["id"])
    workout = None if record["workout"] is None else known.workouts.get(record["workout"]["id"])
    return None if planned is None or workout is None else {"id": planned, "workoutId": workout}


def _rule(exercise: Record) -> Input:
    """What a plan by percentage or exertion names; exports of an earlier release tell none of it."""
    plan = exercise["plan"]
    told = {
        "percentOfMax": plan.get("percentOfMax"),
        "trainingMaxKg": plan.get("maxKg"),
        "targetRpe": plan.get("targetRpe"),
    }
    if told["percentOfMax"] is not None or told["targetRpe"] is not None:
        told |= _pick(exercise, "oneRepMaxFormula", "weightStepKg")
    return {name: value for name, value in told.items() if value is not None}


def _goal(record: Record, known: Known) -> Input:
    if record["status"] != ACTIVE:
        raise NotImportedError(f"it is {record['status'].lower()}: only active goals are imported")
    names = ("kind", "targetValue", "direction", "startValue", "startDate", "targetDate", "description")
    told = _pick(record, *names) | _pick_newer(record, "measurement")
    if (exercise_id := record.get("exerciseId")) is not None:  # exports of an earlier release tell of none
        told["exerciseId"] = known.exercise({"id": exercise_id})
    return told


#: In an order in which what others refer to comes first. The settings come before all: they say on which day a moment is.
SETTINGS = Arrival("account", "updateSettings", "UpdateSettingsInput", _settings, is_keyed=False)
PROFILE = Arrival("account", "updateProfile", "UpdateProfileInput", _profile, is_keyed=False)
DEFAULT_REST = Arrival("account", "setDefaultRest", "SetDefaultRestInput", _default_rest, is_keyed=False)
PLATES = Arrival("account", "setPlateInventory", "SetPlateInventoryInput", _plates, is_keyed=False)
EXERCISES = Arrival("exercises", "createExercise", "CreateExerciseInput", _exercise, "thing: exercise { id }")
FOODS = Arrival("foods", "createFood", "CreateFoodInput", _food, "thing: food { id }")
RECIPES = Arrival("foods", "createRecipe", "CreateRecipeInput", _recipe, "thing: food { id }")
GEAR = Arrival("gear", "createGear", "CreateGearInput", _gear, "thing: gear { id }")
WORKOUTS = Arrival("workouts", "logWorkout", "LogWorkoutInput", _workout, "thing: workout { id }")
ROUTINES = Arrival("routines", "createRoutine", "CreateRoutineInput", _routine, "thing: routine { id }")
PLANNED = Arrival("plannedWorkouts", "planWorkout", "PlanWorkoutInput", _planned, "thing: plannedWorkout { id }")
#: What became of a planned workout; each says the same thing twice at no harm.
OF_PLANNED = (
    Arrival("plannedWorkouts", "updatePlannedWorkout", "UpdatePlannedWorkoutInput", _moved, is_keyed=False),
    Arrival("plannedWorkouts", "skipPlannedWorkout", "SkipPlannedWorkoutInput", _skipped, is_keyed=False),
    Arrival("plannedWorkouts", "pairPlannedWorkout", "PairPlannedWorkoutInput", _paired, is_keyed=False),
)
OTHERS = (
    Arrival("favouriteFoods", "setFavouriteFood", "SetFavouriteFoodInput", _favourite, is_keyed=False),
    Arrival("weights", "logWeight", "LogWeightInput", _weight),
    Arrival("measurements", "logMeasurement", "LogMeasurementInput", _measurement),
    Arrival("heartRates", "logHeartRate", "LogHeartRateInput", _heart_rate),
    Arrival("stepCounts", "logSteps", "LogStepsInput", _steps, is_keyed=False),
    Arrival("drinks", "logWater", "LogWaterInput", _drink),
    Arrival("nutritionTargets", "setNutritionTarget", "SetNutritionTargetInput", _target),
    Arrival("savedMeals", "saveMeal", "SaveMealInput", _saved_meal),
    Arrival("customSlots", "setCustomSlots", "SetCustomSlotsInput", _custom_slots, is_keyed=False),
    Arrival(
        "dietaryPreferences",
        "setDietaryPreferences",
        "SetDietaryPreferencesInput",
        _dietary_preferences,
        is_keyed=False,
    ),
    Arrival("mealPlans", "createMealPlan", "CreateMealPlanInput", _meal_plan),
    Arrival("meals", "logMeal", "LogMealInput", _meal),
    WORKOUTS,
    Arrival("workoutTemplates", "createTemplate", "CreateTemplateInput", _template),
    ROUTINES,
    PLANNED,
    *OF_PLANNED,
    Arrival("goals", "createGoal", "CreateGoalInput", _goal),
    Arrival("streakProtection", "setStreakProtection", "SetStreakProtectionInput", _streak_protection, is_keyed=False),
)
#: Files of the export that nothing is made of, and why.
NOT_IMPORTED = {
    "consents": "are given to the platform that asks for them",
    "sessions": "signs in nobody",
    "recentFoods": "follows from the meals",
    "plannedMeals": "plan days anew with the plans, which are imported",
    "personalRecords": "follows from the workouts",
    "days": "follows from all of it",
    "fasts": "the graph takes none that began more than seven days ago",
}
