"""Slots of the day that people make for themselves, and the name of such a slot on a meal."""

from alembic import op

revision = "nutrition_0011"
down_revision = "nutrition_0010"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE custom_slot_list (
        user_id text PRIMARY KEY,
        slots jsonb NOT NULL,
        version integer NOT NULL
    )
    """,
    "ALTER TABLE meal ADD COLUMN custom_slot text",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
