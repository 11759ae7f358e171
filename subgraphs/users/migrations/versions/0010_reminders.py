"""Reminders, and what has to be known for them: what was logged lately, and whose week's report is to be told."""

from alembic import op

revision = "users_0010"
down_revision = "users_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        CREATE TABLE reminder (
            id text PRIMARY KEY,
            user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            kind text NOT NULL,
            time_of_day time NOT NULL,
            weekdays text[] NOT NULL,
            is_on boolean NOT NULL DEFAULT true,
            next_at timestamptz,
            next_day date,
            last_day date,
            version integer NOT NULL DEFAULT 1,
            idempotency_key text,
            idempotency_content bytea
        )
        """,
        "CREATE INDEX reminder_by_user ON reminder (user_id)",
        "CREATE INDEX reminder_by_due ON reminder (next_at, id) WHERE next_at IS NOT NULL",
        """
        CREATE UNIQUE INDEX reminder_by_idempotency_key ON reminder (user_id, idempotency_key)
        WHERE idempotency_key IS NOT NULL
        """,
        """
        CREATE TABLE logged_entry (
            entry_id text PRIMARY KEY,
            user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            what text NOT NULL,
            local_date date NOT NULL
        )
        """,
        "CREATE INDEX logged_entry_by_user ON logged_entry (user_id, local_date, what)",
        "CREATE INDEX logged_entry_by_day ON logged_entry (local_date)",
        """
        CREATE TABLE report_due (
            user_id text PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
            week date NOT NULL,
            due_at timestamptz NOT NULL
        )
        """,
        "CREATE INDEX report_due_by_time ON report_due (due_at)",
    ):
        op.execute(statement)
