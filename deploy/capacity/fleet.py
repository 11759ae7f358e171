"""Of which whole platforms so many people's service consists: regions, cells, partitions, replicas, connections, and what it costs.

The model says what the work needs; this divides it. People are divided equally between regions, and in each between cells no
larger than `model.cell_size`. What is assumed and not measured stands in `Fleet` and `Prices`, each with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from deploy.capacity.model import (
    GIB,
    SUBGRAPHS,
    Habits,
    Needs,
    cell_size,
    ladders,
    needs_of,
    processes,
    share_of_writes,
)

#: A connection at the router, and one that waits for an event: measured by `benchmarks.connections` on 2026-11-30.
IDLE_CONNECTION_BYTES = 10 * 1024
WAITING_SUBSCRIBER_BYTES = 27 * 1024
#: `max_connections` of the router's settings, of one process.
CONNECTIONS_PER_PROCESS = 10_000
#: The largest server of one database, in processors: the last of the model's sizes.
_LARGEST_SERVER = 64


@dataclass(frozen=True, slots=True)
class Fleet:
    """How it is laid out. Assumed; `fittracker capacity` takes others."""

    #: Places that people are divided between. No one's data is in two, but for a copy of the backups.
    regions: int = 1
    #: Of those who come on a day, those who are connected in the busiest moment: some ten visits of five minutes in waking hours.
    connected_share: float = 0.1
    #: Of each database, for when the primary is lost; reads may use it. More where one server's processors are too few.
    standbys: int = 1
    #: Kafka's, with every record in three of them, so that one may be lost.
    brokers: int = 3


@dataclass(frozen=True, slots=True)
class Prices:
    """A month's, in any one currency. Assumed: in the middle of what large clouds list for general machines; no offer of anybody."""

    #: One processor with 4 GiB of memory.
    core: float = 30.0
    #: One GiB of solid state disk that outlives its machine.
    disk_gib: float = 0.10
    #: One GiB in an object store: the backup, once.
    backup_gib: float = 0.025


@dataclass(frozen=True, slots=True)
class Layout:
    """All regions together, but for `partitions` (a topic) and `replicas` (a database), which are those of one cell."""

    people: int
    cells: int
    partitions: int
    replicas: int
    connections: int
    connection_bytes: float
    cores: int
    disk_bytes: float
    price: float


def layout_of(people: int, costs: Mapping[str, Any], habits: Habits, fleet: Fleet, prices: Prices) -> Layout:
    """Cells are equally large. Raises ValueError where there are more regions than people."""
    if people < fleet.regions:
        raise ValueError(f"{people} people cannot be divided between {fleet.regions} regions")
    a_region = ceil(people / fleet.regions)
    cells = fleet.regions * ceil(a_region / cell_size(costs, habits))
    cell = needs_of(ceil(people / cells), costs, habits)
    replicas = _replicas(cell, habits, fleet)
    connections = ceil(people * habits.active_share * fleet.connected_share)
    cores = cells * _cores(cell, ceil(connections / cells), replicas, habits, fleet)
    stored = sum(cell.stored_bytes.values()) * cells
    disk = stored * (1 + replicas)
    price = cores * prices.core + disk / GIB * prices.disk_gib + stored / GIB * prices.backup_gib
    return Layout(
        people=people,
        cells=cells,
        partitions=_partitions(cell, costs, habits),
        replicas=replicas,
        connections=connections,
        connection_bytes=connections * float(IDLE_CONNECTION_BYTES + WAITING_SUBSCRIBER_BYTES),
        cores=cores,
        disk_bytes=disk,
        price=price,
    )


def _partitions(cell: Needs, costs: Mapping[str, Any], habits: Habits) -> int:
    """Of a topic: the first size whose consumers, one process a partition, do the cell's work."""
    a_person, sizes = ladders(needs_of(1, costs, habits), share_of_writes(costs, habits))["partitions"]
    fitting = [size.holds for size in sizes if size.holds * habits.utilisation >= a_person * cell.people]
    return int(fitting[0] if fitting else sizes[-1].holds)


def _replicas(cell: Needs, habits: Habits, fleet: Fleet) -> int:
    """Of the busiest database: standbys, or as many as take the work that one server cannot do."""
    work = sum(cell.cores[name] for name in SUBGRAPHS)
    busiest = cell.cores["postgres"] * max(cell.cores[name] for name in SUBGRAPHS) / work if work else 0.0
    return max(fleet.standbys, ceil(busiest / habits.utilisation / _LARGEST_SERVER) - 1)


def _cores(cell: Needs, connections: int, replicas: int, habits: Habits, fleet: Fleet) -> int:
    """Of one cell. Every process and server has a whole one at least; two Redis."""
    of_parts = processes(cell, habits)
    of_parts = {**of_parts, "router": max(of_parts["router"], ceil(connections / CONNECTIONS_PER_PROCESS))}
    postgres = max(1, ceil(cell.cores["postgres"] / habits.utilisation)) * (1 + replicas)
    brokers = max(fleet.brokers, ceil(cell.cores["broker"] / habits.utilisation))
    redis = max(2, ceil(cell.cores["valkey"] / habits.utilisation))
    return sum(of_parts.values()) + postgres + brokers + redis
