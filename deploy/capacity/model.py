"""From what one operation costs to what so many people need, and which part is full first. Behind `fittracker capacity`.

Everything is reckoned for the busiest hour of a day and a utilisation that leaves room for a part that fails (`Habits`). Costs
are those of `unit-costs.json`; what is assumed and not measured stands in `Habits` and `LADDERS`, each with its reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

UNIT_COSTS = Path(__file__).with_name("unit-costs.json")
DAY_SECONDS = 86_400.0
SUBGRAPHS = ("users", "nutrition", "workouts", "analytics")
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Habits:
    """What people do. Assumed: such figures are published by no fitness app. `fittracker capacity` takes others."""

    #: Of all registered people, those who open the app on a day.
    active_share: float = 0.3
    #: The busiest hour's rate over the day's mean: breakfast, lunch and evening of one continent.
    peak: float = 2.5
    #: Of a part's processors at the peak; the rest is for a lost instance and for growth until somebody looks.
    utilisation: float = 0.6
    #: Years whose entries are kept.
    years: float = 5.0
    #: An active person's operations on a day.
    daily: Mapping[str, float] = field(
        default_factory=lambda: {
            "dashboard": 6.0,
            "day": 6.0,
            "search": 5.0,
            "meal": 3.5,
            "water": 3.0,
            "weight": 0.4,
            "workout": 0.35,
        }
    )

    def rate(self, operation: str, people: int) -> float:
        """Operations a second in the busiest hour."""
        return people * self.active_share * self.daily[operation] / DAY_SECONDS * self.peak


@dataclass(frozen=True, slots=True)
class Needs:
    """What so many people need at the peak: `cores` by part without any room, bytes by domain, events a second."""

    people: int
    operations_per_second: float
    cores: Mapping[str, float]
    stored_bytes: Mapping[str, float]
    events_per_second: float


@dataclass(frozen=True, slots=True)
class Step:
    """A part became too small: at `people` it is given `remedy`."""

    people: int
    part: str
    remedy: str


def read_unit_costs(file: Path = UNIT_COSTS) -> Mapping[str, Any]:
    """As `benchmarks.unit_costs` wrote it: operation -> `{"cpu_ms": {part: ms}, "stored_bytes": {domain: n}, "events": n}`."""
    measured: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))["operations"]
    return measured


def needs_of(people: int, costs: Mapping[str, Any], habits: Habits) -> Needs:
    rates = {operation: habits.rate(operation, people) for operation in habits.daily}
    parts = sorted({part for cost in costs.values() for part in cost["cpu_ms"]})
    mean = 1 / habits.peak  # storage grows by the mean, not by the peak
    kept_seconds = habits.years * 365 * DAY_SECONDS
    return Needs(
        people,
        sum(rates.values()),
        {part: sum(rates[name] * costs[name]["cpu_ms"].get(part, 0.0) for name in rates) / 1000 for part in parts},
        {
            domain: sum(rates[name] * costs[name]["stored_bytes"][domain] for name in rates) * mean * kept_seconds
            for domain in SUBGRAPHS
        },
        sum(rates[name] * costs[name]["events"] for name in rates),
    )


@dataclass(frozen=True, slots=True)
class Rung:
    """A size of a part: what it holds at full use, and how it is reached."""

    holds: float
    remedy: str


#: One server's sizes, in processors. The largest that clouds let by the hour have more; their price a core rises.
_POSTGRES = (2, 4, 8, 16, 32, 64)
#: One database's volume, in GiB. Beyond it a restore takes longer than a working day at 500 MiB/s.
_VOLUMES = (250, 1_000, 4_000, 16_000)
#: Partitions are consumed by one process each; more than a topic's count cannot work at once.
_PARTITIONS = (6, 12, 24, 48, 96)
#: Of a part that keeps nothing, in one cell: beyond it, its connections to the databases are what ends.
_PROCESSES = 400


def ladders(needs_of_one: Needs, share_of_writes: float) -> dict[str, tuple[float, tuple[Rung, ...]]]:
    """Part -> what a single person needs of it, and the sizes it can have. Past the last one a further cell is opened.

    Router and subgraphs keep nothing: they are given processes, of one core each. A consumer's work is the analytics
    subgraph's, which is divided by partitions. Postgres' processor time is measured for all four domains together: it is one
    server at first, then four, divided as their subgraphs' time is, then primaries with replicas that take the reads.
    """
    cores = needs_of_one.cores
    found: dict[str, tuple[float, tuple[Rung, ...]]] = {}
    for part in ("router", *SUBGRAPHS):
        found[part] = (cores[part], tuple(Rung(n, f"{n} processes") for n in range(1, _PROCESSES + 1)))
    one_server = [Rung(n, f"{n} cores") for n in _POSTGRES]
    largest = max(cores[name] for name in SUBGRAPHS) / sum(cores[name] for name in SUBGRAPHS)
    four_servers = [Rung(n / largest, f"a server for each domain, the largest with {n} cores") for n in (32, 64)]
    replicated = [Rung(64 / largest / max(share_of_writes, 0.01), "replicas for reads")]
    sizes = sorted(
        one_server + [rung for rung in four_servers + replicated if rung.holds > one_server[-1].holds],
        key=lambda rung: rung.holds,
    )
    found["postgres"] = (cores["postgres"], tuple(sizes))
    volume = max(needs_of_one.stored_bytes.values()) / GIB
    found["largest volume"] = (volume, tuple(Rung(n, f"{n:,} GiB") for n in _VOLUMES))
    found["partitions"] = (
        cores["analytics"] * share_of_writes,
        tuple(Rung(n, f"{n} partitions a topic") for n in _PARTITIONS),
    )
    found["redis"] = (cores["valkey"], (Rung(1, "one server"), Rung(2, "one for live updates, one for caches")))
    found["kafka"] = (cores["broker"], tuple(Rung(n, f"{n} brokers") for n in (1, 3, 6, 12)))
    return found


def order_of_growth(people: int, costs: Mapping[str, Any], habits: Habits) -> Iterator[Step]:
    """What becomes too small on the way from nobody to `people`, in order; ends where a further cell is what helps."""
    at: dict[str, int] = {}
    sizes = ladders(needs_of(1, costs, habits), share_of_writes(costs, habits))
    while True:
        full = {
            part: rungs[at.get(part, 0)].holds * (1.0 if "volume" in part else habits.utilisation) / need
            for part, (need, rungs) in sizes.items()
            if need > 0
        }
        part = min(full, key=full.__getitem__)
        if full[part] > people:
            return
        at[part] = at.get(part, 0) + 1
        rungs = sizes[part][1]
        if at[part] == len(rungs):
            yield Step(int(full[part]), part, "a further cell: people are divided between whole platforms")
            return
        yield Step(int(full[part]), part, rungs[at[part]].remedy)


def share_of_writes(costs: Mapping[str, Any], habits: Habits) -> float:
    """Of the databases' work, that which only a primary can do: operations that leave events."""
    work = {name: habits.daily[name] * float(costs[name]["cpu_ms"]["postgres"]) for name in habits.daily}
    return sum(ms for name, ms in work.items() if costs[name]["events"] > 0) / sum(work.values())


def cell_size(costs: Mapping[str, Any], habits: Habits) -> int:
    """How many people one platform holds before its largest parts cannot grow."""
    steps = list(order_of_growth(10**10, costs, habits))
    return steps[-1].people


def processes(needs: Needs, habits: Habits) -> dict[str, int]:
    """Processes of the parts that keep nothing, at least two of each, so that one may be lost."""
    return {part: max(2, ceil(needs.cores[part] / habits.utilisation)) for part in ("router", *SUBGRAPHS)}
