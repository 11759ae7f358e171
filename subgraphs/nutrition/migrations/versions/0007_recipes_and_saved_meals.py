"""Recipes, as versions of a food that they make, and meals that are kept to be logged again."""

from alembic import op

revision = "nutrition_0007"
down_revision = "nutrition_0006"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE recipe_version (
        food_id text NOT NULL REFERENCES food (id) ON DELETE CASCADE,
        version integer NOT NULL,
        written_at timestamptz NOT NULL,
        content jsonb NOT NULL,
        PRIMARY KEY (food_id, version)
    )
    """,
    "CREATE INDEX food_recipes ON food (created_by, id DESC) WHERE source = 'RECIPE' AND deleted_at IS NULL",
    """
    CREATE TABLE saved_meal (
        id text PRIMARY KEY,
        user_id text NOT NULL,
        name text NOT NULL,
        slot text,
        content jsonb NOT NULL,
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL,
        idempotency_key text,
        idempotency_content bytea
    )
    """,
    "CREATE INDEX saved_meal_by_user ON saved_meal (user_id, created_at DESC, id DESC)",
    "CREATE UNIQUE INDEX saved_meal_by_key ON saved_meal (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
