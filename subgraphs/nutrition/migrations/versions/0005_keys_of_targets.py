"""A target set with an idempotency key is set once."""

from alembic import op

revision = "nutrition_0005"
down_revision = "nutrition_0004"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE nutrition_target ADD COLUMN idempotency_key text, ADD COLUMN idempotency_content bytea",
    """
    CREATE UNIQUE INDEX nutrition_target_by_key ON nutrition_target (user_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
