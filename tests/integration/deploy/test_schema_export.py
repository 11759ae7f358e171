"""The committed schema is what the code gives, and keeps what was promised."""

from pathlib import Path

import pytest

from deploy.schema_export import GRAPH, artifacts, keeps_promises
from deploy.terminal import Terminal


def test_committed_files_are_current() -> None:
    stale = [
        str(file.relative_to(GRAPH))
        for file, text in artifacts().items()
        if not file.exists() or file.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run `fittracker schema export`"


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        ("type Query { a: Int b: Int new: Int }", True),
        ("type Query { a: Int! b: Int @deprecated }", True),
        ("type Query { a: Int }", False),
        ("type Query { a: Int b(must: Int!): Int }", False),
    ],
)
def test_a_change_that_breaks_clients_of_the_last_release_is_found(tmp_path: Path, now: str, kept: bool) -> None:
    released = tmp_path / "released.graphql"
    released.write_text("type Query { a: Int b: Int }")

    assert keeps_promises(now, released, Terminal()) is kept
