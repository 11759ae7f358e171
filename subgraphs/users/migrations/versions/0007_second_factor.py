"""One-time passwords as a second factor, and the codes for whoever lost the device."""

from alembic import op

revision = "users_0007"
down_revision = "users_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        ALTER TABLE account ADD COLUMN totp_secret bytea, ADD COLUMN totp_confirmed_at timestamptz,
        ADD COLUMN totp_last_step bigint
        """,
        """
        CREATE TABLE recovery_code (
            user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            code_hash bytea NOT NULL,
            PRIMARY KEY (user_id, code_hash)
        )
        """,
    ):
        op.execute(statement)
