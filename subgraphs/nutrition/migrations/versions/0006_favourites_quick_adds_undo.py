"""Favourite foods, foods by how often they were logged, energy without a food, and what was deleted of late."""

from alembic import op

revision = "nutrition_0006"
down_revision = "nutrition_0005"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE favourite_food (
        user_id text NOT NULL,
        food_id text NOT NULL REFERENCES food (id) ON DELETE CASCADE,
        added_at timestamptz NOT NULL,
        PRIMARY KEY (user_id, food_id)
    )
    """,
    "CREATE INDEX favourite_food_by_user ON favourite_food (user_id, added_at DESC, food_id DESC)",
    "CREATE INDEX recent_food_by_times ON recent_food (user_id, times DESC, food_id DESC)",
    "ALTER TABLE meal ADD COLUMN quick_adds jsonb NOT NULL DEFAULT '[]'",
    """
    CREATE TABLE deleted_entry (
        id text PRIMARY KEY,
        user_id text NOT NULL,
        version integer NOT NULL,
        deleted_at timestamptz NOT NULL,
        content jsonb NOT NULL
    )
    """,
    "CREATE INDEX deleted_entry_by_user ON deleted_entry (user_id, deleted_at DESC)",
    "CREATE INDEX deleted_entry_by_age ON deleted_entry (deleted_at)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
