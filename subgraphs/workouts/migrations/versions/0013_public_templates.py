"""What people publish of their templates, the catalogue's own, and what is reported of either."""

from alembic import op

revision = "workouts_0013"
down_revision = "workouts_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        # Nobody who was suspended before has published anything, and whoever is reinstated is told anew.
        "ALTER TABLE person ADD COLUMN status text NOT NULL DEFAULT 'ACTIVE'",
        "ALTER TABLE workout_template ADD COLUMN cloned_from text",
        """
        CREATE TABLE public_template (
            id text PRIMARY KEY,
            template_id text REFERENCES workout_template (id) ON DELETE CASCADE,
            user_id text,
            name text NOT NULL,
            kind text NOT NULL,
            level text NOT NULL,
            labels text[] NOT NULL,
            muscles text[] NOT NULL,
            exercises jsonb NOT NULL,
            published_at timestamptz NOT NULL,
            withdrawn_at timestamptz,
            version integer NOT NULL DEFAULT 1,
            reports integer NOT NULL DEFAULT 0,
            reported_at timestamptz
        )
        """,
        "CREATE UNIQUE INDEX public_template_by_template ON public_template (template_id)",
        "CREATE INDEX public_template_by_user ON public_template (user_id)",
        "CREATE INDEX public_template_newest ON public_template (published_at, id) WHERE withdrawn_at IS NULL",
        "CREATE INDEX public_template_by_label ON public_template USING gin (labels) WITH (fastupdate = off)",
        "CREATE INDEX public_template_reported ON public_template (reported_at, id) WHERE reported_at IS NOT NULL",
        """
        CREATE TABLE template_report (
            public_template_id text NOT NULL REFERENCES public_template (id) ON DELETE CASCADE,
            reporter_id text NOT NULL,
            reason text NOT NULL,
            at timestamptz NOT NULL,
            PRIMARY KEY (public_template_id, reporter_id)
        )
        """,
        "CREATE INDEX template_report_by_reporter ON template_report (reporter_id, at)",
    ):
        op.execute(statement)
