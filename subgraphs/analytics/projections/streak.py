"""Summed days to runs of a habit: what touches a changed day or its week is settled anew. Called by `summary.project`."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.analytics.domain.streak import WORKOUTS_A_WEEK, Habit, Run, settle_runs
from subgraphs.analytics.projections.facts import Day

Owner = tuple[str, Habit]
Kept = Mapping[Owner, Mapping[date, bool]]

_WEEKLY = [habit for habit in Habit if habit is not Habit.MEALS]
_DAYS = text(
    "SELECT user_id, local_date, meals_logged > 0 FROM daily_summary WHERE (user_id, local_date) IN"
    " (SELECT * FROM unnest(CAST(:user_ids AS text[]), CAST(:days AS date[])))"
)
_WEEKS = text(
    "SELECT week.user_id, week.habit, week.first, coalesce(sum(day.workouts_completed), 0) >= :needed"
    " FROM unnest(CAST(:user_ids AS text[]), CAST(:habits AS text[]), CAST(:firsts AS date[]))"
    "  AS week (user_id, habit, first)"
    " LEFT JOIN daily_summary AS day ON day.user_id = week.user_id"
    "  AND day.local_date BETWEEN week.first AND week.first + 6"
    " GROUP BY week.user_id, week.habit, week.first"
)
_NEAR = text(
    "SELECT near.user_id, near.habit, run.first, run.last"
    " FROM unnest(CAST(:user_ids AS text[]), CAST(:habits AS text[]), CAST(:firsts AS date[]), CAST(:lasts AS date[]))"
    "  AS near (user_id, habit, first, last)"
    " JOIN streak_run AS run ON run.user_id = near.user_id AND run.habit = near.habit"
    "  AND run.last >= near.first AND run.first <= near.last"
)
_FORGET = text(
    "DELETE FROM streak_run WHERE (user_id, habit, last) IN"
    " (SELECT * FROM unnest(CAST(:user_ids AS text[]), CAST(:habits AS text[]), CAST(:lasts AS date[])))"
)
_KEEP = text(
    "INSERT INTO streak_run (user_id, habit, first, last, length) SELECT * FROM unnest(CAST(:user_ids AS text[]),"
    " CAST(:habits AS text[]), CAST(:firsts AS date[]), CAST(:lasts AS date[]), CAST(:lengths AS integer[]))"
)


async def refresh_streaks(connection: AsyncConnection, days: Collection[Day]) -> None:
    """Settle the runs that these days are in or next to, by the days' summaries."""
    if not days:
        return
    kept = await _kept(connection, days)
    runs = await _runs_near(connection, kept)
    gone: list[tuple[Owner, Run]] = []
    new: list[tuple[Owner, Run]] = []
    for owner, units in kept.items():
        before = runs[owner]
        after = set(settle_runs(owner[1], before, units))
        gone.extend((owner, run) for run in sorted(before - after))
        new.extend((owner, run) for run in sorted(after - before))
    if gone:
        await connection.execute(_FORGET, _owners(gone) | {"lasts": [run.last for _, run in gone]})
    if new:
        lengths = [run.length(habit) for (_, habit), run in new]
        ends = {"firsts": [run.first for _, run in new], "lasts": [run.last for _, run in new]}
        await connection.execute(_KEEP, _owners(new) | ends | {"lengths": lengths})


async def _kept(connection: AsyncConnection, days: Collection[Day]) -> Kept:
    """Of each person and habit, whether the days, and the weeks that they are in, kept it. A day without summary is a no."""
    kept: defaultdict[Owner, dict[date, bool]] = defaultdict(dict)
    for user_id, day in days:
        kept[(user_id, Habit.MEALS)][day] = False
    told = {"user_ids": [user_id for user_id, _ in days], "days": [day for _, day in days]}
    for user_id, day, has_meal in await connection.execute(_DAYS, told):
        kept[(user_id, Habit.MEALS)][day] = has_meal
    weeks = sorted({(user_id, habit, habit.unit_of(day)) for user_id, day in days for habit in _WEEKLY})
    asked = {
        "user_ids": [user_id for user_id, _, _ in weeks],
        "habits": [habit.value for _, habit, _ in weeks],
        "firsts": [first for _, _, first in weeks],
        "needed": WORKOUTS_A_WEEK,
    }
    for user_id, habit, first, has_enough in await connection.execute(_WEEKS, asked):
        kept[(user_id, Habit(habit))][first] = has_enough
    return kept


async def _runs_near(connection: AsyncConnection, kept: Kept) -> Mapping[Owner, set[Run]]:
    """The runs between the first and the last of the units, or next to them."""
    near = {
        **_owners((owner, None) for owner in kept),
        "firsts": [min(units) - owner[1].step for owner, units in kept.items()],
        "lasts": [max(units) + owner[1].step for owner, units in kept.items()],
    }
    runs: defaultdict[Owner, set[Run]] = defaultdict(set)
    for user_id, habit, first, last in await connection.execute(_NEAR, near):
        runs[(user_id, Habit(habit))].add(Run(first, last))
    return runs


def _owners(told: Iterable[tuple[Owner, object]]) -> dict[str, list[object]]:
    owners = [owner for owner, _ in told]
    return {"user_ids": [user_id for user_id, _ in owners], "habits": [habit.value for _, habit in owners]}
