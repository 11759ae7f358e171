"""Analytics learns of writes by events, so its fields on other subgraphs' types say that they settle."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import FieldDefinitionNode, ObjectTypeDefinitionNode, parse

SCHEMA = Path(__file__).parents[4] / "schema" / "fittracker" / "subgraphs" / "analytics.graphql"
#: Types that other subgraphs own, and where a query begins.
ENTRIES = ("User", "DiaryDay", "Food", "Workout", "Query")
KEYS = {"id", "userId", "date"}
#: What the token says, and what analytics itself writes, in the transaction that is asked about.
OWN = {"Query.me", "User.progressReads", "User.progressWrites", "User.streakProtection"}


def _fields() -> list[tuple[str, str]]:
    """Coordinate and description of each field by which an operation comes to what analytics counted."""
    return [
        (f"{definition.name.value}.{field.name.value}", field.description.value if field.description else "")
        for definition in parse(SCHEMA.read_text(encoding="utf-8")).definitions
        if isinstance(definition, ObjectTypeDefinitionNode) and definition.name.value in ENTRIES
        for field in definition.fields
        if not _is_others(field)
    ]


def _is_others(field: FieldDefinitionNode) -> bool:
    is_external = any(directive.name.value == "external" for directive in field.directives or ())
    return is_external or field.name.value in KEYS or field.name.value.startswith("_")


@pytest.mark.parametrize(("coordinate", "description"), _fields())
def test_a_field_that_follows_events_says_that_it_settles(coordinate: str, description: str) -> None:
    assert coordinate in OWN or "ettles a moment after a write" in description


def test_all_entries_are_looked_at() -> None:
    assert {coordinate.split(".")[0] for coordinate, _ in _fields()} == set(ENTRIES)
