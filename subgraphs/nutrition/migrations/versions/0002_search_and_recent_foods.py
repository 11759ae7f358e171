"""Foods are found by words, recent foods have their own table, own foods can be deleted, keys are indexed where set."""

from alembic import op

from subgraphs.shell.search.store import search_ddl

revision = "nutrition_0002"
down_revision = "nutrition_0001"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "DROP INDEX food_search",
    "ALTER TABLE food DROP COLUMN search_text",
    *search_ddl("food"),
    "ALTER TABLE food ADD COLUMN deleted_at timestamptz",
    "DROP INDEX food_own_gtin",
    "CREATE UNIQUE INDEX food_own_gtin ON food (created_by, gtin) WHERE created_by IS NOT NULL AND deleted_at IS NULL",
    "CREATE INDEX food_own_by_name ON food (created_by, lower(name), id) WHERE created_by IS NOT NULL",
    # Names of the catalogue alone: a page of it must not read over what everybody has of one's own.
    "DROP INDEX food_by_name",
    "CREATE INDEX food_by_name ON food (lower(name), id) WHERE created_by IS NULL",
    "ALTER TABLE meal_item ADD COLUMN at timestamptz",
    "UPDATE meal_item SET at = meal.at FROM meal WHERE meal.id = meal_item.meal_id",
    "ALTER TABLE meal_item ALTER COLUMN at SET NOT NULL",
    "DROP INDEX meal_item_by_food",
    "CREATE INDEX meal_item_by_food ON meal_item (user_id, food_id, at DESC)",
    """
    CREATE TABLE recent_food (
        user_id text NOT NULL,
        food_id text NOT NULL REFERENCES food (id) ON DELETE CASCADE,
        times integer NOT NULL,
        last_at timestamptz NOT NULL,
        PRIMARY KEY (user_id, food_id)
    )
    """,
    "CREATE INDEX recent_food_by_user ON recent_food (user_id, last_at DESC, food_id)",
    (
        "INSERT INTO recent_food (user_id, food_id, times, last_at)"
        " SELECT user_id, food_id, count(*), max(at) FROM meal_item GROUP BY user_id, food_id"
    ),
    # Most rows have no key, and a unique index over them would be as large as the table's own.
    "ALTER TABLE meal DROP CONSTRAINT meal_user_id_idempotency_key_key",
    "CREATE UNIQUE INDEX meal_by_key ON meal (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL",
    "ALTER TABLE water DROP CONSTRAINT water_user_id_idempotency_key_key",
    "CREATE UNIQUE INDEX water_by_key ON water (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL",
    "DROP INDEX water_by_day",
    "CREATE INDEX water_by_day ON water (user_id, local_date, at, id)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
