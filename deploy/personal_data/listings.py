"""What an export asks for: one operation of `operations/` and one file of the export for each kind of thing.

And what that covers: `EXPORTED` and `LEFT_OUT` name every table of the four databases, and a test compares them with the
databases, so that a new table is decided about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any

OPERATIONS = Path(__file__).parent / "operations"
#: The days that the graph's calendar knows; what holds from a day on is asked for from the last to the first.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)


class Walk(Enum):
    """How a list is read to its end."""

    #: One object, no list.
    ONCE = "once"
    #: A connection, from its start; the cursor is the page's `endCursor`.
    FORWARD = "forward"
    #: Of things that hold from a day on: the one of a day, then the one of the day before its first, and so on.
    BACK_IN_TIME = "back-in-time"


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Some records in the list's order. `cursor` is where the next page begins, None at the end."""

    records: list[dict[str, Any]]
    cursor: str | None


@dataclass(frozen=True)
class Listing:
    """One kind of thing, from its operation `operations/NAME.graphql`.

    `path` is where the answer's data has it. How much of it fits into the production router's limit of cost is the default
    of `$first`. `lists` are the dotted paths of lists of objects inside a record; in spreadsheets each has a file of its own.
    """

    name: str
    path: tuple[str, ...]
    walk: Walk = Walk.FORWARD
    lists: tuple[str, ...] = ()

    @cached_property
    def operation(self) -> str:
        return (OPERATIONS / f"{self.name}.graphql").read_text(encoding="utf-8")

    @property
    def is_connection(self) -> bool:
        return self.walk is Walk.FORWARD

    def variables(self, cursor: str | None) -> dict[str, Any]:
        """Of the operation, for the page that begins at `cursor`; None is the start."""
        match self.walk:
            case Walk.ONCE:
                return {}
            case Walk.FORWARD:
                return {"after": cursor}
            case Walk.BACK_IN_TIME:
                return {"date": cursor or LAST_DAY.isoformat()}

    def read(self, data: Mapping[str, Any]) -> ReadPage:
        """The page that an answer's `data` has."""
        found: Any = data
        for name in self.path:
            found = found[name]
        match self.walk:
            case Walk.ONCE:
                return ReadPage([found], None)
            case Walk.FORWARD:
                info = found["pageInfo"]
                return ReadPage(found["nodes"], info["endCursor"] if info["hasNextPage"] else None)
            case Walk.BACK_IN_TIME:
                return ReadPage([found], _day_before(found["effectiveFrom"])) if found else ReadPage([], None)


def _day_before(day: str) -> str | None:
    before = date.fromisoformat(day) - timedelta(days=1)
    return before.isoformat() if before >= FIRST_DAY else None


ACCOUNT = Listing(
    "account",
    ("me",),
    Walk.ONCE,
    lists=(
        "reminders",
        "notificationPreferences.choices",
        "plateInventory.plates",
        "apiKeys",
        "passkeys",
        "webhookEndpoints",
    ),
)
#: In the order in which they are asked.
LISTINGS = (
    ACCOUNT,
    Listing("weights", ("me", "weights")),
    Listing("measurements", ("me", "measurements")),
    Listing("heartRates", ("me", "heartRates")),
    Listing("stepCounts", ("me", "stepCounts")),
    Listing("consents", ("me", "consentHistory")),
    Listing("sessions", ("me", "sessions")),
    Listing("readers", ("me", "readers")),
    Listing("notifications", ("me", "notifications")),
    Listing(
        "foods",
        ("foods",),
        lists=(
            "per100.micronutrients",
            "portions",
            "recipeVersions",
            "recipeVersions.ingredients",
        ),
    ),
    Listing("favouriteFoods", ("me", "favouriteFoods")),
    Listing("recentFoods", ("me", "recentFoods")),
    Listing("savedMeals", ("me", "savedMeals"), lists=("items", "quickAdds")),
    Listing("customSlots", ("me", "customSlots"), Walk.ONCE, lists=("slots",)),
    Listing("dietaryPreferences", ("me", "dietaryPreferences"), Walk.ONCE),
    Listing("mealPlans", ("me", "mealPlans"), lists=("days", "days.meals", "days.meals.items", "days.meals.quickAdds")),
    Listing("plannedMeals", ("me", "plannedMeals"), lists=("items", "quickAdds")),
    Listing("meals", ("me", "meals"), lists=("items", "items.nutrients.micronutrients", "quickAdds")),
    Listing("drinks", ("me", "drinks")),
    Listing("fasts", ("me", "fasts")),
    Listing("nutritionTargets", ("me", "nutritionTarget"), Walk.BACK_IN_TIME, lists=("nutrients", "weekdays")),
    Listing("exercises", ("exercises",)),
    Listing(
        "workouts",
        ("me", "workouts"),
        lists=("pauses", "exercises", "exercises.sets", "track.kmSplits", "track.mileSplits", "track.bests"),
    ),
    Listing("gear", ("me", "gear"), lists=("defaultFor",)),
    Listing("workoutTemplates", ("me", "templates"), lists=("exercises",)),
    Listing("routines", ("me", "routines"), lists=("days", "days.exercises")),
    Listing("plannedWorkouts", ("me", "plannedWorkouts"), lists=("exercises",)),
    Listing("personalRecords", ("me", "personalRecords")),
    Listing("goals", ("me", "goals")),
    Listing("achievements", ("me", "achievements")),
    Listing("streakProtection", ("me", "streakProtection"), Walk.ONCE, lists=("spans",)),
    Listing("days", ("me", "days")),
)

