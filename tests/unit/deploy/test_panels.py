"""The stack's panels in the console: logs without secrets, and the way of events out of the subgraphs' metrics."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.workbench.panels import LOG_LINES, Numbers, StackPanels, event_stages, last_lines, without_secrets


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("connects to postgresql://users:hunter2@127.0.0.1:5432/users", "hunter2"),
        ("redis://:hunter2@127.0.0.1/0 is down", "hunter2"),
        ("header Authorization: Bearer abc.def", "abc.def"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1In0.c2ln was refused", "eyJhbGciOiJIUzI1NiJ9"),
        ('{"password": "hunter2"}', "hunter2"),
        ("JWT_SECRET=hunter2", "hunter2"),
        ("refresh_token='hunter2'", "hunter2"),
    ],
)
def test_a_secret_never_leaves_a_log(line: str, secret: str) -> None:
    assert secret not in without_secrets(line)
    assert "…" in without_secrets(line)


def test_ordinary_lines_stay_as_they_are() -> None:
    line = "2026-11-28T22:30:38Z [info] relay_started subgraph=users address=http://127.0.0.1:8081/graphql"
    assert without_secrets(line) == line


def test_only_the_end_of_a_log_is_read_and_no_colours(tmp_path: Path) -> None:
    file = tmp_path / "router.log"
    file.write_text("".join(f"\x1b[32mline {number}\x1b[0m\n" for number in range(20_000)))
    lines = last_lines(file)
    assert (len(lines), lines[-1]) == (LOG_LINES, "line 19999")


async def test_a_log_is_asked_for_by_a_name_and_not_by_a_path(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "users.log").write_text("well\n")
    (tmp_path / "other.log").write_text("not for you\n")
    panels = StackPanels(str(tmp_path))
    assert await panels.log("users") == ["well"]
    assert [await panels.log(name) for name in ("../other", "other", "..", "", "*")] == [None] * 5


async def test_a_second_process_of_a_subgraph_has_a_log_too(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "nutrition.log").write_text("the first\n")
    (tmp_path / "logs" / "nutrition-2.log").write_text("the second\n")
    assert await StackPanels(str(tmp_path)).log("nutrition-2") == ["the second"]


async def test_a_stack_that_is_not_up_has_no_panels(tmp_path: Path) -> None:
    assert await StackPanels(str(tmp_path)).panels() == []


def test_events_wait_in_the_outbox_then_at_their_groups() -> None:
    numbers = Numbers(
        [
            ("outbox_published_total", {"service": "nutrition"}, 7.0),
            ("outbox_unpublished", {"service": "nutrition"}, 2.0),
            ("outbox_oldest_age_seconds", {"service": "nutrition"}, 1.234),
            ("consumer_handled_total", {"group": "analytics", "outcome": "new"}, 5.0),
            ("consumer_handled_total", {"group": "analytics", "outcome": "known"}, 1.0),
            ("consumer_lag_messages", {"group": "analytics", "topic": "a"}, 1.0),
            ("consumer_lag_messages", {"group": "analytics", "topic": "b"}, 3.0),
            ("parked_records", {"group": "analytics"}, 4.0),
        ]
    )
    outboxes, groups = event_stages(numbers)
    assert outboxes == [{"name": "outbox nutrition", "total": 7, "waiting": 2, "lagSeconds": 1.23, "note": ""}]
    assert groups == [{"name": "analytics", "total": 6, "waiting": 4, "lagSeconds": None, "note": "4 parked"}]
