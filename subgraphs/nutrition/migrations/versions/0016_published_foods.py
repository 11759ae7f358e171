"""What people show others of their foods and recipes, and what is reported of it."""

from alembic import op

revision = "nutrition_0016"
down_revision = "nutrition_0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        # Nobody who was suspended before has published anything, and whoever is reinstated is told anew.
        "ALTER TABLE person ADD COLUMN status text NOT NULL DEFAULT 'ACTIVE'",
        """
        CREATE TABLE published_food (
            id text PRIMARY KEY,
            food_id text NOT NULL REFERENCES food (id) ON DELETE CASCADE,
            user_id text NOT NULL,
            food_version integer NOT NULL,
            audience text NOT NULL,
            shows_author boolean NOT NULL,
            name text NOT NULL,
            brand text,
            gtin text,
            category text NOT NULL,
            labels text[] NOT NULL,
            content jsonb NOT NULL,
            published_at timestamptz NOT NULL,
            withdrawn_at timestamptz,
            version integer NOT NULL DEFAULT 1,
            reports integer NOT NULL DEFAULT 0,
            reported_at timestamptz
        )
        """,
        "CREATE UNIQUE INDEX published_food_by_food ON published_food (food_id)",
        "CREATE INDEX published_food_by_user ON published_food (user_id, published_at, id)",
        """
        CREATE INDEX published_food_newest ON published_food (published_at, id)
        WHERE audience = 'EVERYBODY' AND withdrawn_at IS NULL
        """,
        "CREATE INDEX published_food_by_label ON published_food USING gin (labels) WITH (fastupdate = off)",
        "CREATE INDEX published_food_reported ON published_food (reported_at, id) WHERE reported_at IS NOT NULL",
        """
        CREATE TABLE food_report (
            published_food_id text NOT NULL REFERENCES published_food (id) ON DELETE CASCADE,
            reporter_id text NOT NULL,
            reason text NOT NULL,
            at timestamptz NOT NULL,
            PRIMARY KEY (published_food_id, reporter_id)
        )
        """,
        "CREATE INDEX food_report_by_reporter ON food_report (reporter_id, at)",
    ):
        op.execute(statement)
