"""What prose says that only one place does is done nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def places_of(pattern: str, *rooms: str) -> set[str]:
    """The modules of the rooms in which a line of code has the pattern."""
    found = re.compile(pattern, re.MULTILINE)
    files = (file for room in rooms for file in (ROOT / room).rglob("*.py"))
    return {str(file.relative_to(ROOT)) for file in files if found.search(file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize(
    ("claim", "pattern", "rooms", "expected"),
    [
        (
            "settings alone reads the environment of a subgraph",
            r"os\.environ|getenv",
            ("subgraphs",),
            {"subgraphs/shell/settings.py"},
        ),
        (
            "one module of users signs tokens",
            r"key_ring\.sign\(",
            ("subgraphs",),
            {"subgraphs/users/commands/access_token.py"},
        ),
        (
            "measurement sets the gauges of events, and the check that of differences",
            r"metrics\.[A-Z_]+(\.labels\(.*\))?\.set\(",
            ("events", "subgraphs", "deploy"),
            {"events/measurement.py", "deploy/event_commands.py"},
        ),
        (
            "every metric of the router is declared in two modules",
            r"= (Counter|Gauge|Histogram|DurationHistogram|Level)\($|return Histogram\($",
            ("router",),
            {"router/telemetry.py", "router/process_metrics.py"},
        ),
        (
            "the router configures OpenTelemetry in one module",
            r"^from opentelemetry\.sdk",
            ("router",),
            {"router/telemetry.py"},
        ),
        (
            "four modules of the subgraphs ask what a clock in a time zone shows, and no statement does, but for UTC's",
            r"ZoneInfo\(|AT TIME ZONE (?!'UTC')",
            ("subgraphs",),
            {
                "subgraphs/shell/calendar.py",
                "subgraphs/users/domain/reminder.py",
                "subgraphs/users/domain/notification_preference.py",
                "subgraphs/analytics/projections/facts.py",
            },
        ),
        (
            "work beside requests is begun in five modules, and what lasts of it is a supervised loop",
            r"(?<!tasks)(?<!group)\.(create_task|ensure_future)\(",
            ("subgraphs", "events"),
            {
                "events/consumer.py",  # closes a client, and waits for it
                "subgraphs/shell/allowance.py",  # the operation itself
                "subgraphs/shell/app.py",  # every loop
                "subgraphs/shell/read_pool.py",  # closes a connection
                "subgraphs/users/commands/webhook_delivery.py",  # each request of a loop that looks what became of it
            },
        ),
        (
            "rows are loaded by COPY for the catalogue and for whole histories",
            r"^from subgraphs\.shell\.bulk",
            ("subgraphs", "deploy", "events"),
            {
                "subgraphs/nutrition/commands/catalogue.py",
                "subgraphs/nutrition/commands/meal_rows.py",
                "subgraphs/nutrition/sample_data.py",
                "subgraphs/users/sample_data.py",
                "subgraphs/workouts/commands/workout_copy.py",
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_it_is_done_there_and_nowhere_else(
    claim: str, pattern: str, rooms: tuple[str, ...], expected: set[str]
) -> None:
    assert places_of(pattern, *rooms) == expected, claim
