"""Invitations to read what a person has, until somebody accepts them."""

from alembic import op

revision = "users_0008"
down_revision = "users_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        CREATE TABLE grant_invitation (
            id text PRIMARY KEY,
            owner_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            relation text NOT NULL,
            areas text[] NOT NULL,
            days integer NOT NULL,
            email text,
            email_key text,
            code_hash bytea,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL
        )
        """,
        "CREATE INDEX grant_invitation_by_owner ON grant_invitation (owner_id, created_at DESC, id DESC)",
        "CREATE INDEX grant_invitation_by_email ON grant_invitation (email_key, created_at DESC, id DESC)",
        "CREATE UNIQUE INDEX grant_invitation_by_code ON grant_invitation (code_hash)",
    ):
        op.execute(statement)
