"""The committed schema is what the code gives."""

from deploy.schema_export import ROOM, artifacts


def test_committed_files_are_current() -> None:
    stale = [
        str(file.relative_to(ROOM))
        for file, text in artifacts().items()
        if not file.exists() or file.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run `fittracker schema export`"
