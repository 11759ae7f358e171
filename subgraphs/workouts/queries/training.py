"""What somebody trained in a span of days: hard sets and volume of each muscle by week, and the load of each day."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import text

from subgraphs.shell.read_pool import Reader


@dataclass(frozen=True, slots=True)
class TrainedDays:
    """Local days from `first` to `last`, included. Hashable: people with one span share a read."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class MuscleWork:
    """A muscle's work in the week that begins on a Monday: sets count whole where it moves, half where it helps."""

    week: date
    muscle: str
    hard_sets: Decimal
    volume_kg: Decimal


# A working set is hard unless the person told an exertion that left more than four repetitions. One of the left or the right side is
# half of one, and one of each side has twice its volume, as `domain.workout_set` says.
# Summed by exercise first; LIMIT makes the planner look each exercise up by its key instead of reading them all.
_MUSCLE_WORK = text(
    """
    WITH done AS MATERIALIZED (
        SELECT w.user_id, CAST(date_trunc('week', CAST(w.local_date AS timestamp)) AS date) AS week, s.exercise_id,
            coalesce(sum(CASE WHEN s.side IN ('LEFT', 'RIGHT') THEN 0.5 ELSE 1 END)
                FILTER (WHERE s.rpe IS NULL OR s.rpe >= 6), 0) AS hard_sets,
            coalesce(sum(s.load_kg * s.reps * CASE s.side WHEN 'EACH' THEN 2 ELSE 1 END), 0) AS volume_kg
        FROM workout AS w CROSS JOIN LATERAL (
            SELECT s.* FROM workout_exercise AS p JOIN workout_set AS s ON s.workout_exercise_id = p.id
            WHERE p.workout_id = w.id AND s.kind <> 'WARM_UP' AND s.reps IS NOT NULL LIMIT 500
        ) AS s
        WHERE w.user_id = ANY(:user_ids) AND w.local_date BETWEEN :first AND :last AND w.status <> 'CANCELLED'
        GROUP BY w.user_id, week, s.exercise_id
    )
    SELECT done.user_id, done.week, m.muscle, sum(m.share * done.hard_sets), sum(m.share * done.volume_kg)
    FROM done
    CROSS JOIN LATERAL (SELECT * FROM exercise WHERE exercise.id = done.exercise_id LIMIT 1) AS e
    CROSS JOIN LATERAL (
        SELECT unnest(e.primary_muscles) AS muscle, 1.0 AS share
        UNION ALL SELECT unnest(e.secondary_muscles), 0.5
    ) AS m
    GROUP BY done.user_id, done.week, m.muscle ORDER BY done.week, m.muscle
    """
)
_LOADS = text(
    "SELECT user_id, local_date, sum(session_rpe * duration_minutes) FROM workout WHERE user_id = ANY(:user_ids)"
    " AND local_date BETWEEN :first AND :last AND status = 'COMPLETED' AND session_rpe IS NOT NULL"
    " GROUP BY user_id, local_date"
)


async def muscle_work(connection: Reader, user_ids: Sequence[str], days: TrainedDays) -> dict[str, list[MuscleWork]]:
    """Of each person by week, the oldest first, and muscle."""
    by_user: defaultdict[str, list[MuscleWork]] = defaultdict(list)
    parameters = {"user_ids": list(user_ids), "first": days.first, "last": days.last}
    for user_id, *work in await connection.execute(_MUSCLE_WORK, parameters):
        by_user[user_id].append(MuscleWork(*work))
    return by_user


async def session_loads(
    connection: Reader, user_ids: Sequence[str], days: TrainedDays
) -> dict[str, dict[date, Decimal]]:
    """Of each person the load of each day with a session whose exertion was told."""
    by_user: defaultdict[str, dict[date, Decimal]] = defaultdict(dict)
    parameters = {"user_ids": list(user_ids), "first": days.first, "last": days.last}
    for user_id, day, load in await connection.execute(_LOADS, parameters):
        if load is not None:
            by_user[user_id][day] = load
    return by_user
