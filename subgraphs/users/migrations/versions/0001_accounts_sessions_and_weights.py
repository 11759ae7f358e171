"""Accounts, sessions with their refresh tokens, weighings and the outbox."""

from alembic import op

from events.outbox import OUTBOX_DDL

revision = "users_0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE account (
        id text PRIMARY KEY,
        email text NOT NULL,
        email_key text NOT NULL UNIQUE,
        password_hash text NOT NULL,
        display_name text NOT NULL,
        roles text[] NOT NULL,
        status text NOT NULL DEFAULT 'ACTIVE',
        time_zone text NOT NULL DEFAULT 'UTC',
        day_start_hour integer NOT NULL DEFAULT 0 CHECK (day_start_hour BETWEEN 0 AND 12),
        week_start text NOT NULL DEFAULT 'MONDAY',
        units text NOT NULL DEFAULT 'METRIC',
        date_of_birth date,
        sex text,
        height_cm numeric(5, 2),
        activity_level text,
        fitness_goal text,
        target_weight_kg numeric(5, 2),
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL,
        last_login_at timestamptz
    )
    """,
    """
    CREATE TABLE session (
        id text PRIMARY KEY,
        user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz
    )
    """,
    "CREATE INDEX session_by_user ON session (user_id) WHERE revoked_at IS NULL",
    """
    CREATE TABLE refresh_token (
        token_hash bytea PRIMARY KEY,
        session_id text NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        issued_at timestamptz NOT NULL,
        used_at timestamptz
    )
    """,
    "CREATE INDEX refresh_token_by_session ON refresh_token (session_id)",
    """
    CREATE TABLE weight_entry (
        id text PRIMARY KEY,
        user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
        weight_kg numeric(5, 2) NOT NULL CHECK (weight_kg > 0),
        body_fat_percent numeric(4, 2),
        notes text,
        recorded_at timestamptz NOT NULL,
        local_date date NOT NULL,
        time_zone text NOT NULL,
        version integer NOT NULL DEFAULT 1,
        idempotency_key text,
        UNIQUE (user_id, idempotency_key)
    )
    """,
    "CREATE INDEX weight_entry_by_user ON weight_entry (user_id, recorded_at DESC, id DESC)",
)


def upgrade() -> None:
    for statement in (*_TABLES, *OUTBOX_DDL):
        op.execute(statement)
