"""Measurements with a tape, and the muscle mass of a weighing."""

from alembic import op

revision = "users_0003"
down_revision = "users_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        "ALTER TABLE weight_entry ADD COLUMN muscle_mass_kg numeric(5, 2)",
        """
        CREATE TABLE measurement (
            id text PRIMARY KEY,
            user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            kind text NOT NULL,
            value_cm numeric(6, 2) NOT NULL CHECK (value_cm > 0),
            notes text,
            recorded_at timestamptz NOT NULL,
            local_date date NOT NULL,
            idempotency_key text,
            idempotency_content bytea
        )
        """,
        "CREATE INDEX measurement_by_user ON measurement (user_id, recorded_at DESC, id DESC)",
        "CREATE INDEX measurement_by_kind ON measurement (user_id, kind, recorded_at DESC, id DESC)",
        """
        CREATE UNIQUE INDEX measurement_by_idempotency_key ON measurement (user_id, idempotency_key)
        WHERE idempotency_key IS NOT NULL
        """,
    ):
        op.execute(statement)
