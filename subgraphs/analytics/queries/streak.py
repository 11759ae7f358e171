"""Runs of kept days and weeks as they are read: the newest and the longest one of a habit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from subgraphs.analytics.domain.streak import Habit, Run, Streak, streak
from subgraphs.shell.read_pool import Reader


@dataclass(frozen=True, slots=True)
class BestRuns:
    """A person's newest run of a habit, and the length of the longest one."""

    newest: Run
    longest: int


_BEST = text(
    "SELECT asked.user_id, asked.habit, newest.first, newest.last, longest.length"
    " FROM unnest(CAST(:user_ids AS text[]), CAST(:habits AS text[])) AS asked (user_id, habit)"
    " CROSS JOIN LATERAL (SELECT first, last FROM streak_run AS run"
    "  WHERE run.user_id = asked.user_id AND run.habit = asked.habit ORDER BY run.last DESC LIMIT 1) AS newest"
    " CROSS JOIN LATERAL (SELECT length FROM streak_run AS run"
    "  WHERE run.user_id = asked.user_id AND run.habit = asked.habit ORDER BY run.length DESC LIMIT 1) AS longest"
)


async def best_runs(connection: Reader, wanted: Sequence[tuple[str, Habit]]) -> dict[tuple[str, Habit], BestRuns]:
    """Of each (user id, habit) that was ever kept."""
    parameters = {"user_ids": [user_id for user_id, _ in wanted], "habits": [habit.value for _, habit in wanted]}
    return {
        (user_id, Habit(habit)): BestRuns(Run(first, last), longest)
        for user_id, habit, first, last, longest in await connection.execute(_BEST, parameters)
    }


def streak_of(habit: Habit, runs: BestRuns | None, today: date) -> Streak:
    """The streak of a habit; `runs` is None for one that was never kept."""
    return streak(habit, runs.newest, runs.longest, today) if runs else streak(habit, None, 0, today)
