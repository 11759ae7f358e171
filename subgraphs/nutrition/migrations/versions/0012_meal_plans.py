"""Plans of meals, and the meals that are planned for days."""

from alembic import op

revision = "nutrition_0012"
down_revision = "nutrition_0011"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE meal_plan (
        id text PRIMARY KEY,
        user_id text NOT NULL,
        name text NOT NULL,
        days jsonb NOT NULL,
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL,
        idempotency_key text,
        idempotency_content bytea
    )
    """,
    "CREATE INDEX meal_plan_by_user ON meal_plan (user_id, created_at DESC, id DESC)",
    "CREATE UNIQUE INDEX meal_plan_by_key ON meal_plan (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL",
    """
    CREATE TABLE planned_meal (
        id text PRIMARY KEY,
        user_id text NOT NULL,
        local_date date NOT NULL,
        position integer NOT NULL,
        slot text NOT NULL,
        custom_slot text,
        content jsonb NOT NULL,
        meal_id text
    )
    """,
    "CREATE INDEX planned_meal_by_day ON planned_meal (user_id, local_date, position, id)",
    "CREATE INDEX planned_meal_by_date ON planned_meal (local_date)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
