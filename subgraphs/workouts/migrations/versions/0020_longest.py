"""Records of the longest distance and time, of the workouts of before too."""

from alembic import op

revision = "workouts_0020"
down_revision = "workouts_0019"
branch_labels = None
depends_on = None

_STATEMENTS = (
    *(
        f"ALTER TABLE {table} ADD COLUMN max_distance_m numeric(10, 2), ADD COLUMN max_duration_seconds integer"
        for table in ("exercise_best", "personal_record")
    ),
    """
    UPDATE exercise_best AS best SET max_distance_m = told.distance_m, max_duration_seconds = told.seconds
    FROM (
        SELECT workout_id, exercise_id, max(distance_m) AS distance_m, max(duration_seconds) AS seconds FROM workout_set
        WHERE kind NOT IN ('WARM_UP', 'MYO_REPS', 'PARTIAL') AND (distance_m IS NOT NULL OR duration_seconds IS NOT NULL)
        GROUP BY workout_id, exercise_id
    ) AS told
    WHERE best.workout_id = told.workout_id AND best.exercise_id = told.exercise_id
    """,
    # What was told as the time of an exercise, without sets.
    """
    INSERT INTO exercise_best (workout_id, exercise_id, user_id, local_date, max_duration_seconds)
    SELECT workout.id, place.exercise_id, workout.user_id, workout.local_date, max(place.duration_seconds)
    FROM workout_exercise AS place JOIN workout ON workout.id = place.workout_id AND workout.status <> 'CANCELLED'
    WHERE place.duration_seconds IS NOT NULL
        AND NOT EXISTS (SELECT FROM workout_set WHERE workout_set.workout_exercise_id = place.id)
    GROUP BY workout.id, place.exercise_id
    ON CONFLICT (workout_id, exercise_id) DO UPDATE SET
        max_duration_seconds = greatest(exercise_best.max_duration_seconds, excluded.max_duration_seconds)
    """,
    # Distance, then time, decides the day where nothing was lifted or counted; elsewhere the day stays.
    """
    INSERT INTO personal_record AS record (user_id, exercise_id, max_distance_m, max_duration_seconds, achieved_on)
    SELECT user_id, exercise_id, max(max_distance_m), max(max_duration_seconds),
        (array_agg(local_date ORDER BY max_distance_m DESC NULLS LAST, max_duration_seconds DESC NULLS LAST, local_date))[1]
    FROM exercise_best WHERE max_distance_m IS NOT NULL OR max_duration_seconds IS NOT NULL
    GROUP BY user_id, exercise_id
    ON CONFLICT (user_id, exercise_id) DO UPDATE SET max_distance_m = excluded.max_distance_m,
        max_duration_seconds = excluded.max_duration_seconds,
        achieved_on = CASE WHEN coalesce(record.best_one_rep_max_kg, record.max_weight_kg, record.max_reps) IS NULL
            THEN excluded.achieved_on ELSE record.achieved_on END
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
