"""What people want to be told of where, and by which addresses and clocks, as it is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.read_pool import Reader, any_of
from subgraphs.users.domain.notification import NotificationKind
from subgraphs.users.domain.notification_preference import (
    NO_PREFERENCES,
    Choice,
    NotificationChannel,
    Preferences,
    Quiet,
    WorkoutReminders,
)

_BY_USER = text(
    "SELECT user_id, version, choices, quiet_start, quiet_end, workout_reminder_minutes, workout_reminder_time"  # noqa: S608
    f" FROM notification_preference WHERE user_id = {any_of('user_ids')}"
)
_RECIPIENTS = text(
    "SELECT account.id, account.time_zone, account.email,"  # noqa: S608
    " account.email_verified_at IS NOT NULL AND account.status = 'ACTIVE' AS may_be_mailed,"
    " EXISTS (SELECT FROM consent WHERE consent.user_id = account.id AND consent.purpose = 'EMAILS' AND consent.is_current"
    "  AND NOT consent.is_given) AS refuses_mails,"
    " (SELECT count(*) FROM notification WHERE notification.user_id = account.id AND notification.created_at > :since"
    "  AND notification.mailed_at IS NOT NULL) AS mails, preference.choices, preference.quiet_start, preference.quiet_end,"
    " preference.workout_reminder_minutes, preference.workout_reminder_time"
    " FROM account LEFT JOIN notification_preference AS preference ON preference.user_id = account.id"
    f" WHERE account.id = {any_of('user_ids')}"
)


@dataclass(frozen=True, slots=True)
class PreferenceRecord:
    """What a person chose. `version` is 1 for whoever chose nothing yet."""

    preferences: Preferences = NO_PREFERENCES
    version: int = 1


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to tell: whether to be mailed at all, whether nothing but what concerns the safety of the account, and how many mails of notifications the last day has had."""

    user_id: str
    time_zone: str
    email: str
    may_be_mailed: bool
    refuses_mails: bool
    mails: int
    preferences: Preferences


async def preferences_by_user(connection: Reader, user_ids: Sequence[str]) -> dict[str, PreferenceRecord]:
    """Of those who chose something."""
    rows = await connection.execute(_BY_USER, {"user_ids": list(user_ids)})
    return {row[0]: PreferenceRecord(preferences_of(*row[2:]), row[1]) for row in rows}


async def recipients(connection: AsyncConnection, user_ids: Sequence[str], now: datetime) -> dict[str, Recipient]:
    rows = await connection.execute(_RECIPIENTS, {"user_ids": list(user_ids), "since": now - timedelta(days=1)})
    return {
        row.id: Recipient(
            user_id=row.id,
            time_zone=row.time_zone,
            email=row.email,
            may_be_mailed=row.may_be_mailed,
            refuses_mails=row.refuses_mails,
            mails=row.mails,
            preferences=preferences_of(
                row.choices,
                row.quiet_start,
                row.quiet_end,
                row.workout_reminder_minutes,
                row.workout_reminder_time,
            ),
        )
        for row in rows
    }


def stored_choices(preferences: Preferences) -> list[str]:
    """As the column keeps them: `REMINDER EMAIL on`."""
    return sorted(
        f"{kind} {channel} {'on' if is_on else 'off'}" for (kind, channel), is_on in preferences.chosen.items()
    )


def preferences_of(
    choices: Sequence[str] | None,
    quiet_start: time | None,
    quiet_end: time | None,
    minutes_before: int | None,
    time_of_day: time | None,
) -> Preferences:
    """From the columns of a person's row; `choices` is None where the person has none."""
    if choices is None:
        return NO_PREFERENCES
    chosen: dict[Choice, bool] = {}
    for choice in choices:
        kind, channel, state = choice.split()
        chosen[NotificationKind(kind), NotificationChannel(channel)] = state == "on"
    quiet = None if quiet_start is None or quiet_end is None else Quiet(quiet_start, quiet_end)
    return Preferences(chosen, quiet, WorkoutReminders(minutes_before, time_of_day))
