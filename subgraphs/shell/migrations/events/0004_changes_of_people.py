"""What people's clients keep a copy of, and when it changed, kept by every subgraph; its triggers come with `synced.py`."""

from alembic import op

from subgraphs.shell.change_log import CHANGE_LIFE_DDL
from subgraphs.shell.synced_tables import ENTITY_CHANGE_DDL

revision = "events_0004"
down_revision = "events_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (*ENTITY_CHANGE_DDL, *CHANGE_LIFE_DDL):
        op.execute(statement)
