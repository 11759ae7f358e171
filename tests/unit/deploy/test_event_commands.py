"""What `fittracker events check` compares: the groups that make projections, and not the one that only tells."""

from datetime import UTC, datetime
from importlib import import_module

import pytest

from deploy.embedded import DOMAINS
from deploy.errors import FriendlyError
from deploy.event_commands import Rooms, line_of_parked
from deploy.terminal import Terminal
from events.envelope import Aggregate, Envelope, encode_envelope
from events.parked import ParkedRecord
from subgraphs.shell.context import utc_now
from subgraphs.shell.database import Database


def every_room() -> Rooms:
    subscriptions = {
        subscription.group: (name, subscription)
        for name in DOMAINS
        for subscription in (each(None, utc_now) for each in import_module(f"subgraphs.{name}.app").SUBGRAPH.consumers)
    }
    return Rooms({name: Database("postgresql://nowhere") for name in DOMAINS}, subscriptions)


def test_every_group_that_projects_can_be_compared() -> None:
    rooms = every_room()
    assert set(rooms.subscriptions) - set(rooms.projecting) == {"users-notifications"}
    for group in rooms.projecting:
        assert rooms.audit(group) is not None


def test_a_group_that_projects_nothing_is_refused_with_those_that_do() -> None:
    with pytest.raises(FriendlyError, match="users-notifications projects nothing"):
        every_room().audit("users-notifications")


def test_what_a_parked_record_says_writes_nothing_else_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither markup, which would end the command, nor what moves the cursor, nor a megabyte."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    hostile = Envelope(
        event_id="e",
        type="[/red]\x1b[2J\n",
        schema_version=1,
        aggregate=Aggregate("weight_entry", "x" * 900_000, 1),
        user_id="u",
        occurred_at=at,
        recorded_at=at,
    )
    value = encode_envelope(hostile)
    line = line_of_parked(
        ParkedRecord(7, "g", "users.body.v1", 0, 3, b"u", value, "Error: [/bold] \x1b]0;owned\x07", 3, at)
    )
    Terminal().say(line)
    assert capsys.readouterr().out == f"{line}\n"
    assert line.isprintable()
    assert "[/red]" in line
    assert "[/bold]" in line
    assert len(line) < 1_000
