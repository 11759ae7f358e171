"""Foods of databases of products: told apart by source, compared by a digest."""

from alembic import op

revision = "nutrition_0010"
down_revision = "nutrition_0009"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE food ADD COLUMN digest bytea",
    # A barcode is one food of each source: none of them is mixed with another's (decision 0207).
    "DROP INDEX food_public_gtin",
    "CREATE UNIQUE INDEX food_public_gtin ON food (gtin, source) WHERE created_by IS NULL AND gtin IS NOT NULL",
    "CREATE INDEX food_by_source ON food (source, id) WHERE digest IS NOT NULL",
    "CREATE INDEX food_by_category ON food (category, lower(name), id) WHERE created_by IS NULL",
    # Who drops a source asks of each food whether somebody ate it.
    "CREATE INDEX meal_item_of_food ON meal_item (food_id)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
