"""Exercises are found by words."""

from alembic import op

from subgraphs.shell.search.store import search_ddl

revision = "workouts_0002_search"
down_revision = "workouts_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in search_ddl("exercise"):
        op.execute(statement)
