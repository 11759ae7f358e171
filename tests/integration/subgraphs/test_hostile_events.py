"""Records whose values are at the edge of their types, through every projector that there is: none stops a partition.

The contracts say types and not ranges, and whoever can write to a topic can write any value of a type. What a projector
makes of one is either a row or a failure that is known to be the record's own, which parks it (`events/failures.py`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from itertools import count
from random import Random
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from sqlalchemy import text

from events.consumer import Subscription, project_newer
from events.contracts import CONTRACTS
from events.contracts.users import SettingsChanged
from events.envelope import Aggregate, Envelope, Payload, decode_envelope, encode_envelope, encode_payload
from events.failures import BadRecordError, Fault, fault_of
from events.fanout import Fanout
from subgraphs.analytics.loaders import AnalyticsLoaders
from subgraphs.analytics.projections import summary
from subgraphs.analytics.schema import schema as analytics_schema
from subgraphs.nutrition.loaders import NutritionLoaders
from subgraphs.nutrition.projections import person as nutrition_person
from subgraphs.nutrition.projections import training
from subgraphs.nutrition.schema import schema as nutrition_schema
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.projections import notification, planned_workout
from subgraphs.users.schema import schema as users_schema
from subgraphs.workouts.loaders import WorkoutsLoaders
from subgraphs.workouts.projections import person as workouts_person
from subgraphs.workouts.schema import schema as workouts_schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
_numbers = count(1)
_SubscriptionOf = Callable[[Fanout | None, Callable[[], datetime]], Subscription]
_SUBGRAPHS: dict[str, tuple[Any, Any, tuple[_SubscriptionOf, ...]]] = {
    "users": (users_schema, UsersLoaders, (notification.subscription, planned_workout.subscription)),
    "nutrition": (nutrition_schema, NutritionLoaders, (nutrition_person.subscription, training.subscription)),
    "workouts": (workouts_schema, WorkoutsLoaders, (workouts_person.subscription,)),
    "analytics": (analytics_schema, AnalyticsLoaders, (summary.subscription,)),
}
_RANDOM_TEXT = bytes(Random(17).randbytes(30_000)).hex()  # which no compression makes fit into an index
# A usual value of each type, and those at its edges.
_EDGES: dict[Any, tuple[Any, ...]] = {
    str: ("UTC", "", "\0", "x" * 900_000, _RANDOM_TEXT, "Nowhere/At all"),
    bool: (True, False),
    int: (1, -(2**63), 2**63 - 1),
    float: (1.0, 1e308),
    Decimal: (Decimal(1), Decimal("NaN"), Decimal("Infinity"), Decimal("1e400"), Decimal("-1e-400"), Decimal(-1)),
    date: (NOON.date(), date.min, date.max),
    datetime: (
        NOON,
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=12))),
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ),
    time: (time(7), time.max),
}


@pytest.fixture(params=_SUBGRAPHS)
async def consuming(
    request: pytest.FixtureRequest, postgres: Postgres
) -> AsyncIterator[tuple[SubgraphUnderTest, list[Subscription]]]:
    name: str = request.param
    schema, loaders, subscriptions = _SUBGRAPHS[name]
    url = postgres.create_database(f"hostile_events_{name}_{next(_numbers)}")
    async with subgraph_under_test(name, url, schema, loaders) as subgraph:
        yield subgraph, [each(None, subgraph.resources.now) for each in subscriptions]


async def test_a_value_at_the_edge_of_its_type_is_a_row_or_parked(
    consuming: tuple[SubgraphUnderTest, list[Subscription]],
) -> None:
    subgraph, subscriptions = consuming
    number = 0
    unforeseen = []
    for subscription in subscriptions:
        for payload, what, person in _hostile_payloads(subscription.topics):
            number += 1
            envelope = decode_envelope(encode_envelope(_envelope(payload, number, person)))
            try:
                async with subgraph.database.transaction() as connection:
                    await project_newer(subscription, connection, [envelope])
            except Exception as failure:
                if fault_of(failure) is not Fault.RECORD:
                    unforeseen.append(f"{subscription.group} {type(payload).__name__}.{what}: {failure!r:.200}")
    assert not unforeseen, "\n".join(unforeseen)
    assert number > 20


def _envelope(payload: Payload, number: int, person: str) -> Envelope:
    return Envelope(
        event_id=f"event-{number}",
        type=type(payload).__name__,
        schema_version=payload.schema_version,
        aggregate=Aggregate(payload.aggregate_type, f"thing-{number}", 1),
        user_id=person or f"person-{number}",
        occurred_at=NOON,
        recorded_at=NOON,
        tombstone=payload.tombstone,
        payload=encode_payload(payload),
    )


def _hostile_payloads(topics: tuple[str, ...]) -> Iterator[tuple[Payload, str, str]]:
    """Of each contract on these topics, one for each field and edge of its type, the other fields being as usual; what it is,
    and of whom: usually of a person of its own, who is the empty text here.
    """
    for contract in CONTRACTS:
        if contract.topic in topics:
            types = get_type_hints(contract)
            usual = {field.name: _values(types[field.name])[0] for field in msgspec.structs.fields(contract)}
            yield contract(**usual), "usual", ""
            for person in _EDGES[str][1:]:
                yield contract(**usual), f"of {person!r:.60}", person
            for name in usual:
                for value in _values(types[name])[1:]:
                    yield contract(**usual | {name: value}), f"{name} = {value!r:.60}", ""


def _values(of_type: Any) -> list[Any]:
    """A usual value of a type, then those at its edges."""
    origin = get_origin(of_type)
    if origin in (Union, UnionType):
        return [value for each in get_args(of_type) if each is not type(None) for value in _values(each)] + [None]
    if origin is tuple:
        return [(value,) for value in _values(get_args(of_type)[0])] + [()]
    if origin is dict:
        return [{"UTC": value} for value in _values(get_args(of_type)[1])]
    if isinstance(of_type, type) and issubclass(of_type, msgspec.Struct):
        types = get_type_hints(of_type)
        usual = {field.name: _values(types[field.name])[0] for field in msgspec.structs.fields(of_type)}
        edges = [of_type(**usual | {name: value}) for name in usual for value in _values(types[name])[1:]]
        return [of_type(**usual), *edges]
    return list(_EDGES[of_type])


async def test_a_clock_that_no_read_could_go_by_is_parked_and_the_one_before_it_stays(
    consuming: tuple[SubgraphUnderTest, list[Subscription]],
) -> None:
    subgraph, subscriptions = consuming
    account = {"email": "some@example.com", "display_name": "Some", "time_zone": "Asia/Tokyo", "day_start_hour": 3}
    clocks: tuple[dict[str, Any], ...] = (
        {"time_zone": "Nowhere/At all"},
        {"time_zone": "../UTC"},
        {"day_start_hour": 90_000},
    )
    for subscription in subscriptions:
        if all(table.name != "person" for table in subscription.tables):
            continue
        async with subgraph.database.transaction() as connection:
            await project_newer(subscription, connection, [_envelope(_settings(account), 0, "somebody")])
        for number, clock in enumerate(clocks, 1):
            told = _envelope(_settings(account | clock), number, "somebody")
            with pytest.raises(BadRecordError):
                async with subgraph.database.transaction() as connection:
                    await project_newer(subscription, connection, [told])
        async with subgraph.database.reading() as connection:
            kept = text("SELECT time_zone, day_start_hour FROM person WHERE user_id = 'somebody'")
            assert (await connection.execute(kept)).one() == ("Asia/Tokyo", 3)


def _settings(told: dict[str, Any]) -> SettingsChanged:
    return SettingsChanged(**told)
