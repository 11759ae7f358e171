"""What people have achieved, judged anew where something changed: by the projector, and when goals change.

A row is made once, when an achievement is first reached, and stays with its `unlocked_at`: so it is told once. Its day
follows the facts, and is null while they do not bear it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.analytics import AchievementUnlocked
from events.outbox import NewEvent, append_events
from subgraphs.analytics.domain.achievement import (
    CATALOGUE,
    DAYS_IN_A_ROW,
    GOALS,
    TRAINING,
    TRAINING_MEASURES,
    AchievementKind,
    in_question,
)
from subgraphs.analytics.queries.achievement import AMOUNTS, SESSIONS, training_totals
from subgraphs.shell.telemetry import current_traceparent

#: (user id, kind, what of it is needed)
_Asked = tuple[str, AchievementKind, int]

# The last lock that a transaction takes: who judges a person sees what whoever judged before has written.
_LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('achievement:' || id, 0))"
    " FROM (SELECT id FROM unnest(CAST(:user_ids AS text[])) AS told (id) ORDER BY id) AS person"
)
_REACHED = text(
    "SELECT user_id, kind, reached_on FROM achievement WHERE user_id = ANY(:user_ids) AND reached_on IS NOT NULL"
)
_ASKED = "unnest(CAST(:user_ids AS text[]), CAST(:kinds AS text[]), CAST(:needed AS integer[])) AS asked (user_id, kind, needed)"
_DAYS_IN_A_ROW = text(
    f"SELECT asked.user_id, asked.kind, run.first + asked.needed - 1 FROM {_ASKED}"  # noqa: S608 - our names
    " CROSS JOIN LATERAL (SELECT min(first) AS first FROM streak_run WHERE user_id = asked.user_id AND habit = 'MEALS'"
    "  AND length >= asked.needed) AS run"
)
# The first day by whose end a measure of training has come to what is needed. Sessions of one day come to it together.
_TRAINED = text(
    f"WITH counted AS (SELECT session.user_id, part.measure, session.local_date,"  # noqa: S608 - our names
    " sum(part.amount) OVER (PARTITION BY session.user_id, part.measure ORDER BY session.local_date) AS total"
    f" FROM ({SESSIONS}) AS session CROSS JOIN LATERAL (VALUES "
    + ", ".join(f"('{each}', CAST({AMOUNTS[each]} AS numeric))" for each in TRAINING_MEASURES)
    + ") AS part (measure, amount) WHERE part.measure = ANY(:measures) AND part.amount > 0)"
    " SELECT asked.user_id, asked.kind, min(counted.local_date)"
    " FROM unnest(CAST(:user_ids AS text[]), CAST(:kinds AS text[]), CAST(:needed AS integer[]), CAST(:measures AS text[]))"
    "  AS asked (user_id, kind, needed, measure)"
    " JOIN counted ON counted.user_id = asked.user_id AND counted.measure = asked.measure AND counted.total >= asked.needed"
    " GROUP BY asked.user_id, asked.kind"
)
_GOALS = text(
    f"SELECT asked.user_id, asked.kind, (SELECT min(reached_on) FROM goal WHERE goal.user_id = asked.user_id) FROM {_ASKED}"  # noqa: S608
)
_TOLD = "unnest(CAST(:user_ids AS text[]), CAST(:kinds AS text[]), CAST(:days AS date[])) AS told (user_id, kind, reached_on)"
_UNLOCK = text(
    "INSERT INTO achievement (user_id, kind, reached_on, unlocked_at)"  # noqa: S608 - our names
    f" SELECT user_id, kind, reached_on, :now FROM {_TOLD} WHERE reached_on IS NOT NULL"
    " ON CONFLICT DO NOTHING RETURNING user_id, kind, reached_on"
)
_MOVE = text(
    f"UPDATE achievement SET reached_on = told.reached_on FROM {_TOLD}"  # noqa: S608 - our names
    " WHERE achievement.user_id = told.user_id AND achievement.kind = told.kind"
    " AND achievement.reached_on IS DISTINCT FROM told.reached_on"
)


@dataclass(frozen=True, slots=True)
class Changed:
    """The first day of a person on which something changed, of the meals and of the workouts; None for nothing."""

    fed: date | None = None
    trained: date | None = None
    has_goals: bool = False


EVERYTHING_CHANGED = Changed(fed=date.min, trained=date.min, has_goals=True)

Unlocked = list[tuple[str, AchievementKind]]


async def judge_achievements(transaction: AsyncConnection, changed: Mapping[str, Changed], now: datetime) -> Unlocked:
    """Bring these people's achievements in line with the facts; returns those that were never unlocked before.

    Depends on the facts alone and not on the order they came in.
    """
    if not changed:
        return []
    await transaction.execute(_LOCK, {"user_ids": sorted(changed)})
    reached: dict[str, dict[AchievementKind, date]] = {user_id: {} for user_id in changed}
    for user_id, kind, day in await transaction.execute(_REACHED, {"user_ids": sorted(changed)}):
        reached[user_id][AchievementKind(kind)] = day
    found: dict[tuple[str, str], date | None] = {}
    for statement, asked in (
        (_DAYS_IN_A_ROW, _asked(DAYS_IN_A_ROW, reached, {user_id: each.fed for user_id, each in changed.items()})),
        (_GOALS, [(user_id, kind, 1) for user_id, each in changed.items() if each.has_goals for kind in GOALS]),
    ):
        if asked:
            found |= {(row[0], row[1]): row[2] for row in await transaction.execute(statement, _parameters(asked))}
    trained = _asked(TRAINING, reached, {user_id: each.trained for user_id, each in changed.items()})
    if trained:
        found |= await _days_of_training(transaction, trained)
    return await _keep(transaction, found, now)


async def _days_of_training(
    transaction: AsyncConnection, asked: Sequence[_Asked]
) -> dict[tuple[str, str], date | None]:
    """The days on which these were reached, None for the others. Days are looked for only where the totals say that there is one."""
    totals = await training_totals(transaction, sorted({user_id for user_id, _, _ in asked}))
    found: dict[tuple[str, str], date | None] = {(user_id, kind.value): None for user_id, kind, _ in asked}
    borne = [
        (user_id, kind, needed)
        for user_id, kind, needed in asked
        if user_id in totals and totals[user_id][CATALOGUE[kind].measure] >= needed
    ]
    if borne:
        measures = [CATALOGUE[kind].measure.value for _, kind, _ in borne]
        rows = await transaction.execute(_TRAINED, _parameters(borne) | {"measures": measures})
        found |= {(row[0], row[1]): row[2] for row in rows}
    return found


async def judge_goal_achievements(transaction: AsyncConnection, user_id: str, now: datetime) -> None:
    """After a change of the person's goals, which whoever commanded it announces to the subscribers."""
    await judge_achievements(transaction, {user_id: Changed(has_goals=True)}, now)


