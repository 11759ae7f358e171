"""What foods are told to contain and to be free of, and what people avoid."""

from alembic import op

revision = "nutrition_0014"
down_revision = "nutrition_0013"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE food ADD COLUMN contains text[]",
    "ALTER TABLE food ADD COLUMN free_from text[]",
    """
    CREATE TABLE dietary_preference (
        user_id text PRIMARY KEY,
        avoid text[] NOT NULL,
        diet text,
        version integer NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
