"""What people want to be told of where, and mails of notifications."""

from alembic import op

revision = "users_0012"
down_revision = "users_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        CREATE TABLE notification_preference (
            user_id text PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
            choices text[] NOT NULL,
            quiet_start time,
            quiet_end time,
            version integer NOT NULL
        )
        """,
        "ALTER TABLE notification ADD COLUMN mailed_at timestamptz",
        """
        ALTER TABLE pending_mail ADD COLUMN notification_id text REFERENCES notification (id) ON DELETE CASCADE
        """,
        "CREATE INDEX pending_mail_by_notification ON pending_mail (notification_id) WHERE notification_id IS NOT NULL",
        "DROP INDEX pending_mail_once",
        """
        CREATE UNIQUE INDEX pending_mail_once ON pending_mail
        (kind, recipient, COALESCE(user_id, ''), COALESCE(registration_id, ''), COALESCE(notification_id, ''))
        """,
    ):
        op.execute(statement)
