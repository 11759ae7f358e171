"""Templates, and what a workout that was begun from one plans."""

from alembic import op

revision = "workouts_0006"
down_revision = "workouts_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        CREATE TABLE workout_template (
            id text PRIMARY KEY,
            user_id text NOT NULL,
            name text NOT NULL,
            notes text,
            created_at timestamptz NOT NULL,
            idempotency_key text,
            idempotency_content bytea
        )
        """,
        "CREATE INDEX workout_template_by_user ON workout_template (user_id, created_at, id)",
        """
        CREATE UNIQUE INDEX workout_template_by_idempotency_key ON workout_template (user_id, idempotency_key)
        WHERE idempotency_key IS NOT NULL
        """,
        """
        CREATE TABLE template_exercise (
            id text PRIMARY KEY,
            template_id text NOT NULL REFERENCES workout_template (id) ON DELETE CASCADE,
            exercise_id text NOT NULL REFERENCES exercise (id),
            position integer NOT NULL,
            superset integer,
            sets integer NOT NULL,
            least_reps integer,
            most_reps integer,
            weight_kg numeric(7, 2),
            rest_seconds integer,
            increment_kg numeric(6, 2)
        )
        """,
        "CREATE INDEX template_exercise_by_template ON template_exercise (template_id, position)",
        """
        ALTER TABLE workout_exercise ADD COLUMN superset integer, ADD COLUMN planned_sets integer,
            ADD COLUMN least_reps integer, ADD COLUMN most_reps integer, ADD COLUMN planned_weight_kg numeric(7, 2),
            ADD COLUMN rest_seconds integer
        """,
    ):
        op.execute(statement)
