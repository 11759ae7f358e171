"""How values cross the API: instants with their zone, decimals as numbers rounded once, and the cache directive.

Used by every subgraph's `api` and `schema`.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import strawberry
from strawberry.federation.schema_directive import schema_directive
from strawberry.schema_directive import Location
from strawberry.types.scalar import ScalarDefinition, scalar


def _parse_instant(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError(f"DateTime must be a text such as 2026-01-31T08:00:00Z, not {value!r}")  # noqa: TRY004
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError(f"DateTime {value!r} names no zone: end it with Z or an offset such as +02:00")
    return instant.astimezone(UTC)


def _print_instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


SCALARS: dict[object, ScalarDefinition] = {
    datetime: scalar(
        name="DateTime",
        description="An instant, ISO 8601 with a zone; answered in UTC.",
        serialize=_print_instant,
        parse_value=_parse_instant,
    ),
}


def local_date(at: datetime, time_zone: str, day_start_hour: int) -> date:
    """The person's calendar day of an instant; the hours before the day's start belong to the day before."""
    wall_clock = at.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None)
    return (wall_clock - timedelta(hours=day_start_hour)).date()


@lru_cache(maxsize=1024)
def is_time_zone(name: str) -> bool:
    """Whether this is an IANA time zone: any name that has its rules."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; a path out of the folder; a folder
        return False
    return bool(name)


_QUANTA = tuple(Decimal(1).scaleb(-places) for places in range(7))


def rounded(value: Decimal, places: int = 2) -> float:
    """A stored decimal as the API shows it: half-even, the only place where anything is rounded."""
    return float(value.quantize(_QUANTA[places], ROUND_HALF_EVEN))


def rounded_or_none(value: Decimal | None, places: int = 2) -> float | None:
    return None if value is None else rounded(value, places)


def decimal_of(value: float, places: int | None = None) -> Decimal:
    """What the client wrote, not its binary neighbour: 0.1 is Decimal("0.1"). Cut to the places that a column holds."""
    written = Decimal(repr(value))
    return written if places is None else round(written, places)


@strawberry.enum(description="Whose answer a cache may hold: anyone's or only the viewer's.")
class CacheControlScope(Enum):
    PUBLIC = "PUBLIC"
    PRIVATE = "PRIVATE"


@schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.OBJECT, Location.INTERFACE, Location.UNION],
    name="cacheControl",
    compose=True,
    import_url="https://specs.fittracker.example/cacheControl/v0.1",
)
class CacheControl:
    """How long, in seconds, and for whom an answer may be cached."""

    max_age: int | None = strawberry.UNSET
    scope: CacheControlScope | None = strawberry.UNSET
    inherit_max_age: bool | None = strawberry.UNSET


# Reference data changes rarely and is the same for all; a person's data is the person's alone.
CACHE_PUBLIC_HOUR = CacheControl(max_age=3600, scope=CacheControlScope.PUBLIC)
CACHE_PRIVATE_BRIEFLY = CacheControl(max_age=5, scope=CacheControlScope.PRIVATE)
