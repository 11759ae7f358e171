"""What a recording of a workout came to, and the fastest stretches of it."""

from alembic import op

revision = "workouts_0007"
down_revision = "workouts_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        CREATE TABLE workout_track (
            workout_id text PRIMARY KEY REFERENCES workout (id) ON DELETE CASCADE,
            distance_m numeric(10, 2) NOT NULL,
            moving_seconds numeric(8, 1),
            ascent_m numeric(8, 1),
            descent_m numeric(8, 1),
            mean_heart_rate integer,
            max_heart_rate integer,
            km_splits jsonb NOT NULL,
            mile_splits jsonb NOT NULL
        )
        """,
        """
        CREATE TABLE track_best (
            workout_id text NOT NULL REFERENCES workout_track (workout_id) ON DELETE CASCADE,
            distance text NOT NULL,
            user_id text NOT NULL,
            exercise_id text REFERENCES exercise (id),
            seconds numeric(8, 1) NOT NULL,
            PRIMARY KEY (workout_id, distance)
        )
        """,
        "CREATE INDEX track_best_of_person ON track_best (user_id, exercise_id, distance, seconds)",
    ):
        op.execute(statement)
