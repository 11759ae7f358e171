"""Since when a mail has been due, however often it was put off since."""

from alembic import op

revision = "users_0019"
down_revision = "users_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A process of the version before names no value while both run: what it queues counts from then.
    op.execute("ALTER TABLE pending_mail ADD COLUMN first_due_at timestamptz NOT NULL DEFAULT now()")
    op.execute("CREATE INDEX pending_mail_by_first_due ON pending_mail (first_due_at)")
