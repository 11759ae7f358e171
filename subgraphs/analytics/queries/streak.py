"""Runs of kept days and weeks as they are read: the newest and the longest one of a habit, and those beside days of rest."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from subgraphs.analytics.domain.streak import Habit, Run, Streak, streak
from subgraphs.analytics.domain.streak_protection import ProtectedSpan, Protection, ProtectionReason
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


#: A person, a habit and its stretches of rest. Hashable.
Resting = tuple[str, Habit, tuple[Run, ...]]

_PROTECTION = text(
    "SELECT user_id, firsts, lasts, reasons, version FROM streak_protection WHERE user_id = ANY(:user_ids)"
)
# Runs that end right before a rest or within it, and the one that follows.
_BESIDE_RESTS = text(
    "SELECT rest.number, run.first, run.last FROM unnest(CAST(:numbers AS integer[]), CAST(:user_ids AS text[]),"
    " CAST(:habits AS text[]), CAST(:starts AS date[]), CAST(:lasts AS date[]))"
    "  AS rest (number, user_id, habit, start, last) CROSS JOIN LATERAL ("
    "  SELECT first, last FROM streak_run AS inside WHERE inside.user_id = rest.user_id AND inside.habit = rest.habit"
    "   AND inside.last BETWEEN rest.start AND rest.last"
    "  UNION ALL (SELECT first, last FROM streak_run AS next WHERE next.user_id = rest.user_id AND next.habit = rest.habit"
    "   AND next.last > rest.last ORDER BY next.last LIMIT 1)) AS run"
)


async def protections(connection: Reader, user_ids: Sequence[str]) -> dict[str, Protection]:
    """Of each person who ever set protected days."""
    rows = await connection.execute(_PROTECTION, {"user_ids": list(user_ids)})
    return {
        user_id: Protection(
            tuple(map(ProtectedSpan, firsts, lasts, map(ProtectionReason, reasons))),
            version,
        )
        for user_id, firsts, lasts, reasons, version in rows
    }


async def runs_beside_rests(connection: Reader, wanted: Sequence[Resting]) -> dict[Resting, list[Run]]:
    """Of each person and habit, the runs that may be joined by these rests."""
    rests = [(number, rest) for number, (_, _, rests) in enumerate(wanted) for rest in rests]
    parameters = {
        "numbers": [number for number, _ in rests],
        "user_ids": [wanted[number][0] for number, _ in rests],
        "habits": [wanted[number][1].value for number, _ in rests],
        "starts": [rest.first - wanted[number][1].step for number, rest in rests],
        "lasts": [rest.last for _, rest in rests],
    }
    found: defaultdict[Resting, list[Run]] = defaultdict(list)
    for number, first, last in await connection.execute(_BESIDE_RESTS, parameters):
        found[wanted[number]].append(Run(first, last))
    return found
