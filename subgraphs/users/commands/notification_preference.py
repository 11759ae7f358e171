"""What people choose to be told of where: signed in, or by the link of a mail that they want no more of."""

import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.auth import KeyRing, Viewer
from subgraphs.shell.context import Resources
from subgraphs.shell.errors import Checks, ValidationError, expect_version
from subgraphs.users.commands.cell import marked
from subgraphs.users.commands.workout_reminder import move_workout_reminders
from subgraphs.users.domain.notification import NotificationKind
from subgraphs.users.domain.notification_preference import (
    Choice,
    NotificationChannel,
    Preferences,
    Quiet,
    WorkoutReminders,
    check_choice,
)
from subgraphs.users.domain.workout_reminder import check_minutes
from subgraphs.users.queries.account import AccountRecord, lock_account, lock_existing_account
from subgraphs.users.queries.notification_preference import (
    PreferenceRecord,
    preferences_by_user,
    stored_choices,
)

_KEEP = text(
    "INSERT INTO notification_preference (user_id, choices, quiet_start, quiet_end, workout_reminder_minutes,"
    " workout_reminder_time, version) VALUES (:user_id, :choices, :quiet_start, :quiet_end, :workout_reminder_minutes,"
    " :workout_reminder_time, :version)"
    " ON CONFLICT (user_id) DO UPDATE SET choices = excluded.choices, quiet_start = excluded.quiet_start,"
    " quiet_end = excluded.quiet_end, workout_reminder_minutes = excluded.workout_reminder_minutes,"
    " workout_reminder_time = excluded.workout_reminder_time, version = excluded.version"
)
_PART = "~"  # no character of a digest in base64, of a kind, nor of an id


async def update_preferences(
    viewer: Viewer,
    choices: Mapping[Choice, bool],
    changes: Mapping[str, Any],
    *,
    expected_version: int | None,
    resources: Resources,
) -> PreferenceRecord:
    """Change what the viewer chose, and `quiet_start`, `quiet_end`, `workout_reminder_minutes` and `workout_reminder_time` where
    these are among the changes; reminders of planned workouts move with them.

    Raises ValidationError, StaleVersionError.
    """
    async with resources.database.transaction() as transaction:
        account, old = await _locked(transaction, viewer.id)
        expect_version("notification preferences", expected=expected_version, current=old.version)
        checks = Checks()
        for place, (choice, is_on) in enumerate(choices.items()):
            check_choice(checks, choice, is_on, f"choices.{place}")
        before = old.preferences
        quiet = _quiet(checks, before.quiet, changes)
        workouts = WorkoutReminders(
            changes.get("workout_reminder_minutes", before.workouts.minutes_before),
            changes.get("workout_reminder_time", before.workouts.time_of_day),
        )
        check_minutes(checks, workouts.minutes_before)
        checks.done()
        chosen = Preferences({**before.chosen, **choices}, quiet, workouts)
        kept = await _keep(transaction, viewer.id, chosen, old.version + 1)
        if (quiet, workouts) != (before.quiet, before.workouts):
            await move_workout_reminders(transaction, account, chosen, resources.now())
        return kept


def _quiet(checks: Checks, old: Quiet | None, changes: Mapping[str, Any]) -> Quiet | None:
    start = changes.get("quiet_start", old and old.start)
    end = changes.get("quiet_end", old and old.end)
    checks.require((start is None) == (end is None), "quietEnd", "must be told with quietStart, or both be null")
    checks.require(start is None or start != end, "quietEnd", "must differ from quietStart")
    return None if start is None or end is None else Quiet(start, end)


async def unsubscribe(token: str, *, everything: bool, resources: Resources) -> NotificationKind:
    """Mail no more of the kind that the token is for, or nothing but what concerns the account itself; returns the kind.

    Raises ValidationError for a token that is none. One whose account is gone does nothing.
    """
    user_id, kind = _read_token(token, resources)
    kinds = tuple(NotificationKind) if everything else (kind,)
    async with resources.database.transaction() as transaction:
        if await lock_account(transaction, user_id) is not None:
            old = (await preferences_by_user(transaction, [user_id])).get(user_id, PreferenceRecord())
            off = dict.fromkeys(((each, NotificationChannel.EMAIL) for each in kinds), False)
            chosen = replace(old.preferences, chosen={**old.preferences.chosen, **off})
            await _keep(transaction, user_id, chosen, old.version + 1)
    return kind


def unsubscribe_token(user_id: str, kind: NotificationKind, resources: Resources) -> str:
    """What a mail of this kind brings: it holds for ever, can do nothing else, and is stored nowhere."""
    digest = resources.key_ring.successors(_statement(user_id, kind))[0]
    return marked(_PART.join((digest, kind.value, user_id)), resources.settings.cell)


def _read_token(token: str, resources: Resources) -> tuple[str, NotificationKind]:
    parts = token.rpartition(".")[2].split(_PART)
    if len(parts) == 3 and parts[1] in NotificationKind.__members__:
        digest, kind, user_id = parts[0], NotificationKind(parts[1]), parts[2]
        if _is_ours(resources.key_ring, digest, _statement(user_id, kind)):
            return user_id, kind
    raise ValidationError(("token", "is not one that a mail has brought"))


def _is_ours(key_ring: KeyRing, digest: str, statement: str) -> bool:
    return any(hmac.compare_digest(each.encode(), digest.encode()) for each in key_ring.successors(statement))


def _statement(user_id: str, kind: NotificationKind) -> str:
    return f"unsubscribe {kind.value} {user_id}"


async def _locked(transaction: AsyncConnection, user_id: str) -> tuple[AccountRecord, PreferenceRecord]:
    """The lock on the account makes changes of one person take turns."""
    account = await lock_existing_account(transaction, user_id)
    return account, (await preferences_by_user(transaction, [user_id])).get(user_id, PreferenceRecord())


async def _keep(transaction: AsyncConnection, user_id: str, preferences: Preferences, version: int) -> PreferenceRecord:
    quiet = preferences.quiet
    row = {
        "user_id": user_id,
        "choices": stored_choices(preferences),
        "quiet_start": quiet and quiet.start,
        "quiet_end": quiet and quiet.end,
        "workout_reminder_minutes": preferences.workouts.minutes_before,
        "workout_reminder_time": preferences.workouts.time_of_day,
        "version": version,
    }
    await transaction.execute(_KEEP, row)
    return PreferenceRecord(preferences, version)
