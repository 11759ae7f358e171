"""Planned workouts that are ahead, as users keeps them: of people, and those that are reminded of next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import text

from subgraphs.shell.person_lists import list_of_each
from subgraphs.shell.read_pool import Reader, any_of
from subgraphs.users.domain.workout_reminder import MOST_SHOWN

#: The consumer group that keeps what people plan to train, `projections.planned_workout`.
GROUP = "users-plans"

_COLUMNS = "planned_id, user_id, local_date, time_of_day, name, remind_at, is_done"
_BY_USER = text(
    f"SELECT {_COLUMNS} FROM plan_ahead WHERE user_id = {any_of('user_ids')} ORDER BY planned_id"  # noqa: S608 - our names
)
_NEXT = text(
    "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (id) CROSS JOIN LATERAL ("  # noqa: S608
    f" SELECT {_COLUMNS} FROM plan_ahead WHERE user_id = person.id AND NOT is_done AND remind_at IS NOT NULL"
    " ORDER BY remind_at, planned_id LIMIT :most) AS found"
)


@dataclass(frozen=True, slots=True)
class PlanAheadRecord:
    """A planned workout that is still to be done. `remind_at` is None where no reminder is wanted; `is_done` once it was due."""

    planned_id: str
    user_id: str
    local_date: date
    time_of_day: time | None
    name: str
    remind_at: datetime | None
    is_done: bool


async def plans_ahead_by_user(connection: Reader, user_ids: Sequence[str]) -> dict[str, list[PlanAheadRecord]]:
    """All that each person has ahead; the quota of workouts bounds them."""
    return await list_of_each(connection, _BY_USER, {"user_ids": list(user_ids)}, PlanAheadRecord)


async def workout_reminders_by_user(connection: Reader, user_ids: Sequence[str]) -> dict[str, list[PlanAheadRecord]]:
    """The next ten that each person is to be reminded of, the soonest first."""
    parameters = {"user_ids": list(user_ids), "most": MOST_SHOWN}
    return await list_of_each(connection, _NEXT, parameters, PlanAheadRecord)
