"""What was lifted, in every day's numbers, for reports of weeks and months.

A day that a process of the release before sums while this runs has it from its next change on, and each after
`fittracker events rebuild analytics-service`.
"""

from alembic import op

revision = "analytics_0004"
down_revision = "analytics_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE daily_summary ADD COLUMN volume_kg numeric NOT NULL DEFAULT 0")
    op.execute(
        """
        UPDATE daily_summary AS day SET volume_kg = lifted.volume_kg
        FROM (SELECT user_id, local_date, sum(volume_kg) AS volume_kg FROM workout_fact
              WHERE status = 'COMPLETED' AND volume_kg > 0 GROUP BY user_id, local_date) AS lifted
        WHERE day.user_id = lifted.user_id AND day.local_date = lifted.local_date
        """
    )
