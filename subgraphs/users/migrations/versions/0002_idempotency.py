"""Idempotency keys with what they stood for, in indexes of only the rows that have one."""

from alembic import op

revision = "users_0002"
down_revision = "users_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        "ALTER TABLE account ADD COLUMN idempotency_key text, ADD COLUMN idempotency_content bytea",
        "CREATE UNIQUE INDEX account_by_idempotency_key ON account (idempotency_key) WHERE idempotency_key IS NOT NULL",
        "ALTER TABLE weight_entry ADD COLUMN idempotency_content bytea",
        "ALTER TABLE weight_entry DROP CONSTRAINT weight_entry_user_id_idempotency_key_key",
        """
        CREATE UNIQUE INDEX weight_entry_by_idempotency_key ON weight_entry (user_id, idempotency_key)
        WHERE idempotency_key IS NOT NULL
        """,
    ):
        op.execute(statement)