#: Which file of the export has what a table keeps, as domain.table.
EXPORTED: Mapping[str, str] = {
    "users.account": "account",
    "users.weight_entry": "weights",
    "users.measurement": "measurements",
    "users.heart_rate": "heartRates",
    "users.step_count": "stepCounts",
    "users.consent": "consents",
    "users.session": "sessions",
    "users.access_grant": "readers",
    "users.notification": "notifications",
    "users.reminder": "account",
    "users.api_key": "account",
    "users.passkey": "account",
    "users.webhook_endpoint": "account",
    "users.notification_preference": "account",
    "nutrition.food": "foods",
    "nutrition.food_portion": "foods",
    "nutrition.published_food": "foods",
    "nutrition.recipe_version": "foods",
    "nutrition.favourite_food": "favouriteFoods",
    "nutrition.recent_food": "recentFoods",
    "nutrition.saved_meal": "savedMeals",
    "nutrition.custom_slot_list": "customSlots",
    "nutrition.dietary_preference": "dietaryPreferences",
    "nutrition.meal_plan": "mealPlans",
    "nutrition.planned_meal": "plannedMeals",
    "nutrition.meal": "meals",
    "nutrition.meal_item": "meals",
    "nutrition.water": "drinks",
    "nutrition.fast": "fasts",
    "nutrition.nutrition_target": "nutritionTargets",
    "workouts.exercise": "exercises",
    "workouts.default_rest": "account",
    "workouts.plate_inventory": "account",
    "workouts.gear": "gear",
    "workouts.workout": "workouts",
    "workouts.workout_exercise": "workouts",
    "workouts.workout_set": "workouts",
    "workouts.workout_track": "workouts",
    "workouts.track_best": "workouts",
    "workouts.workout_series": "workouts",
    "workouts.routine": "routines",
    "workouts.planned_workout": "plannedWorkouts",
    "workouts.workout_template": "workoutTemplates",
    "workouts.template_exercise": "workoutTemplates",
    "workouts.public_template": "workoutTemplates",
    "workouts.personal_record": "personalRecords",
    "analytics.goal": "goals",
    "analytics.achievement": "achievements",
    "analytics.streak_protection": "streakProtection",
    "analytics.daily_summary": "days",
}

_SIGNS_IN = "a secret, or the hash of one: whoever reads the export could sign in with it"
_WAITING = "lives for minutes or days, until a mail is sent, a link is followed or a browser has answered"
_COPY = "a copy, in another domain, of what the export has from its own"
_DERIVED = "computed from what the export has, and computed anew at any time"
_MACHINERY = "how events travel between the domains; what they say is in the export, from the tables that they tell of"
_INDEX = "finds names by words; the names are in the export"

#: Why a table is in no file of the export. A name without a domain is of a table that several have.
LEFT_OUT: Mapping[str, str] = {
    "users.refresh_token": _SIGNS_IN,
    "users.recovery_code": _SIGNS_IN,
    "users.mailed_token": _SIGNS_IN,
    "users.registration": _WAITING,
    "users.passkey_challenge": _WAITING,
    "users.pending_mail": _WAITING,
    "users.grant_invitation": _WAITING,
    "users.logged_entry": _COPY,
    "users.plan_ahead": _COPY,
    "nutrition.training_entry": _COPY,
    "users.push_subscription": "addresses and keys of browsers, good for sending to them; `pushSubscriptions` names them",
    "users.pending_push": _WAITING,
    "users.webhook_delivery": "messages to endpoints, for ten days: which thing changed, all of which are in the export",
    "users.report_due": "when the report of the running week is told of; the week's entries are in the export",
    "users.audit_entry": "the administrators' record, which names them too; an administrator reads it with `auditTrail`",
    "nutrition.deleted_entry": "what the person deleted a moment ago, until it can no longer be brought back",
    "workouts.exercise_best": _DERIVED,
    "nutrition.food_report": "that a food of somebody else was found out of place, while that is shown as it was",
    "workouts.template_report": "that a template of somebody else was found out of place, while that is shown as it was",
    "workouts.person_weight": _COPY,
    "analytics.meal_fact": _COPY,
    "analytics.meal_food_fact": _COPY,
    "analytics.water_fact": _COPY,
    "analytics.workout_fact": _COPY,
    "analytics.weight_fact": _COPY,
    "analytics.step_fact": _COPY,
    "analytics.measure_fact": _COPY,
    "analytics.food_count": _DERIVED,
    "analytics.streak_run": _DERIVED,
    "analytics.timeline_entry": _DERIVED,
    "analytics.weight_trend": _DERIVED,
    "analytics.erased_user": "ids of people who are erased, who have nothing to export",
    "person": _COPY,
    "access_grant": _COPY,
    "plan_write": "who planned what by a grant, for 90 days; the graph shows it, as `trainingWrites` and its like",
    "access_read": "who read what by a grant, for 90 days; the graph shows it, as `diaryReads` and its like",
    "entity_change": "that each thing of the export was written, and in which transaction; of deleted things the id, for 100 days",
    "change_life": "one row of the database itself; has no person",
    "ended_session": "which sessions are refused, for as long as their last token would hold; has no person",
    "search_entry": _INDEX,
    "search_word": _INDEX,
    "outbox": _MACHINERY,
    "outbox_relay": _MACHINERY,
    "inbox": _MACHINERY,
    "inbox_partition": _MACHINERY,
    "park_order": _MACHINERY,
    "parked_record": _MACHINERY,
    "alembic_version": "which migrations ran; has no person",
}
