"""The capacity model adds up, and its page says what the command says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deploy.capacity.fleet import CONNECTIONS_PER_PROCESS, Fleet, Prices, layout_of
from deploy.capacity.model import GIB, Habits, cell_size, needs_of, order_of_growth, processes, read_unit_costs
from deploy.capacity.report import growth, layouts, table

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


def test_a_fleet_costs_what_its_parts_cost() -> None:
    layout = layout_of(10_000, COSTS, HABITS, Fleet(), Prices(core=10.0, disk_gib=2.0, backup_gib=1.0))
    # Two processes of each of five parts, a primary and a standby, three brokers, two Redis.
    assert (layout.cells, layout.replicas, layout.partitions, layout.cores) == (1, 1, 6, 10 + 2 + 3 + 2)
    assert layout.connections == 10_000 * 0.5 * 0.1
    assert layout.connection_bytes == layout.connections * 37 * 1024
    stored = 5_000 * 8.64 * 365 * 1_500 / GIB
    assert layout.disk_bytes / GIB == pytest.approx(2 * stored)
    assert layout.price == pytest.approx(17 * 10 + 2 * stored * 2 + stored)


def test_each_region_has_cells_of_its_own_and_none_is_too_large() -> None:
    size = cell_size(COSTS, HABITS)
    assert layout_of(size, COSTS, HABITS, Fleet(regions=3), Prices()).cells == 3
    assert layout_of(size + 1, COSTS, HABITS, Fleet(), Prices()).cells == 2
    assert layout_of(4 * size, COSTS, HABITS, Fleet(regions=3), Prices()).cells == 6
    with pytest.raises(ValueError, match="2 people cannot be divided between 3 regions"):
        layout_of(2, COSTS, HABITS, Fleet(regions=3), Prices())


def test_connections_alone_can_ask_for_routers() -> None:
    few, many = (layout_of(10_000_000, COSTS, replace(HABITS, years=0.001), Fleet(connected_share=share), Prices())
                 for share in (0.0, 1.0))  # fmt: skip
    a_cell = many.connections / many.cells
    at_least = (
        a_cell / CONNECTIONS_PER_PROCESS - needs_of(10_000_000 // many.cells, COSTS, HABITS).cores["router"] / 0.5
    )
    assert (few.connections, few.cells) == (0, many.cells)
    assert many.cores - few.cores >= at_least * many.cells - 2 * many.cells > 0


def test_consumers_ask_for_partitions_and_a_full_primary_for_replicas() -> None:
    habits = replace(HABITS, years=0.001)
    small, large = (layout_of(people, COSTS, habits, Fleet(), Prices()) for people in (100_000, 10_000_000))
    # 10 million: 1,000 meals a second at 4 ms of analytics are 4 cores, at half use 8, so 12 partitions.
    assert (small.partitions, large.partitions, large.cells) == (6, 12, 1)
    read = {"meal": {**COSTS["meal"], "events": 0.0, "stored_bytes": dict.fromkeys(COSTS["meal"]["stored_bytes"], 0),
                     "cpu_ms": {**COSTS["meal"]["cpu_ms"], "postgres": 100.0}}}  # fmt: skip
    # 1,000 reads a second at 100 ms are 100 cores, at half use 200, five sixths of them nutrition's: three servers of 64.
    layout = layout_of(10_000_000, read, habits, Fleet(), Prices())
    assert (layout.cells, layout.replicas) == (1, 2)


def test_the_page_says_what_the_command_says() -> None:
    page, costs = PAGE.read_text(encoding="utf-8"), read_unit_costs()
    counts = [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]
    assert "\n".join(table(counts, costs, Habits())) in page
    assert "\n".join(growth(max(counts), costs, Habits())) in page
    assert "\n".join(layouts(counts, costs, Habits(), Fleet(), Prices())) in page
    assert "\n".join(layouts(counts[2:], costs, Habits(), Fleet(regions=3), Prices())) in page
