"""Foods, meals, water, targets, the replicated person, outbox and inbox."""

from alembic import op

from events.inbox import INBOX_DDL
from events.outbox import OUTBOX_DDL

revision = "nutrition_0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    """
    CREATE TABLE food (
        id text PRIMARY KEY,
        name text NOT NULL,
        brand text,
        gtin text,
        category text NOT NULL,
        source text NOT NULL,
        verified boolean NOT NULL DEFAULT false,
        created_by text,
        per_100 jsonb NOT NULL,
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL,
        search_text text GENERATED ALWAYS AS (lower(name || ' ' || coalesce(brand, ''))) STORED
    )
    """,
    "CREATE UNIQUE INDEX food_public_gtin ON food (gtin) WHERE created_by IS NULL",
    "CREATE UNIQUE INDEX food_own_gtin ON food (created_by, gtin) WHERE created_by IS NOT NULL",
    "CREATE INDEX food_by_name ON food (lower(name), id)",
    # Without the list of pending entries, which every search would have to read until the next vacuum.
    "CREATE INDEX food_search ON food USING gin (search_text gin_trgm_ops) WITH (fastupdate = off)",
    """
    CREATE TABLE food_portion (
        food_id text NOT NULL REFERENCES food (id) ON DELETE CASCADE,
        position integer NOT NULL,
        label text NOT NULL,
        grams numeric(8, 2) NOT NULL CHECK (grams > 0),
        PRIMARY KEY (food_id, position)
    )
    """,
    """
    CREATE TABLE meal (
        id text PRIMARY KEY,
        user_id text NOT NULL,
        slot text NOT NULL,
        at timestamptz NOT NULL,
        local_date date NOT NULL,
        time_zone text NOT NULL,
        notes text,
        totals jsonb NOT NULL,
        version integer NOT NULL DEFAULT 1,
        idempotency_key text,
        UNIQUE (user_id, idempotency_key)
    )
    """,
    "CREATE INDEX meal_by_user ON meal (user_id, at DESC, id DESC)",
    "CREATE INDEX meal_by_day ON meal (user_id, local_date)",
    """
    CREATE TABLE meal_item (
        meal_id text NOT NULL REFERENCES meal (id) ON DELETE CASCADE,
        position integer NOT NULL,
        user_id text NOT NULL,
        food_id text NOT NULL REFERENCES food (id),
        food_name text NOT NULL,
        food_version integer NOT NULL,
        grams numeric(10, 3) NOT NULL CHECK (grams > 0),
        portion text,
        quantity numeric(8, 3),
        nutrients jsonb NOT NULL,
        PRIMARY KEY (meal_id, position)
    )
    """,
    "CREATE INDEX meal_item_by_food ON meal_item (user_id, food_id)",
    """
    CREATE TABLE water (
        id text PRIMARY KEY,
        user_id text NOT NULL,
        amount_ml integer NOT NULL CHECK (amount_ml > 0),
        at timestamptz NOT NULL,
        local_date date NOT NULL,
        time_zone text NOT NULL,
        version integer NOT NULL DEFAULT 1,
        idempotency_key text,
        UNIQUE (user_id, idempotency_key)
    )
    """,
    "CREATE INDEX water_by_day ON water (user_id, local_date)",
    """
    CREATE TABLE nutrition_target (
        user_id text NOT NULL,
        effective_from date NOT NULL,
        energy_kcal numeric(8, 2) NOT NULL,
        protein_g numeric(8, 2),
        carbs_g numeric(8, 2),
        fat_g numeric(8, 2),
        water_ml integer,
        version integer NOT NULL,
        PRIMARY KEY (user_id, effective_from)
    )
    """,
    """
    CREATE TABLE person (
        user_id text PRIMARY KEY,
        display_name text NOT NULL,
        time_zone text NOT NULL,
        day_start_hour integer NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in (*_TABLES, *OUTBOX_DDL, *INBOX_DDL):
        op.execute(statement)
