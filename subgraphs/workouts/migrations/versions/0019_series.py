"""Recordings over time: heart, cadence, power, altitude and distance, and the seconds at each heart rate."""

from alembic import op

revision = "workouts_0019"
down_revision = "workouts_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE workout_series (
            workout_id text PRIMARY KEY REFERENCES workout_track (workout_id) ON DELETE CASCADE,
            seconds integer[] NOT NULL,
            distance_cm integer[],
            altitude_dm integer[],
            heart_rate smallint[],
            cadence smallint[],
            power smallint[],
            rates smallint[] NOT NULL,
            rate_seconds numeric(8, 1)[] NOT NULL
        )
        """
    )
