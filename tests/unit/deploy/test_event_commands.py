"""What `fittracker events check` compares: the groups that make projections, and not the one that only tells."""

from importlib import import_module

import pytest

from deploy.embedded import DOMAINS
from deploy.errors import FriendlyError
from deploy.event_commands import Rooms
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
