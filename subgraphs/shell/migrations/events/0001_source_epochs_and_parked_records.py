"""The epoch of a source in outbox and inbox, and parked records. One line of revisions for every subgraph."""

from alembic import op
from sqlalchemy import inspect

from events.inbox import INBOX_EPOCH_DDL
from events.outbox import OUTBOX_EPOCH_DDL
from events.parked import PARKED_DDL

revision = "events_0001"
down_revision = None
branch_labels = ("events",)
depends_on = None


def upgrade() -> None:
    consumes = inspect(op.get_bind()).has_table("inbox")
    for statement in (*OUTBOX_EPOCH_DDL, *(INBOX_EPOCH_DDL + PARKED_DDL if consumes else ())):
        op.execute(statement)
