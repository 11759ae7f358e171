"""Idempotency keys know what they were used for, foods have them too, and a person's targets are found by version."""

from alembic import op

revision = "nutrition_0003"
down_revision = "nutrition_0002"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE meal ADD COLUMN idempotency_content bytea",
    "ALTER TABLE water ADD COLUMN idempotency_content bytea",
    "ALTER TABLE food ADD COLUMN idempotency_key text, ADD COLUMN idempotency_content bytea",
    "CREATE UNIQUE INDEX food_by_key ON food (created_by, idempotency_key) WHERE idempotency_key IS NOT NULL",
    "CREATE INDEX nutrition_target_by_version ON nutrition_target (user_id, version DESC)",
    "CREATE INDEX water_by_user ON water (user_id, at DESC, id DESC)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
