"""The rooms are ours, though PyPI has packages of the same names."""

from pathlib import Path

import events
import schema

ROOT = Path(__file__).parents[2]


def test_schema_and_events_are_ours() -> None:
    assert Path(str(schema.__file__)).is_relative_to(ROOT)
    assert Path(str(events.__file__)).is_relative_to(ROOT)
