"""Grants by which somebody plans for a person, and what was written by them, kept by every subgraph."""

from alembic import op

from subgraphs.shell.plan_writing import PLAN_WRITE_DDL

revision = "events_0005"
down_revision = "events_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in PLAN_WRITE_DDL:
        op.execute(statement)
