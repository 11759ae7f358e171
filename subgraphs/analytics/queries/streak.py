"""Runs of kept days and weeks as they are read: the newest and the longest one of a habit, and those beside days of rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from subgraphs.analytics.domain.streak import Habit, Run, Streak, streak
from subgraphs.analytics.domain.streak_protection import ProtectedSpan, Protection, ProtectionReason
from subgraphs.analytics.queries.person import ClockRecord
from subgraphs.shell.read_pool import Reader, any_of, opaque


@dataclass(frozen=True, slots=True)
class BestRuns:
    """A person's newest run of a habit, and the length of the longest one."""

    newest: Run
    longest: int


def streak_of(habit: Habit, runs: BestRuns | None, today: date) -> Streak:
    """The streak of a habit; `runs` is None for one that was never kept."""
    return streak(habit, runs.newest, runs.longest, today) if runs else streak(habit, None, 0, today)


_HABITS = {habit.value: habit for habit in Habit}
_PROTECTION = text(
    f"SELECT user_id, firsts, lasts, reasons, version FROM streak_protection WHERE user_id = {any_of('user_ids')}"  # noqa: S608
)
# Near the spans: of each habit the runs that end in one, or as long before it as a run that its rest joins can, and the next one. A rest of
# weeks begins up to six days before the first day that it has of a span, and the run before it ends (so its last week begins) seven days earlier.
# The limits have Postgres look up each person, where it would read whole tables of few thousand.
_FACTS = text(
    "SELECT asked.user_id, person.user_id IS NOT NULL, person.time_zone, person.day_start_hour, person.week_start,"  # noqa: S608
    " protection.firsts, protection.lasts, protection.reasons, protection.version,"
    " (SELECT array_agg(ROW(habit.name, newest.first, newest.last, longest.length))"
    f"  FROM unnest({opaque('habits', 'text[]')}) AS habit (name)"
    "  CROSS JOIN LATERAL (SELECT first, last FROM streak_run AS run"
    "   WHERE run.user_id = asked.user_id AND run.habit = habit.name ORDER BY run.last DESC LIMIT 1) AS newest"
    "  CROSS JOIN LATERAL (SELECT length FROM streak_run AS run"
    "   WHERE run.user_id = asked.user_id AND run.habit = habit.name ORDER BY run.length DESC LIMIT 1) AS longest),"
    " CASE WHEN protection.firsts IS NOT NULL THEN (SELECT array_agg(ROW(habit.name, run.first, run.last))"
    f"  FROM unnest({opaque('habits', 'text[]')}) AS habit (name)"
    "  CROSS JOIN unnest(protection.firsts, protection.lasts) AS span (first, last) CROSS JOIN LATERAL ("
    "   SELECT first, last FROM streak_run AS inside WHERE inside.user_id = asked.user_id AND inside.habit = habit.name"
    "    AND inside.last BETWEEN span.first - 13 AND span.last"
    "   UNION ALL (SELECT first, last FROM streak_run AS next WHERE next.user_id = asked.user_id AND next.habit = habit.name"
    "    AND next.last > span.last ORDER BY next.last LIMIT 1)) AS run) END"
    f" FROM unnest({opaque('user_ids', 'text[]')}) AS asked (user_id)"
    " LEFT JOIN LATERAL (SELECT user_id, time_zone, day_start_hour, week_start FROM person WHERE person.user_id = asked.user_id LIMIT 1) AS person ON TRUE"
    " LEFT JOIN LATERAL (SELECT firsts, lasts, reasons, version FROM streak_protection AS set_by"
    "  WHERE set_by.user_id = asked.user_id LIMIT 1) AS protection ON TRUE"
)


@dataclass(frozen=True, slots=True)
class StreakFacts:
    """All that a person's streaks are made of. The clock and the protection are None where they are not known.

    `beside` has of each habit the runs near the protected days, more of them than their rests touch.
    """

    clock: ClockRecord | None
    protection: Protection | None
    best: dict[Habit, BestRuns]
    beside: dict[Habit, set[Run]]


def _protection(firsts: Sequence[date], lasts: Sequence[date], reasons: Sequence[str], version: int) -> Protection:
    return Protection(tuple(map(ProtectedSpan, firsts, lasts, map(ProtectionReason, reasons))), version)


async def protections(connection: Reader, user_ids: Sequence[str]) -> dict[str, Protection]:
    """Of each person who ever set protected days."""
    rows = await connection.execute(_PROTECTION, {"user_ids": list(user_ids)})
    return {user_id: _protection(*told) for user_id, *told in rows}


async def streak_facts(connection: Reader, user_ids: Sequence[str]) -> dict[str, StreakFacts]:
    """Of each of these people, in one statement."""
    parameters = {"user_ids": list(user_ids), "habits": list(_HABITS)}
    found: dict[str, StreakFacts] = {}
    for row in await connection.execute(_FACTS, parameters):
        user_id, has_clock, time_zone, day_start_hour, week_start, firsts, lasts, reasons, version, best, near = row
        beside: dict[Habit, set[Run]] = {habit: set() for habit in _HABITS.values()}
        for habit, first, last in near or ():
            beside[_HABITS[habit]].add(Run(first, last))
        found[user_id] = StreakFacts(
            clock=ClockRecord.of(time_zone, day_start_hour, week_start) if has_clock else None,
            protection=None if firsts is None else _protection(firsts, lasts, reasons, version),
            best={_HABITS[habit]: BestRuns(Run(first, last), longest) for habit, first, last, longest in best or ()},
            beside=beside,
        )
    return found
