"""In which language, colours and order of dates somebody wants pages."""

from alembic import op

revision = "users_0023"
down_revision = "users_0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE account ADD COLUMN language text")
    op.execute("ALTER TABLE account ADD COLUMN theme text NOT NULL DEFAULT 'SYSTEM'")
    op.execute("ALTER TABLE account ADD COLUMN date_format text NOT NULL DEFAULT 'BY_LANGUAGE'")
