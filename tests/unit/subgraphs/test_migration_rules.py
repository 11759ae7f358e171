"""Every migration can be applied while the release before still runs: expand first, contract in a later release."""

from __future__ import annotations

import pytest

from deploy.embedded import DOMAINS
from tests.testkit.migration_rules import complaints, read_revision, revisions

HEAD = '"""A change."""\nrevision = "x_0002"\ndown_revision = "x_0001"\n'


@pytest.mark.parametrize("line", [*DOMAINS, "events"])
def test_no_migration_breaks_processes_of_the_release_before(line: str) -> None:
    found = revisions(line)
    assert found
    assert [revision.down for revision in found] == [None, *(revision.name for revision in found[:-1])]
    for index, revision in enumerate(found):
        assert list(complaints(revision, frozenset(each.name for each in found[:index]))) == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE meal DROP COLUMN note",
        "DROP TABLE meal",
        "ALTER TABLE meal RENAME COLUMN note TO remark",
        "ALTER TABLE meal RENAME TO repast",
        "ALTER TABLE meal ALTER COLUMN grams TYPE bigint",
        "ALTER TABLE meal ALTER COLUMN note SET NOT NULL",
        "ALTER TABLE meal ALTER COLUMN note DROP DEFAULT",
        "ALTER TABLE meal ADD COLUMN colour text NOT NULL",
        "ALTER TABLE meal ADD CONSTRAINT grams_positive CHECK (grams > 0)",
    ],
)
def test_what_old_processes_would_trip_over_is_found(statement: str) -> None:
    source = HEAD + f'def upgrade():\n    op.execute("{statement}")\n'
    assert len(list(complaints(read_revision(source), frozenset()))) == 1
    declared = 'contracts = "x_0001"\n'
    assert list(complaints(read_revision(HEAD + declared + source[len(HEAD) :]), frozenset({"x_0001"}))) == []
    assert len(list(complaints(read_revision(HEAD + declared), frozenset()))) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX meal_by_day ON meal (local_date)",
        "CREATE UNIQUE INDEX meal_by_key ON meal (user_id, idempotency_key)",
    ],
)
def test_an_index_that_writers_wait_for_is_found_unless_it_is_built_beside_them(statement: str) -> None:
    source = HEAD + f'def upgrade():\n    op.execute("{statement}")\n'
    assert len(list(complaints(read_revision(source), frozenset()))) == 1
    contracting = HEAD + 'contracts = "x_0001"\n' + source[len(HEAD) :]
    assert len(list(complaints(read_revision(contracting), frozenset({"x_0001"})))) == 1
    beside = HEAD + 'def upgrade():\n    build_index(op, "meal_by_day", "meal (local_date)")\n'
    assert list(complaints(read_revision(beside), frozenset())) == []
    with_more = beside + '    op.execute("ALTER TABLE meal ADD COLUMN colour text")\n'
    assert len(list(complaints(read_revision(with_more), frozenset()))) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE meal ADD COLUMN colour text",
        "ALTER TABLE meal ADD COLUMN colour text NOT NULL DEFAULT 'red', ADD COLUMN size integer",
        "ALTER TABLE meal ADD CONSTRAINT grams_positive CHECK (grams > 0) NOT VALID",
        "CREATE TABLE colour (id text PRIMARY KEY, name text NOT NULL); CREATE INDEX colour_by_name ON colour (name)",
        "DROP INDEX meal_by_day",
        "ALTER TABLE meal DROP CONSTRAINT grams_positive",
    ],
)
def test_what_old_processes_do_not_notice_is_let_pass(statement: str) -> None:
    source = HEAD + f'def upgrade():\n    op.execute("{statement}")\n'
    assert list(complaints(read_revision(source), frozenset())) == []


def test_a_call_that_hides_its_sql_and_what_a_downgrade_does_are_told_apart() -> None:
    hidden = HEAD + 'def upgrade():\n    op.drop_column("meal", "note")\n'
    assert len(list(complaints(read_revision(hidden), frozenset()))) == 1
    back = HEAD + 'def upgrade():\n    pass\ndef downgrade():\n    op.execute("DROP TABLE meal")\n'
    assert list(complaints(read_revision(back), frozenset())) == []
