"""Browsers that take push messages, and messages that wait for them."""

from alembic import op

revision = "users_0013"
down_revision = "users_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        CREATE TABLE push_subscription (
            id text PRIMARY KEY,
            user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            endpoint text NOT NULL UNIQUE,
            p256dh bytea NOT NULL,
            auth bytea NOT NULL,
            session_id text NOT NULL,
            created_at timestamptz NOT NULL
        )
        """,
        "CREATE INDEX push_subscription_by_user ON push_subscription (user_id)",
        "CREATE INDEX push_subscription_by_session ON push_subscription (session_id)",
        """
        CREATE TABLE pending_push (
            id text PRIMARY KEY,
            subscription_id text NOT NULL REFERENCES push_subscription (id) ON DELETE CASCADE,
            notification_id text NOT NULL REFERENCES notification (id) ON DELETE CASCADE,
            created_at timestamptz NOT NULL,
            due_at timestamptz NOT NULL,
            attempts integer NOT NULL DEFAULT 0
        )
        """,
        "CREATE INDEX pending_push_by_due ON pending_push (due_at, id)",
        "CREATE INDEX pending_push_by_time ON pending_push (created_at)",
        "CREATE INDEX pending_push_by_subscription ON pending_push (subscription_id)",
        "CREATE INDEX pending_push_by_notification ON pending_push (notification_id)",
    ):
        op.execute(statement)
