"""`fittracker sizing`: how many connections the pools may open together, and whether Postgres allows them.

The guide's rule: connections = instances x pool size x services, and max_connections 2 to 3 times that. Ours counts what a
process really opens (`subgraphs/shell/database.py`): two SQLAlchemy pools with half of the size as overflow each, one pool of
loaders, and one connection for the relay.
"""

from __future__ import annotations

from dataclasses import dataclass

RELAY_CONNECTIONS = 1
HEADROOM = 2.0  # rolling deployments run two generations at once
#: What superusers, backups, exporters, migrations and a person at psql need besides.
RESERVED = 20


@dataclass(frozen=True, slots=True)
class Sizing:
    """`per_process` and `total` are the most that can be open at once; `wanted` is what max_connections should be."""

    per_process: int
    total: int
    wanted: int


def sizing(instances: dict[str, int], pool_size: int, *, has_replica: bool) -> Sizing:
    """`instances`: processes of each domain. With a replica, half of the pools connect there and are not counted here."""
    writer = pool_size + pool_size // 2
    reader = pool_size // 2 + pool_size // 4
    loaders = pool_size
    per_process = writer + reader + loaders + RELAY_CONNECTIONS
    if has_replica:  # the same three again: reads that must see their own writes go to the primary
        per_process += reader + loaders
    total = per_process * sum(instances.values())
    return Sizing(per_process, total, int(total * HEADROOM) + RESERVED)


def largest_pool(max_connections: int, instances: int) -> int:
    """The DATABASE_POOL_SIZE that still fits; 0 where not even one connection a pool does."""
    size = 0
    while sizing({"all": instances}, size + 1, has_replica=False).wanted <= max_connections:
        size += 1
    return size
