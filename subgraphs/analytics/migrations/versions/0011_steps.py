"""Steps of days: what each source counted, and the greatest of them in the day's summary."""

from alembic import op

revision = "analytics_0011"
down_revision = "analytics_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        CREATE TABLE step_fact (
            entry_id text PRIMARY KEY,
            user_id text NOT NULL,
            local_date date NOT NULL,
            steps integer NOT NULL
        )
        """,
        "CREATE INDEX step_fact_by_day ON step_fact (user_id, local_date)",
        "ALTER TABLE daily_summary ADD COLUMN steps integer",
        # Days that have steps alone are listed too.
        """
        CREATE INDEX daily_summary_with_any ON daily_summary (user_id, local_date DESC)
        WHERE meals_logged > 0 OR workouts_completed > 0 OR water_ml > 0 OR weight_kg IS NOT NULL OR steps IS NOT NULL
        """,
        "DROP INDEX daily_summary_with_anything",
    ):
        op.execute(statement)