def _asked(
    kinds: Mapping[AchievementKind, int],
    reached: Mapping[str, Mapping[AchievementKind, date]],
    first_changes: Mapping[str, date | None],
) -> list[_Asked]:
    return [
        (user_id, kind, kinds[kind])
        for user_id, first_change in first_changes.items()
        if first_change is not None
        for kind in in_question(kinds, reached[user_id], first_change)
    ]


def _parameters(asked: Sequence[_Asked]) -> dict[str, list[object]]:
    return {
        "user_ids": [user_id for user_id, _, _ in asked],
        "kinds": [kind.value for _, kind, _ in asked],
        "needed": [needed for _, _, needed in asked],
    }


async def _keep(transaction: AsyncConnection, found: Mapping[tuple[str, str], date | None], now: datetime) -> Unlocked:
    if not found:
        return []
    told: dict[str, Iterable[object]] = {
        "user_ids": [user_id for user_id, _ in found],
        "kinds": [kind for _, kind in found],
        "days": list(found.values()),
    }
    await transaction.execute(_MOVE, told)
    unlocked = (await transaction.execute(_UNLOCK, told | {"now": now})).all()
    await append_events(transaction, [_unlocked_event(row[0], row[1], row[2], now) for row in unlocked])
    return [(user_id, AchievementKind(kind)) for user_id, kind, _ in unlocked]


def _unlocked_event(user_id: str, kind: str, reached_on: date, now: datetime) -> NewEvent:
    return NewEvent(
        payload=AchievementUnlocked(kind=kind, reached_on=reached_on, unlocked_at=now),
        aggregate_id=f"{user_id}:{kind}",
        version=1,
        user_id=user_id,
        occurred_at=now,
        source="system",
        traceparent=current_traceparent(),
    )
