"""Shoes, bicycles and the like, and what each workout was done with."""

from alembic import op

revision = "workouts_0017"
down_revision = "workouts_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        CREATE TABLE gear (
            id text PRIMARY KEY,
            user_id text NOT NULL,
            name text NOT NULL,
            kind text NOT NULL,
            start_distance_m numeric(12, 2) NOT NULL DEFAULT 0,
            life_distance_m numeric(12, 2),
            retired_on date,
            default_for text[] NOT NULL DEFAULT '{}',
            version integer NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL,
            idempotency_key text,
            idempotency_content bytea
        )
        """,
        "CREATE INDEX gear_by_user ON gear (user_id, created_at, id)",
        """
        CREATE UNIQUE INDEX gear_by_idempotency_key ON gear (user_id, idempotency_key)
            WHERE idempotency_key IS NOT NULL
        """,
        "ALTER TABLE workout ADD COLUMN gear_id text REFERENCES gear (id) ON DELETE SET NULL",
        "CREATE INDEX workout_by_gear ON workout (gear_id) WHERE gear_id IS NOT NULL",
    ):
        op.execute(statement)
