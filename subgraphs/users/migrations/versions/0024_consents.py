"""What people agree to, when an account without consent to health data is erased, and who may invite by address."""

from alembic import op

revision = "users_0024"
down_revision = "users_0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        CREATE TABLE consent (
            id text PRIMARY KEY,
            user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            purpose text NOT NULL,
            is_given boolean NOT NULL,
            version text,
            decided_at timestamptz NOT NULL,
            way text NOT NULL,
            is_current boolean NOT NULL
        )
        """,
        "CREATE INDEX consent_by_user ON consent (user_id, decided_at DESC, id DESC)",
        "CREATE UNIQUE INDEX consent_that_holds ON consent (user_id, purpose) WHERE is_current",
        """
        CREATE INDEX consent_to_statistics ON consent (user_id)
        WHERE is_current AND is_given AND purpose = 'STATISTICS'
        """,
        "ALTER TABLE account ADD COLUMN erase_at timestamptz",
        "CREATE INDEX account_to_erase ON account (erase_at) WHERE erase_at IS NOT NULL",
        "ALTER TABLE account ADD COLUMN invitable_by_email boolean NOT NULL DEFAULT true",
    ):
        op.execute(statement)
