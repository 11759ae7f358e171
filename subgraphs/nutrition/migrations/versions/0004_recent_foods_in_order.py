"""The index of recent foods in the order of their pages, so that a page is read without a sort."""

from alembic import op

revision = "nutrition_0004"
down_revision = "nutrition_0003"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "DROP INDEX recent_food_by_user",
    "CREATE INDEX recent_food_by_user ON recent_food (user_id, last_at DESC, food_id DESC)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
