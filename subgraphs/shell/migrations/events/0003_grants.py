"""Grants of access and what was read by them, kept by every subgraph."""

from alembic import op

from subgraphs.shell.grants import ACCESS_GRANT_DDL

revision = "events_0003"
down_revision = "events_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in ACCESS_GRANT_DDL:
        op.execute(statement)
