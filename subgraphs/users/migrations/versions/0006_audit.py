"""What administrators did to accounts. It outlives the accounts, so it refers to none."""

from alembic import op

revision = "users_0006"
down_revision = "users_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        CREATE TABLE audit_entry (
            id text PRIMARY KEY,
            at timestamptz NOT NULL,
            action text NOT NULL,
            actor_id text NOT NULL,
            subject_id text NOT NULL,
            reason text NOT NULL,
            before text NOT NULL,
            after text NOT NULL
        )
        """,
        "CREATE INDEX audit_entry_newest ON audit_entry (at DESC, id DESC)",
        "CREATE INDEX audit_entry_by_subject ON audit_entry (subject_id, at DESC, id DESC)",
    ):
        op.execute(statement)
