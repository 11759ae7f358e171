"""Named scalars and numbers at the edge of the API."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError

from subgraphs.shell.scalars import SCALARS, IdempotencyKey, TimeZone, decimal_of, rounded


def parse(kind: object, value: Any) -> Any:
    parser = SCALARS[kind].parse_value
    assert parser is not None
    return parser(value)


def test_numbers_are_what_was_written_and_rounded_half_even() -> None:
    assert decimal_of(0.1) == Decimal("0.1")
    assert [rounded(Decimal(text)) for text in ("0.125", "0.135", "1673.999")] == [0.12, 0.14, 1674.0]


def test_nothing_has_no_sign() -> None:
    assert str(decimal_of(-0.0)) == "0.0"
    assert [str(rounded(Decimal(text))) for text in ("-0", "-0.001", "-0.01")] == ["0.0", "0.0", "-0.01"]


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2026-03-01T08:00:00Z", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01t08:00:00.123z", datetime(2026, 3, 1, 8, 0, 0, 123_000, UTC)),
        ("2026-03-01T08:00:00.123456789+05:30", datetime(2026, 3, 1, 2, 30, 0, 123_456, UTC)),
        ("1900-01-01T00:00:00+14:00", datetime(1899, 12, 31, 10, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_as_rfc_3339_writes_it(value: str, instant: datetime) -> None:
    assert parse(datetime, value) == instant


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01T08:00:00",
        "2026-03-01",
        "2026-03-01 08:00:00Z",
        "20260301T080000Z",
        "2026-W09-7T08:00:00Z",
        "2026-03-01T08:00Z",
        "2026-02-30T08:00:00Z",
        "2026-03-01T24:00:01Z",
        "2026-03-01T08:00:00+24:00",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+12:00",
        "2026-03-01T08:00:00Z\n",
        "\u0662\u0660\u0662\u0666-03-01T08:00:00Z",
        1_772_352_000,
        True,
        None,
    ],
)
def test_whatever_else_is_no_instant(value: Any) -> None:
    with pytest.raises(GraphQLError, match=r"DateTime|day|hour|month"):
        parse(datetime, value)


def test_a_day_is_strict() -> None:
    assert parse(date, "2024-02-29") == date(2024, 2, 29)
    for value in ("2026-02-29", "20260301", "2026-W09-7", "2026-3-1", "9999-01-01", "0001-01-01", "2026-03-01\n", 5):
        with pytest.raises(GraphQLError, match=r"LocalDate|day|month"):
            parse(date, value)


def test_zones_and_keys_are_what_they_are_named_for() -> None:
    assert parse(TimeZone, "Europe/Berlin") == "Europe/Berlin"
    assert parse(IdempotencyKey, "x" * 200) == "x" * 200
    for kind, value in ((TimeZone, "Nope/Zone"), (TimeZone, 5), (TimeZone, "localtime")):
        with pytest.raises(GraphQLError, match="TimeZone must be"):
            parse(kind, value)
    for key in ("", "x" * 201, "a b", "a\0", "ü", 5):
        with pytest.raises(GraphQLError, match="IdempotencyKey must have"):
            parse(IdempotencyKey, key)
