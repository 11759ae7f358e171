"""Which pgbouncer can share connections between transactions, and whether the repository's file has both modes."""

from __future__ import annotations

import pytest

from deploy.rehearsals.cluster import CONFIGURATION
from deploy.rehearsals.pooler import POOL_SIZE, SESSION_MODE, TRANSACTION_MODE, Pooler


@pytest.mark.parametrize(
    ("told", "has_transactions"),
    [
        ("PgBouncer 1.18.0", False),
        ("PgBouncer 1.20.1", False),
        ("PgBouncer 1.21.0", True),
        ("PgBouncer 1.25.2", True),
        ("PgBouncer 2.0.0", True),
        ("something else", False),
    ],
)
def test_transaction_mode_needs_prepared_statements(told: str, has_transactions: bool) -> None:
    assert Pooler("pgbouncer", told).has_transactions is has_transactions


def test_the_file_has_what_is_changed_from_one_mode_to_the_other() -> None:
    text = (CONFIGURATION / "pgbouncer.ini").read_text(encoding="utf-8")
    assert [text.count(each) for each in (SESSION_MODE, TRANSACTION_MODE, POOL_SIZE)] == [1, 1, 1]
