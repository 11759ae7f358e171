"""Routines, and the workouts that are planned for days."""

from alembic import op

revision = "workouts_0010"
down_revision = "workouts_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        CREATE TABLE routine (
            id text PRIMARY KEY,
            user_id text NOT NULL,
            name text NOT NULL,
            schedule text NOT NULL,
            days jsonb NOT NULL,
            version integer NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL,
            planned_at timestamptz NOT NULL,
            idempotency_key text,
            idempotency_content bytea
        )
        """,
        "CREATE INDEX routine_by_user ON routine (user_id, created_at, id)",
        """
        CREATE UNIQUE INDEX routine_by_idempotency_key ON routine (user_id, idempotency_key)
            WHERE idempotency_key IS NOT NULL
        """,
        """
        CREATE TABLE planned_workout (
            id text PRIMARY KEY,
            user_id text NOT NULL,
            local_date date NOT NULL,
            time_of_day time,
            name text NOT NULL,
            notes text,
            minutes integer,
            exercises jsonb NOT NULL,
            routine_id text REFERENCES routine (id) ON DELETE SET NULL,
            routine_date date,
            routine_slot integer,
            routine_day integer,
            is_skipped boolean NOT NULL DEFAULT false,
            workout_id text REFERENCES workout (id) ON DELETE SET NULL,
            version integer NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL,
            planned_at timestamptz NOT NULL,
            idempotency_key text,
            idempotency_content bytea
        )
        """,
        "CREATE INDEX planned_workout_by_day ON planned_workout (user_id, local_date, id)",
        "CREATE INDEX planned_workout_by_date ON planned_workout (local_date)",
        """
        CREATE UNIQUE INDEX planned_workout_by_slot ON planned_workout (routine_id, routine_date, routine_slot)
            WHERE routine_id IS NOT NULL
        """,
        """
        CREATE UNIQUE INDEX planned_workout_by_workout ON planned_workout (workout_id) WHERE workout_id IS NOT NULL
        """,
        """
        CREATE UNIQUE INDEX planned_workout_by_idempotency_key ON planned_workout (user_id, idempotency_key)
            WHERE idempotency_key IS NOT NULL
        """,
    ):
        op.execute(statement)
