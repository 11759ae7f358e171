"""Notifications, and the inbox of the consumer that makes them of others' events."""

from alembic import op
from sqlalchemy import inspect

from events.inbox import INBOX_DDL, INBOX_EPOCH_DDL
from events.parked import PARKED_DDL

revision = "users_0009"
down_revision = "users_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The events' own line of revisions adds to an inbox that it finds. Where that ran already, it found none.
    columns = inspect(op.get_bind()).get_columns("outbox_relay")
    is_behind = any(column["name"] == "source_epoch" for column in columns)
    for statement in (
        *INBOX_DDL,
        *(INBOX_EPOCH_DDL + PARKED_DDL if is_behind else ()),
        """
        CREATE TABLE notification (
            id text PRIMARY KEY,
            user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            kind text NOT NULL,
            cause text NOT NULL,
            subject_id text,
            detail text,
            created_at timestamptz NOT NULL,
            read_at timestamptz,
            hidden_at timestamptz,
            UNIQUE (user_id, cause)
        )
        """,
        "CREATE INDEX notification_newest ON notification (user_id, created_at DESC, id DESC)",
        "CREATE INDEX notification_by_time ON notification (created_at)",
        "CREATE INDEX session_ended ON session (user_id, device_name) WHERE revoked_at IS NOT NULL",
    ):
        op.execute(statement)
