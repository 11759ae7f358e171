"""What a session is on, and when it was used last."""

from alembic import op

revision = "users_0005"
down_revision = "users_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        "ALTER TABLE session ADD COLUMN device_name text, ADD COLUMN last_used_at timestamptz",
        "CREATE INDEX session_newest ON session (user_id, created_at DESC, id DESC) WHERE revoked_at IS NULL",
        # The new index answers whatever the old one did, in the order of the pages.
        "DROP INDEX session_by_user",
    ):
        op.execute(statement)
