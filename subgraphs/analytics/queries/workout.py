"""What the facts say about workouts: how hard one was among its like, and which kinds of exercise a time had."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import text

from subgraphs.analytics.queries.weight import WANTED_SPANS, Span, columns_of_spans
from subgraphs.shell.read_pool import Reader, any_of


@dataclass(frozen=True, slots=True)
class WorkoutEffort:
    """A workout's energy against the mean of the same person's workouts of the eight weeks before, 1 being equal."""

    workout_id: str
    user_id: str
    relative_effort: Decimal | None


_EFFORTS = text(
    "SELECT one.workout_id, one.user_id, one.calories_kcal / nullif(past.mean_kcal, 0) AS relative_effort"  # noqa: S608
    " FROM workout_fact AS one CROSS JOIN LATERAL ("
    "  SELECT avg(earlier.calories_kcal) AS mean_kcal FROM workout_fact AS earlier"
    "  WHERE earlier.user_id = one.user_id AND earlier.workout_id <> one.workout_id"
    "  AND earlier.status = 'COMPLETED'"
    "  AND earlier.local_date BETWEEN one.local_date - 56 AND one.local_date) AS past"
    f" WHERE one.workout_id = {any_of('ids')}"
)


async def workout_efforts(connection: Reader, workout_ids: Sequence[str]) -> dict[str, WorkoutEffort]:
    rows = await connection.execute(_EFFORTS, {"ids": list(workout_ids)})
    return {row[0]: WorkoutEffort(*row) for row in rows}


@dataclass(frozen=True, slots=True)
class KindCount:
    """Of a kind of exercise: in how many workouts there was one, and how many there were."""

    kind: str
    workouts: int
    exercises: int


# What was trained most comes first: in the most workouts, then with the most exercises.
_KINDS = text(
    f"SELECT wanted.person, wanted.first, wanted.last, part.kind, count(*), sum(part.exercises) FROM {WANTED_SPANS}"  # noqa: S608
    " JOIN workout_fact AS fact ON fact.user_id = wanted.person AND fact.local_date BETWEEN wanted.first AND wanted.last"
    "  AND fact.status = 'COMPLETED'"
    " CROSS JOIN LATERAL (SELECT key AS kind, CAST(value AS integer) AS exercises"
    "  FROM jsonb_each_text(fact.exercise_kinds)) AS part"
    " GROUP BY wanted.person, wanted.first, wanted.last, part.kind ORDER BY 5 DESC, 6 DESC, part.kind"
)


async def kinds_of_exercise(
    connection: Reader, wanted: Sequence[tuple[str, Span]]
) -> dict[tuple[str, Span], list[KindCount]]:
    """Of the completed workouts of each person's span."""
    found: defaultdict[tuple[str, Span], list[KindCount]] = defaultdict(list)
    for user_id, first, last, *counts in await connection.execute(_KINDS, columns_of_spans(wanted)):
        found[(user_id, Span(first, last))].append(KindCount(*counts))
    return found
