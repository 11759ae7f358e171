"""Endpoints that are told what happens, and the messages to them."""

from alembic import op

revision = "users_0016"
down_revision = "users_0015"
branch_labels = None
depends_on = None


_STATEMENTS = (
    """
    CREATE TABLE webhook_endpoint (
        id text PRIMARY KEY,
        user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
        api_key_id text REFERENCES api_key (id) ON DELETE CASCADE,
        expires_at timestamptz,
        name text NOT NULL,
        url text NOT NULL,
        kinds text[] NOT NULL,
        secret bytea NOT NULL,
        previous_secret bytea,
        previous_until timestamptz,
        disabled_reason text,
        disabled_at timestamptz,
        next_at timestamptz,
        rest_until timestamptz,
        claimed_until timestamptz,
        failures integer NOT NULL DEFAULT 0,
        failing_since timestamptz,
        is_slow boolean NOT NULL DEFAULT true,
        version integer NOT NULL,
        created_at timestamptz NOT NULL,
        idempotency_key text,
        idempotency_content bytea
    )
    """,
    "CREATE INDEX webhook_endpoint_by_user ON webhook_endpoint (user_id)",
    "CREATE INDEX webhook_endpoint_by_api_key ON webhook_endpoint (api_key_id) WHERE api_key_id IS NOT NULL",
    "CREATE INDEX webhook_endpoint_by_next ON webhook_endpoint (is_slow, next_at, id) WHERE next_at IS NOT NULL",
    """
    CREATE UNIQUE INDEX webhook_endpoint_by_idempotency_key ON webhook_endpoint (user_id, idempotency_key)
        WHERE idempotency_key IS NOT NULL
    """,
    """
    CREATE TABLE webhook_delivery (
        id text PRIMARY KEY,
        endpoint_id text NOT NULL REFERENCES webhook_endpoint (id) ON DELETE CASCADE,
        type text NOT NULL,
        cause text NOT NULL,
        subject text,
        data text NOT NULL,
        occurred_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        status text NOT NULL,
        due_at timestamptz NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        attempted_at timestamptz,
        response_code integer,
        failure text,
        UNIQUE (endpoint_id, cause)
    )
    """,
    "CREATE INDEX webhook_delivery_by_due ON webhook_delivery (endpoint_id, due_at, id) WHERE status = 'WAITING'",
    # What was not tried yet tells of its subject whatever happens to that until it is.
    """
    CREATE UNIQUE INDEX webhook_delivery_by_subject ON webhook_delivery (endpoint_id, type, subject)
        WHERE status = 'WAITING' AND attempts = 0
    """,
    "CREATE INDEX webhook_delivery_by_endpoint ON webhook_delivery (endpoint_id, created_at, id)",
    "CREATE INDEX webhook_delivery_by_time ON webhook_delivery (created_at)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
