"""Invitations to plan for a person, and notifications that name somebody else."""

from alembic import op

revision = "users_0017"
down_revision = "users_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        "ALTER TABLE grant_invitation ADD COLUMN plans text[] NOT NULL DEFAULT '{}'",
        "ALTER TABLE notification ADD COLUMN actor_id text",
        "CREATE INDEX notification_by_actor ON notification (actor_id) WHERE actor_id IS NOT NULL",
    ):
        op.execute(statement)
