"""How values cross the API: the named scalars, decimals as numbers rounded once, and the cache directive.

Used by every subgraph's `api` and `schema`.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.federation.schema_directive import schema_directive
from strawberry.schema_directive import Location
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.scalar import ScalarDefinition, scalar

from subgraphs.shell.calendar import FIRST_YEAR, LAST_YEAR, Weekday, is_time_zone

#: A name of the IANA time zone database, such as Europe/Berlin.
TimeZone = NewType("TimeZone", str)
#: What a client calls one creation, so that a repeated request creates nothing twice.
IdempotencyKey = NewType("IdempotencyKey", str)

# RFC 3339, with an offset that some zone has had: what `fromisoformat` reads beyond that is refused.
_INSTANT = re.compile(r"(\d{4})-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:0\d|1[0-5]):[0-5]\d)", re.ASCII)
_DAY = re.compile(r"(\d{4})-\d\d-\d\d", re.ASCII)
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d(?::00)?", re.ASCII)
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,200}")


def _parse_instant(value: Any) -> datetime:
    if not isinstance(value, str) or not (found := _INSTANT.fullmatch(value)):
        raise ValueError("DateTime must be a text such as 2026-01-31T08:00:00Z or 2026-01-31T08:00:00+02:00")
    _check_year(found.group(1), "DateTime")
    return datetime.fromisoformat(value.upper()).astimezone(UTC)


def _print_instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _parse_day(value: Any) -> date:
    if not isinstance(value, str) or not (found := _DAY.fullmatch(value)):
        raise ValueError("LocalDate must be a text such as 2026-01-31")
    _check_year(found.group(1), "LocalDate")
    return date.fromisoformat(value)


def _parse_clock(value: Any) -> time:
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise ValueError("LocalTime must be a text such as 07:30, from 00:00 to 23:59")
    return time.fromisoformat(value)


def _print_clock(value: time) -> str:
    return value.isoformat("minutes")


def _check_year(year: str, name: str) -> None:
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        raise ValueError(f"{name} must be in the years {FIRST_YEAR} to {LAST_YEAR}")


def _parse_time_zone(value: Any) -> TimeZone:
    if not isinstance(value, str) or not is_time_zone(value):
        raise ValueError("TimeZone must be a name of the IANA time zone database, such as Europe/Berlin")
    return TimeZone(value)


def _parse_idempotency_key(value: Any) -> IdempotencyKey:
    if not isinstance(value, str) or not _IDEMPOTENCY_KEY.fullmatch(value):
        raise ValueError("IdempotencyKey must have 1 to 200 visible ASCII characters, such as a UUID")
    return IdempotencyKey(value)


def _scalar(
    name: str, *, description: str, show: Callable[[Any], str], parse: Callable[[Any], Any], url: str | None = None
) -> ScalarDefinition:
    """`parse` raises ValueError for what is none, which is the client's fault and not ours."""

    def parse_value(value: Any) -> Any:
        try:
            return parse(value)
        except ValueError as error:
            raise GraphQLError(f"{error}.") from None

    return scalar(name=name, description=description, specified_by_url=url, serialize=show, parse_value=parse_value)


SCALARS: dict[object, ScalarDefinition] = {
    datetime: _scalar(
        name="DateTime",
        description=(
            "An instant as RFC 3339 writes it, with an offset: 2026-01-31T08:00:00+02:00; answered in UTC, with Z."
            f" Years {FIRST_YEAR} to {LAST_YEAR}."
        ),
        url="https://scalars.graphql.org/andimarek/date-time.html",
        show=_print_instant,
        parse=_parse_instant,
    ),
    date: _scalar(
        name="LocalDate",
        description=f"A day of somebody's calendar, in no zone: 2026-01-31. Years {FIRST_YEAR} to {LAST_YEAR}.",
        url="https://scalars.graphql.org/andimarek/local-date.html",
        show=date.isoformat,
        parse=_parse_day,
    ),
    time: _scalar(
        name="LocalTime",
        description="What somebody's clock shows, to the minute and in no zone: 07:30.",
        show=_print_clock,
        parse=_parse_clock,
    ),
    TimeZone: _scalar(
        name="TimeZone",
        description="A name of the IANA time zone database, such as Europe/Berlin or UTC.",
        url="https://www.iana.org/time-zones",
        show=str,
        parse=_parse_time_zone,
    ),
    IdempotencyKey: _scalar(
        name="IdempotencyKey",
        description="What a client calls one creation: 1 to 200 visible ASCII characters, such as a UUID.",
        show=str,
        parse=_parse_idempotency_key,
    ),
}


_QUANTA = tuple(Decimal(1).scaleb(-places) for places in range(7))


def rounded(value: Decimal, places: int = 2) -> float:
    """A stored decimal as the API shows it: rounded half-even to `places`."""
    return float(value.quantize(_QUANTA[places], ROUND_HALF_EVEN)) + 0.0  # which makes -0.0 plain nothing


def rounded_or_none(value: Decimal | None, places: int = 2) -> float | None:
    """`rounded`, written out: nodes ask for it more often than for anything else."""
    return None if value is None else float(value.quantize(_QUANTA[places], ROUND_HALF_EVEN)) + 0.0


def decimal_of(value: float, places: int | None = None) -> Decimal:
    """What the client wrote, not its binary neighbour: 0.1 is Decimal("0.1"). Rounded to the places that a column holds."""
    written = Decimal(repr(value + 0.0))
    return written if places is None else round(written, places)


def decimal_of_or_none(value: float | None, places: int | None = None) -> Decimal | None:
    return None if value is None else decimal_of(value, places)


def id_or_none(value: str | None) -> strawberry.ID | None:
    return None if value is None else strawberry.ID(value)


def describe_enum(kind: type[Enum], description: str, **values: str) -> None:
    """Make an enum of `domain` one of the schema, with a description for each of its values."""
    strawberry.enum(kind, description=description)
    definition: StrawberryEnumDefinition = kind.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[value.name]


@strawberry.enum(description="Whose answer a cache may hold: anyone's or only the viewer's.")
class CacheControlScope(Enum):
    PUBLIC = strawberry.enum_value("PUBLIC", description="The same answer for everybody.")
    PRIVATE = strawberry.enum_value("PRIVATE", description="An answer for this viewer alone.")


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


# A person's data is the person's alone, and of whoever may read it for now.
CACHE_PRIVATE_BRIEFLY = CacheControl(max_age=5, scope=CacheControlScope.PRIVATE)


describe_enum(
    Weekday,
    "A day of the week, by the calendar: it begins at midnight.",
    MONDAY="Monday.",
    TUESDAY="Tuesday.",
    WEDNESDAY="Wednesday.",
    THURSDAY="Thursday.",
    FRIDAY="Friday.",
    SATURDAY="Saturday.",
    SUNDAY="Sunday.",
)
