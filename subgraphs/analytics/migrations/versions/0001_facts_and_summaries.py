"""Facts from the others' events, the summaries computed from them, goals, outbox and inbox."""

from alembic import op

from events.inbox import INBOX_DDL
from events.outbox import OUTBOX_DDL

revision = "analytics_0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE meal_fact (
        meal_id text PRIMARY KEY,
        user_id text NOT NULL,
        local_date date NOT NULL,
        slot text NOT NULL,
        energy_kcal numeric NOT NULL,
        protein_g numeric NOT NULL,
        carbs_g numeric NOT NULL,
        fat_g numeric NOT NULL
    )
    """,
    "CREATE INDEX meal_fact_by_day ON meal_fact (user_id, local_date)",
    """
    CREATE TABLE meal_food_fact (
        meal_id text NOT NULL REFERENCES meal_fact (meal_id) ON DELETE CASCADE,
        user_id text NOT NULL,
        food_id text NOT NULL,
        items integer NOT NULL,
        PRIMARY KEY (meal_id, food_id)
    )
    """,
    "CREATE INDEX meal_food_fact_by_user ON meal_food_fact (user_id, food_id)",
    """
    CREATE TABLE water_fact (
        entry_id text PRIMARY KEY,
        user_id text NOT NULL,
        local_date date NOT NULL,
        amount_ml integer NOT NULL
    )
    """,
    "CREATE INDEX water_fact_by_day ON water_fact (user_id, local_date)",
    """
    CREATE TABLE workout_fact (
        workout_id text PRIMARY KEY,
        user_id text NOT NULL,
        local_date date NOT NULL,
        status text NOT NULL,
        duration_minutes numeric,
        active_minutes numeric,
        calories_kcal numeric,
        volume_kg numeric NOT NULL
    )
    """,
    "CREATE INDEX workout_fact_by_day ON workout_fact (user_id, local_date)",
    """
    CREATE TABLE weight_fact (
        entry_id text PRIMARY KEY,
        user_id text NOT NULL,
        local_date date NOT NULL,
        recorded_at timestamptz NOT NULL,
        weight_kg numeric NOT NULL
    )
    """,
    "CREATE INDEX weight_fact_by_day ON weight_fact (user_id, local_date, recorded_at)",
    """
    CREATE TABLE person (
        user_id text PRIMARY KEY,
        time_zone text NOT NULL,
        day_start_hour integer NOT NULL
    )
    """,
    "CREATE TABLE erased_user (user_id text PRIMARY KEY, erased_at timestamptz NOT NULL DEFAULT now())",
    """
    CREATE TABLE daily_summary (
        user_id text NOT NULL,
        local_date date NOT NULL,
        calories_consumed numeric NOT NULL,
        calories_burned numeric NOT NULL,
        protein_g numeric NOT NULL,
        carbs_g numeric NOT NULL,
        fat_g numeric NOT NULL,
        meals_logged integer NOT NULL,
        workouts_completed integer NOT NULL,
        workout_minutes numeric NOT NULL,
        active_minutes numeric NOT NULL,
        water_ml integer NOT NULL,
        weight_kg numeric,
        revision integer NOT NULL,
        computed_at timestamptz NOT NULL,
        PRIMARY KEY (user_id, local_date)
    )
    """,
    """
    CREATE TABLE goal (
        id text PRIMARY KEY,
        user_id text NOT NULL,
        kind text NOT NULL,
        start_value numeric NOT NULL,
        target_value numeric NOT NULL,
        start_date date NOT NULL,
        target_date date,
        status text NOT NULL,
        description text,
        completed_at timestamptz,
        version integer NOT NULL DEFAULT 1,
        idempotency_key text,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (user_id, idempotency_key)
    )
    """,
    "CREATE INDEX goal_by_user ON goal (user_id, created_at)",
)


def upgrade() -> None:
    for statement in (*_TABLES, *OUTBOX_DDL, *INBOX_DDL):
        op.execute(statement)
