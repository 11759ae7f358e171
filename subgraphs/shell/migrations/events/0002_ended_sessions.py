"""Sessions that ended before their time, kept by every subgraph."""

from alembic import op

from subgraphs.shell.revocation import ENDED_SESSION_DDL

revision = "events_0002"
down_revision = "events_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in ENDED_SESSION_DDL:
        op.execute(statement)
