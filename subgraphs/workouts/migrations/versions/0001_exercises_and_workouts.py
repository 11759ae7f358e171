"""Exercises, workouts with their sets, the replicated person, outbox and inbox."""

from alembic import op

from events.inbox import INBOX_DDL
from events.outbox import OUTBOX_DDL

revision = "workouts_0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE exercise (
        id text PRIMARY KEY,
        name text NOT NULL,
        category text NOT NULL,
        primary_muscles text[] NOT NULL,
        secondary_muscles text[] NOT NULL,
        equipment text,
        level text NOT NULL,
        tracking text NOT NULL,
        force text,
        mechanic text,
        met numeric(5, 2) CHECK (met > 0),
        met_code text,
        instructions text,
        created_by text,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX exercise_by_name ON exercise (lower(name), id)",
    "CREATE INDEX exercise_by_category ON exercise (category)",
    "CREATE INDEX exercise_by_muscle ON exercise USING gin (primary_muscles)",
    """
    CREATE TABLE workout (
        id text PRIMARY KEY,
        user_id text NOT NULL,
        name text NOT NULL,
        status text NOT NULL,
        local_date date NOT NULL,
        time_zone text NOT NULL,
        started_at timestamptz NOT NULL,
        ended_at timestamptz,
        duration_minutes numeric(10, 4),
        active_minutes numeric(10, 4),
        notes text,
        reported_kcal numeric(10, 2),
        calories_kcal numeric(12, 4),
        net_calories_kcal numeric(12, 4),
        calories_method text,
        body_weight_kg numeric(6, 2),
        volume_kg numeric(14, 3) NOT NULL DEFAULT 0,
        version integer NOT NULL DEFAULT 1,
        idempotency_key text,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (user_id, idempotency_key)
    )
    """,
    "CREATE INDEX workout_by_user_and_day ON workout (user_id, local_date DESC, id DESC)",
    "CREATE UNIQUE INDEX workout_one_active ON workout (user_id) WHERE status = 'IN_PROGRESS'",
    """
    CREATE TABLE workout_exercise (
        id text PRIMARY KEY,
        workout_id text NOT NULL REFERENCES workout (id) ON DELETE CASCADE,
        exercise_id text NOT NULL REFERENCES exercise (id),
        position integer NOT NULL,
        duration_seconds integer,
        notes text
    )
    """,
    "CREATE INDEX workout_exercise_by_workout ON workout_exercise (workout_id, position)",
    """
    CREATE TABLE workout_set (
        id text PRIMARY KEY,
        workout_exercise_id text NOT NULL REFERENCES workout_exercise (id) ON DELETE CASCADE,
        workout_id text NOT NULL,
        user_id text NOT NULL,
        exercise_id text NOT NULL,
        position integer NOT NULL,
        kind text NOT NULL,
        reps integer,
        weight_kg numeric(7, 2),
        duration_seconds integer,
        distance_m numeric(10, 2),
        rpe numeric(3, 1),
        one_rep_max_kg numeric(8, 3),
        logged_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX workout_set_by_exercise ON workout_set (workout_exercise_id, position)",
    "CREATE INDEX workout_set_by_user ON workout_set (user_id, exercise_id)",
    """
    CREATE TABLE person (
        user_id text PRIMARY KEY,
        display_name text NOT NULL,
        time_zone text NOT NULL,
        day_start_hour integer NOT NULL
    )
    """,
    """
    CREATE TABLE person_weight (
        entry_id text PRIMARY KEY,
        user_id text NOT NULL,
        local_date date NOT NULL,
        recorded_at timestamptz NOT NULL,
        weight_kg numeric(6, 2) NOT NULL
    )
    """,
    "CREATE INDEX person_weight_by_day ON person_weight (user_id, local_date, recorded_at)",
)


def upgrade() -> None:
    for statement in (*_TABLES, *OUTBOX_DDL, *INBOX_DDL):
        op.execute(statement)
