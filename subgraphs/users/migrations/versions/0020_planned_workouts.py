"""What people plan to train, for reminders of it, and when they want these."""

from alembic import op

revision = "users_0020"
down_revision = "users_0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        CREATE TABLE plan_ahead (
            planned_id text PRIMARY KEY,
            user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            local_date date NOT NULL,
            time_of_day time,
            name text NOT NULL,
            remind_at timestamptz,
            is_done boolean NOT NULL DEFAULT false
        )
        """,
        "CREATE INDEX plan_ahead_by_due ON plan_ahead (remind_at, planned_id) WHERE NOT is_done",
        "CREATE INDEX plan_ahead_by_user ON plan_ahead (user_id, remind_at, planned_id)",
        "CREATE INDEX plan_ahead_by_day ON plan_ahead (local_date, user_id)",
        """
        ALTER TABLE notification_preference ADD COLUMN workout_reminder_minutes integer DEFAULT 30,
            ADD COLUMN workout_reminder_time time DEFAULT '08:00'
        """,
    ):
        op.execute(statement)
