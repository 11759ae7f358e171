"""The model's answer as text: one table for several numbers of people, and the order in which parts are given more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deploy.capacity.fleet import Fleet, Prices, layout_of
from deploy.capacity.model import GIB, SUBGRAPHS, Habits, cell_size, needs_of, order_of_growth, processes


def table(people: Sequence[int], costs: Mapping[str, Any], habits: Habits) -> Iterator[str]:
    """Markdown: a row for each number of people."""
    heads = ("people", "operations/s", "router", *SUBGRAPHS, "Postgres cores", "stored", "events/s", "cells")
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---:|" * len(heads)
    cell = cell_size(costs, habits)
    for count in people:
        needs = needs_of(count, costs, habits)
        counts = processes(needs, habits)
        row = (
            f"{count:,}",
            f"{needs.operations_per_second:,.0f}",
            *(f"{counts[part]:,}" for part in ("router", *SUBGRAPHS)),
            f"{needs.cores['postgres'] / habits.utilisation:,.1f}",
            _size(sum(needs.stored_bytes.values())),
            f"{needs.events_per_second:,.0f}",
            f"{-(-count // cell):,}",
        )
        yield f"| {' | '.join(row)} |"


def layouts(
    people: Sequence[int], costs: Mapping[str, Any], habits: Habits, fleet: Fleet, prices: Prices
) -> Iterator[str]:
    """Markdown: a row for each number of people. Partitions are a topic's and replicas a database's, of one cell."""
    heads = (
        "people", "regions", "cells", "partitions", "replicas", "connections", "their memory", "cores", "disks",
        "a month", "a person and year",
    )  # fmt: skip
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---:|" * len(heads)
    for count in people:
        layout = layout_of(count, costs, habits, fleet, prices)
        row = (
            f"{count:,}",
            f"{fleet.regions:,}",
            f"{layout.cells:,}",
            f"{layout.partitions:,}",
            f"{layout.replicas:,}",
            f"{layout.connections:,}",
            _size(layout.connection_bytes),
            f"{layout.cores:,}",
            _size(layout.disk_bytes),
            f"{_rounded(round(layout.price)):,}",
            f"{layout.price * 12 / count:.2f}",
        )
        yield f"| {' | '.join(row)} |"


def growth(people: int, costs: Mapping[str, Any], habits: Habits) -> Iterator[str]:
    """Markdown: a row a step. Steps that only add one more process are told where the number of processes doubles."""
    yield "| at people | part | is given |"
    yield "|---:|---|---|"
    for step in order_of_growth(people, costs, habits):
        count, _, unit = step.remedy.partition(" ")
        if unit == "processes" and int(count) & (int(count) - 1):
            continue
        yield f"| {_rounded(step.people):,} | {step.part} | {step.remedy} |"


def _rounded(count: int) -> int:
    """To two digits: the model knows no more."""
    return int(float(f"{count:.1e}"))


def _size(stored: float) -> str:
    if stored < GIB:
        return f"{stored / (1 << 20):,.0f} MiB"
    return f"{stored / GIB:,.0f} GiB" if stored < 1024 * GIB else f"{stored / 1024 / GIB:,.1f} TiB"
