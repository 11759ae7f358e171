"""Loads of sets, rules that workouts are settled by, order by start, records of their own, what requests made."""

from alembic import op
from sqlalchemy import text

from subgraphs.workouts.domain.exercise import Equipment, Muscle, body_weight_share

revision = "workouts_0003"
down_revision = "workouts_0002_search"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE exercise ADD COLUMN body_weight_share numeric(3, 2) NOT NULL DEFAULT 0",
    "ALTER TABLE workout_set ADD COLUMN load_kg numeric(8, 2)",
    # Workouts of before are settled anew by the process, which tells their new numbers to everybody.
    "ALTER TABLE workout ADD COLUMN rules integer NOT NULL DEFAULT 1",
    "CREATE INDEX workout_by_rules ON workout (rules, id)",
    # Numbers that no path lets in any more.
    "UPDATE workout SET reported_kcal = NULL WHERE reported_kcal NOT BETWEEN 0 AND 20000",
    "UPDATE workout SET active_minutes = NULL WHERE active_minutes < 0 OR active_minutes > coalesce(duration_minutes, 1440)",
    "UPDATE workout_exercise SET duration_seconds = NULL WHERE duration_seconds NOT BETWEEN 1 AND 86400",
    "DROP INDEX workout_by_user_and_day",
    "CREATE INDEX workout_by_user_and_day ON workout (user_id, local_date DESC, started_at DESC, id DESC)",
    """
    CREATE TABLE exercise_best (
        workout_id text NOT NULL,
        exercise_id text NOT NULL,
        user_id text NOT NULL,
        local_date date NOT NULL,
        max_weight_kg numeric(7, 2),
        max_reps integer,
        best_one_rep_max_kg numeric(8, 3),
        best_set_volume_kg numeric(14, 3),
        PRIMARY KEY (workout_id, exercise_id)
    )
    """,
    "CREATE INDEX exercise_best_by_exercise ON exercise_best (user_id, exercise_id)",
    """
    CREATE TABLE personal_record (
        user_id text NOT NULL,
        exercise_id text NOT NULL,
        max_weight_kg numeric(7, 2),
        max_reps integer,
        best_one_rep_max_kg numeric(8, 3),
        best_set_volume_kg numeric(14, 3),
        achieved_on date NOT NULL,
        PRIMARY KEY (user_id, exercise_id)
    )
    """,
    "CREATE INDEX personal_record_by_day ON personal_record (user_id, achieved_on DESC, exercise_id DESC)",
    # Until the workouts are settled anew, the weight that was held is all that is known of a load.
    """
    INSERT INTO exercise_best SELECT s.workout_id, s.exercise_id, s.user_id, w.local_date, max(s.weight_kg), max(s.reps),
        max(s.one_rep_max_kg), max(s.weight_kg * s.reps)
    FROM workout_set AS s JOIN workout AS w ON w.id = s.workout_id
    WHERE s.kind <> 'WARM_UP' AND w.status <> 'CANCELLED' GROUP BY s.workout_id, s.exercise_id, s.user_id, w.local_date
    """,
    """
    INSERT INTO personal_record SELECT user_id, exercise_id, max(max_weight_kg), max(max_reps),
        max(best_one_rep_max_kg), max(best_set_volume_kg),
        (array_agg(local_date ORDER BY best_one_rep_max_kg DESC NULLS LAST, max_weight_kg DESC NULLS LAST,
         max_reps DESC NULLS LAST, local_date))[1]
    FROM exercise_best GROUP BY user_id, exercise_id
    """,
    "DROP INDEX workout_set_by_user",
    "ALTER TABLE workout DROP CONSTRAINT workout_user_id_idempotency_key_key, ADD COLUMN idempotency_content bytea",
    "ALTER TABLE workout_set ADD COLUMN idempotency_key text, ADD COLUMN idempotency_content bytea",
    "ALTER TABLE exercise ADD COLUMN idempotency_key text, ADD COLUMN idempotency_content bytea",
    *(
        f"CREATE UNIQUE INDEX {table}_by_idempotency_key ON {table} ({owner}, idempotency_key)"
        " WHERE idempotency_key IS NOT NULL"
        for table, owner in (("workout", "user_id"), ("workout_set", "user_id"), ("exercise", "created_by"))
    ),
    "CREATE INDEX workout_without_weight ON workout (user_id) WHERE status = 'COMPLETED' AND body_weight_kg IS NULL",
)
# What people wrote into their own exercises while any text would do.
_CLOSED_SETS = (
    "UPDATE exercise SET equipment = 'other' WHERE NOT equipment = ANY(CAST(:equipment AS text[]))",
    *(
        f"UPDATE exercise SET {column} = ARRAY(SELECT each FROM unnest({column}) AS each WHERE each = ANY(CAST(:muscles AS text[])))"  # noqa: S608 - our names
        f" WHERE NOT {column} <@ CAST(:muscles AS text[])"
        for column in ("primary_muscles", "secondary_muscles")
    ),
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    connection = op.get_bind()
    kinds = {"equipment": [each.value for each in Equipment], "muscles": [each.value for each in Muscle]}
    for statement in _CLOSED_SETS:
        connection.execute(text(statement), kinds)
    share_of = text("UPDATE exercise SET body_weight_share = :share WHERE id = :id")
    for row in connection.execute(
        text("SELECT id, name, tracking, equipment FROM exercise WHERE tracking = 'REPS'")
    ).all():
        share = body_weight_share(row.name, row.tracking, row.equipment)
        connection.execute(share_of, {"id": row.id, "share": share})
