"""What people are notified of, in which words, and for how long it is kept. Pure."""

from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum


class NotificationKind(StrEnum):
    GOAL_COMPLETED = "GOAL_COMPLETED"
    ACHIEVEMENT_UNLOCKED = "ACHIEVEMENT_UNLOCKED"
    PERSONAL_RECORD = "PERSONAL_RECORD"
    WEEKLY_REPORT_READY = "WEEKLY_REPORT_READY"
    REMINDER = "REMINDER"
    ACCESS_GRANTED = "ACCESS_GRANTED"
    ACCESS_ENDED = "ACCESS_ENDED"
    PLAN_WRITTEN = "PLAN_WRITTEN"
    PLANNING_ENDED = "PLANNING_ENDED"
    NEW_SIGN_IN = "NEW_SIGN_IN"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - a kind of notification
    EMAIL_CHANGED = "EMAIL_CHANGED"
    PASSKEY_ADDED = "PASSKEY_ADDED"
    PASSKEY_BLOCKED = "PASSKEY_BLOCKED"
    WEBHOOK_DISABLED = "WEBHOOK_DISABLED"


#: The newest so many of a person are kept, and each for so long.
MOST_KEPT = 500
KEPT_DAYS = 90
#: What happened longer ago is told to nobody any more: an import of old workouts, a group that reads its topics anew.
OLDEST_NEWS = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotification:
    """Something to tell a person, once for each `cause`, which names what happened among all that the person is told.

    `subject_id` is the id of what it is about, `detail` what else the words need: see `wording`. `actor_id` is somebody
    else whom the words name. One that `is_hushed` is in the list only while its person wants quiet, and not sent afterwards.
    """

    user_id: str
    kind: NotificationKind
    cause: str
    subject_id: str | None = None
    detail: str | None = None
    actor_id: str | None = None
    is_hushed: bool = False


@dataclass(frozen=True, slots=True)
class Wording:
    """A notification in English: a line, and what else there is to say."""

    title: str
    body: str | None = None


def wording(kind: NotificationKind, detail: str | None) -> Wording:
    """What a client shows that has no words of its own for the kind."""
    match kind:
        case NotificationKind.ACHIEVEMENT_UNLOCKED:
            return Wording("You have achieved something", _achieved(detail or ""))
        case NotificationKind.PERSONAL_RECORD:
            return Wording("A personal record", f"More than ever before: {detail}")
        case NotificationKind.WEEKLY_REPORT_READY:
            return Wording("The report of your week is there", f"Of the week that began on {detail}.")
        case NotificationKind.REMINDER:
            return _of_reminder(detail or "")
        case NotificationKind.ACCESS_GRANTED | NotificationKind.ACCESS_ENDED | NotificationKind.PLANNING_ENDED:
            return _of_grant(kind, detail)
        case NotificationKind.PLAN_WRITTEN:
            return _of_plan(detail)
        case NotificationKind.NEW_SIGN_IN:
            device = f"on a device called {detail}" if detail else "on a device without a name"
            return Wording("A new sign-in", f"Somebody signed in {device}. If it was not you, change your password.")
        case NotificationKind.GOAL_COMPLETED | NotificationKind.PASSWORD_CHANGED | NotificationKind.EMAIL_CHANGED:
            return _ALWAYS[kind]
        case NotificationKind.PASSKEY_ADDED | NotificationKind.PASSKEY_BLOCKED:
            return _of_passkey(kind, detail)
        case NotificationKind.WEBHOOK_DISABLED:
            return Wording("A webhook was switched off", _SWITCHED_OFF.get(detail or ""))


