"""The capacity model adds up, and its page says what the command says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deploy.capacity.model import Habits, cell_size, needs_of, order_of_growth, processes, read_unit_costs
from deploy.capacity.report import growth, table

PAGE = Path(__file__).parents[3] / "deploy" / "capacity" / "README.md"
#: One operation that costs the router 10 ms, nutrition 20 ms and Postgres 5 ms, and leaves 1,000 bytes and an event.
COSTS = {
    "meal": {
        "cpu_ms": {
            "router": 10.0, "users": 0.0, "nutrition": 20.0, "workouts": 0.0, "analytics": 4.0,
            "postgres": 5.0, "valkey": 0.1, "broker": 0.5,
        },
        "stored_bytes": {"users": 0, "nutrition": 1_000, "workouts": 0, "analytics": 500},
        "events": 1.0,
    }
}  # fmt: skip
HABITS = Habits(active_share=0.5, peak=2.0, utilisation=0.5, years=1.0, daily={"meal": 8.64})


def test_needs_are_rates_times_costs() -> None:
    needs = needs_of(10_000, COSTS, HABITS)
    # 10,000 people, half of them active, 8.64 meals a day: 0.5 a second, and 1 a second in the busiest hour.
    assert needs.operations_per_second == pytest.approx(1.0)
    assert needs.cores["nutrition"] == pytest.approx(0.020)
    assert needs.events_per_second == pytest.approx(1.0)
    assert needs.stored_bytes["nutrition"] == pytest.approx(5_000 * 8.64 * 365 * 1_000)


def test_processes_leave_room_and_are_at_least_two() -> None:
    needs = needs_of(1_000_000, COSTS, HABITS)
    assert processes(needs, HABITS) == {"router": 2, "users": 2, "nutrition": 4, "workouts": 2, "analytics": 2}


def test_the_part_that_is_full_first_is_given_more_first() -> None:
    steps = list(order_of_growth(10**7, COSTS, replace(HABITS, years=0.001)))
    assert [step.people for step in steps] == sorted(step.people for step in steps)
    # Half of one core at 20 ms a meal: 25 meals a second, 250,000 people.
    assert (steps[0].people, steps[0].part, steps[0].remedy) == (250_000, "nutrition", "2 processes")


def test_growth_ends_with_a_further_cell() -> None:
    *_, last = order_of_growth(10**12, COSTS, HABITS)
    assert "further cell" in last.remedy
    assert last.people == cell_size(COSTS, HABITS)


def test_the_page_says_what_the_command_says() -> None:
    page, costs = PAGE.read_text(encoding="utf-8"), read_unit_costs()
    counts = [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]
    assert "\n".join(table(counts, costs, Habits())) in page
    assert "\n".join(growth(max(counts), costs, Habits())) in page
