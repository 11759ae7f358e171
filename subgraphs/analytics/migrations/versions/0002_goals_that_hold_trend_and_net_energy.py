"""Goals with a direction, bounds and a start from the facts; the weight trend; energy above rest; weeks of one's own."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from alembic import op
from sqlalchemy import Connection, text

from subgraphs.analytics.domain.goal import RULES, Cadence
from subgraphs.analytics.domain.weight_trend import weight_trend

revision = "analytics_0002"
down_revision = "analytics_0001"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE person ADD COLUMN week_start text NOT NULL DEFAULT 'MONDAY'",
    """
    CREATE TABLE weight_trend (
        user_id text NOT NULL,
        local_date date NOT NULL,
        weight_kg numeric NOT NULL,
        trend_kg numeric(12, 6) NOT NULL,
        PRIMARY KEY (user_id, local_date)
    )
    """,
    "ALTER TABLE workout_fact ADD COLUMN net_calories_kcal numeric",
    # Until the workouts are told anew by their own migration, what was burned is all that is known.
    "ALTER TABLE daily_summary ADD COLUMN net_calories_burned numeric NOT NULL DEFAULT 0",
    "UPDATE daily_summary SET net_calories_burned = calories_burned",
    "ALTER TABLE daily_summary ALTER COLUMN net_calories_burned DROP DEFAULT",
    """
    CREATE INDEX daily_summary_with_anything ON daily_summary (user_id, local_date DESC)
    WHERE meals_logged > 0 OR workouts_completed > 0 OR water_ml > 0 OR weight_kg IS NOT NULL
    """,
    "ALTER TABLE goal DROP CONSTRAINT goal_user_id_idempotency_key_key, ADD COLUMN idempotency_content bytea",
    """
    CREATE UNIQUE INDEX goal_by_idempotency_key ON goal (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL
    """,
    "ALTER TABLE goal ADD COLUMN direction text",
    "ALTER TABLE goal ADD COLUMN counts_from date",
    "ALTER TABLE goal ADD COLUMN reached_on date",
    "ALTER TABLE goal ALTER COLUMN start_value DROP NOT NULL",
)
_AFTER_REPAIR = (
    "UPDATE goal SET counts_from = start_date",
    "ALTER TABLE goal ALTER COLUMN counts_from SET NOT NULL",
    "ALTER TABLE goal ALTER COLUMN target_value TYPE numeric(9, 3)",
    "ALTER TABLE goal ALTER COLUMN start_value TYPE numeric(9, 3)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    connection = op.get_bind()
    _fill_trend(connection)
    for kind, rules in RULES.items():
        bounds = {"kind": kind.value, "least": rules.least, "most": rules.most}
        _repair_goals(connection, bounds, recurs=rules.cadence is not Cadence.ONCE)
    for statement in _AFTER_REPAIR:
        op.execute(statement)


def _repair_goals(connection: Connection, bounds: dict[str, object], *, recurs: bool) -> None:
    """A target that could not be answered comes to the nearest bound, and the goal is given up: nobody meant that."""
    connection.execute(
        text(
            "UPDATE goal SET target_value = least(greatest(target_value, :least), :most), status = 'ABANDONED',"
            " completed_at = NULL, version = version + 1 WHERE kind = :kind AND target_value NOT BETWEEN :least AND :most"
        ),
        bounds,
    )
    # A start that nobody measured, 0 above all, is taken from the facts; and what it completed goes on.
    connection.execute(
        text(
            "UPDATE goal SET start_value = NULL, completed_at = NULL, version = version + 1,"
            " status = CASE status WHEN 'COMPLETED' THEN 'ACTIVE' ELSE status END"
            " WHERE kind = :kind AND (:recurs OR start_value NOT BETWEEN :least AND :most)"
        ),
        bounds | {"recurs": recurs},
    )


def _fill_trend(connection: Connection) -> None:
    weighings: defaultdict[str, list[tuple[date, Decimal]]] = defaultdict(list)
    rows = connection.execute(
        text(
            "SELECT DISTINCT ON (user_id, local_date) user_id, local_date, weight_kg FROM weight_fact"
            " ORDER BY user_id, local_date, recorded_at, entry_id"
        )
    )
    for user_id, day, weight_kg in rows:
        weighings[user_id].append((day, weight_kg))
    points = [
        {"user_id": user_id, "day": point.local_date, "weight_kg": point.weight_kg, "trend_kg": point.trend_kg}
        for user_id, of_person in weighings.items()
        for point in weight_trend(of_person)
    ]
    if points:
        connection.execute(text("INSERT INTO weight_trend VALUES (:user_id, :day, :weight_kg, :trend_kg)"), points)