_ALWAYS = {
    NotificationKind.GOAL_COMPLETED: Wording("You have reached a goal"),
    NotificationKind.PASSWORD_CHANGED: Wording("Your password was changed", "All sign-ins from before have ended."),
    NotificationKind.EMAIL_CHANGED: Wording("Your e-mail address was changed"),
}
_SWITCHED_OFF = {
    "FAILING": "It has taken no message for more than a day. What waits for it is sent when you switch it on again.",
    "GONE": "It answered that it is gone for good.",
    "TOO_MANY_WAITING": "More messages waited for it than it takes. Some were not kept.",
}
_REMINDERS = {
    "LOG_BREAKFAST": "Time to log your breakfast",
    "LOG_LUNCH": "Time to log your lunch",
    "LOG_DINNER": "Time to log your dinner",
    "DRINK": "Time to drink something",
    "WEIGH_IN": "Time to step on the scale",
    "TRAIN": "Time to train",
}
_PLANNED = {
    "TEMPLATE": "a template of workouts",
    "ROUTINE": "a routine",
    "PLANNED_WORKOUT": "what you plan to train on some days",
    "MEAL_PLAN": "a plan of meals",
    "PLANNED_MEALS": "what you plan to eat on some days",
    "NUTRITION_TARGET": "what you aim to eat in a day",
    "GOAL": "a goal",
}
_ACHIEVED = {
    "FIRST_MEAL": "A first meal in the diary.",
    "MEALS_7_DAYS": "Seven days in a row with a meal.",
    "MEALS_30_DAYS": "Thirty days in a row with a meal.",
    "MEALS_100_DAYS": "A hundred days in a row with a meal.",
    "MEALS_365_DAYS": "365 days in a row with a meal.",
    "FIRST_WORKOUT": "A first workout.",
    "WORKOUTS_10": "Ten workouts.",
    "WORKOUTS_50": "Fifty workouts.",
    "WORKOUTS_100": "A hundred workouts.",
    "VOLUME_5000_KG": "5,000 kg lifted in all.",
    "VOLUME_25000_KG": "25,000 kg lifted in all.",
    "VOLUME_100000_KG": "100,000 kg lifted in all.",
    "VOLUME_500000_KG": "500,000 kg lifted in all.",
    "VOLUME_1000000_KG": "A million kilograms lifted in all.",
    "VOLUME_5000000_KG": "Five million kilograms lifted in all.",
    "VOLUME_10000000_KG": "Ten million kilograms lifted in all.",
    "WEEKEND_WORKOUTS_25": "25 workouts at weekends.",
    "EARLY_WORKOUTS_25": "25 workouts begun before six in the morning.",
    "LATE_WORKOUTS_25": "25 workouts begun at eleven in the evening or later.",
    "FIRST_RECORD": "A first personal record.",
    "RECORDS_10": "Ten personal records.",
    "RECORDS_100": "A hundred personal records.",
    "NEW_YEARS_DAY": "A workout on New Year's Day.",
    "COMEBACK": "Back after a month without a workout.",
    "FIRST_GOAL_REACHED": "A first goal.",
}


def planned_detail(day: date, clock: time | None, name: str) -> str:
    """What a reminder of a planned workout has as its detail: `TRAIN 2026-03-30 18:00 Legs`, or `-` where it has no time."""
    return f"TRAIN {day} {'-' if clock is None else clock.isoformat('minutes')} {name}"


def _of_reminder(detail: str) -> Wording:
    """`detail` is the kind of reminder, or what `planned_detail` made."""
    kind, _, planned = detail.partition(" ")
    if not planned:
        return Wording(_REMINDERS.get(kind, "You wanted to be reminded"))
    day, clock, name = planned.split(" ", 2)
    return Wording(f"Planned: {name}", f"For {day}." if clock == "-" else f"For {clock} on {day}.")


def _achieved(kind: str) -> str:
    """A kind that analytics has and this release has no words for is told by its name."""
    return _ACHIEVED.get(kind, f"{kind.replace('_', ' ').capitalize()}.")


def _of_passkey(kind: NotificationKind, name: str | None) -> Wording:
    if kind is NotificationKind.PASSKEY_ADDED:
        return Wording(
            "A passkey was added", f"It is called {name}. If it was not you, have a new password sent to you."
        )
    return Wording(
        "A passkey was shut",
        f"There seems to be a copy of {name}, so that it signs in nobody any more. Remove it, and add another.",
    )


def _of_grant(kind: NotificationKind, relation: str | None) -> Wording:
    reader = "Somebody of your family" if relation == "FAMILY" else "A coach"
    if kind is NotificationKind.ACCESS_GRANTED:
        return Wording("Your invitation was accepted", f"{reader} has what you offered from now on.")
    if kind is NotificationKind.ACCESS_ENDED:
        return Wording("A grant of access has ended", f"It was for {reader.lower()}.")
    return Wording("A grant plans nothing any more", f"It was for {reader.lower()}; reading goes on.")


def _of_plan(detail: str | None) -> Wording:
    """`detail` is the kind of plan, and after a space who wrote it."""
    what, _, name = (detail or "").partition(" ")
    return Wording("Somebody planned for you", f"{name or 'Somebody'} has written {_PLANNED.get(what, 'a plan')}.")
