"""Subscriptions whose events are records of a real Kafka-protocol broker, completed by the shop's subgraphs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import aiohttp
import orjson
import pytest
from aiokafka import AIOKafkaProducer
from structlog.testing import capture_logs

from router.broker_events import hub
from router.broker_events.hub import BrokerEvents, EventsLostError
from router.settings import BrokerSubscriptions, KafkaClient
from router.transport.subscription_source import SubscriberTooSlowError
from tests.testkit.kafka_clients import NOBODY_LISTENS, every_client_is_stopped
from tests.testkit.running_router import RunningRouter, StartRouter, token
from tests.testkit.servers import Broker
from tests.testkit.strawberry_shop import Shop

TYPES = """
type Subscription @join__type(graph: CATALOG) @join__type(graph: EVENTS) {
  ticks(count: Int!, pause: Float! = 0.0): Tick! @join__field(graph: CATALOG)
  renamed(id: ID): User @join__field(graph: EVENTS)
  mine: User @join__field(graph: EVENTS)
  sold: Sale @join__field(graph: EVENTS)
}
type Sale @join__type(graph: EVENTS) { pieces: Int! product: Product! buyer: User }
"""
FIELDS = {
    "Subscription.renamed": {"when": {"kind": "renamed"}, "match": {"user.id": "args.id"}, "value": {"id": "user.id"}},
    "Subscription.mine": {"match": {"user.id": "claims.sub"}, "value": {"id": "user.id"}},
    "Subscription.sold": {
        "when": {"kind": "sold"},
        "value": {"pieces": "count", "product.id": "what", "buyer.id": "user.id"},
    },
}


def supergraph_with_events(shop: Shop) -> str:
    """The shop's, with a subgraph `events` that is a schema and no server."""
    sdl = shop.supergraph
    start = sdl.index("type Subscription ")
    end = sdl.index("\n", start)
    sdl = sdl[:start] + TYPES.strip() + sdl[end:]
    sdl = sdl.replace("enum join__Graph {", 'enum join__Graph {\n  EVENTS @join__graph(name: "events", url: "")')
    for name in ("Product", "User"):
        sdl = sdl.replace(f"type {name} ", f'type {name} @join__type(graph: EVENTS, key: "id", resolvable: false) ')
    return sdl


@pytest.fixture
async def topic() -> str:
    return f"shop-{time.time_ns()}"


@pytest.fixture
async def producer(broker: Broker, topic: str) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers) as producer:
        await producer.send_and_wait(topic, b"{}")  # the topic is there
        yield producer


@pytest.fixture
async def router(
    start_router: StartRouter, shop: Shop, broker: Broker, topic: str, tmp_path: Any
) -> AsyncIterator[RunningRouter]:
    (tmp_path / "supergraph.graphql").write_text(supergraph_with_events(shop))
    fields = {name: {"topic": topic, **each} for name, each in FIELDS.items()}
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    async with start_router(kafka=kafka, broker_subscriptions={"fields": fields}) as router:
        yield router


PATIENCE_SECONDS = 60


class Listener:
    """One operation over graphql-transport-ws."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def next(self) -> Any:
        while (message := await self._socket.receive_json(timeout=60))["type"] == "ping":
            pass
        assert message["type"] == "next", message
        return message["payload"]


async def listen(router: RunningRouter, query: str, variables: Any = None, authorization: str = "") -> Listener:
    socket = await router.session.ws_connect(router.url, protocols=["graphql-transport-ws"])
    payload = {"authorization": authorization} if authorization else {}
    await socket.send_json({"type": "connection_init", "payload": payload})
    assert (await socket.receive_json())["type"] == "connection_ack"
    await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": query, "variables": variables}})
    return Listener(socket)


async def tell(producer: AIOKafkaProducer, topic: str, *records: Any) -> None:
    """Under one key, for Kafka keeps the order of one partition only."""
    for record in records:
        value = record if isinstance(record, bytes) else orjson.dumps(record)
        await producer.send_and_wait(topic, value, key=b"shop")


async def when_heard(router: RunningRouter, producer: AIOKafkaProducer, topic: str) -> None:
    """Returns when the router hears the topic, and every subscription that was begun before."""
    probe = await listen(router, "subscription { sold { pieces } }")
    while True:
        await tell(producer, topic, {"kind": "sold", "count": 0, "what": "1"})
        try:
            message = await probe._socket.receive_json(timeout=0.5)
        except TimeoutError:
            continue
        assert message["type"] == "next"
        return


async def test_a_record_is_completed_by_the_subgraphs(
    router: RunningRouter, producer: AIOKafkaProducer, topic: str
) -> None:
    query = "subscription($id: ID) { who: renamed(id: $id) { __typename number: id called: name } }"
    one = await listen(router, query, {"id": "u2"})
    everyone = await listen(router, query)
    await when_heard(router, producer, topic)
    await tell(
        producer,
        topic,
        b"no JSON",
        {"kind": "other", "user": {"id": "u2"}},
        {"kind": "renamed", "user": {"id": "u1"}},
        {"kind": "renamed", "user": {"id": "u2"}},
    )
    ann = {"data": {"who": {"__typename": "User", "number": "u1", "called": "Ann"}}}
    ben = {"data": {"who": {"__typename": "User", "number": "u2", "called": "Ben"}}}
    assert await one.next() == ben
    assert [await everyone.next(), await everyone.next()] == [ann, ben]


async def test_records_for_a_claim_are_for_whom_the_token_names(
    router: RunningRouter, producer: AIOKafkaProducer, topic: str
) -> None:
    query = "subscription { mine { name email } }"
    ben = await listen(router, query, authorization=token("u2"))
    nobody = await listen(router, query)
    refused = await nobody.next()
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    await when_heard(router, producer, topic)
    await tell(producer, topic, {"user": {"id": "u1"}}, {"user": {"id": "u2"}})
    assert await ben.next() == {"data": {"mine": {"name": "Ben", "email": "u2@example.com"}}}


async def test_what_a_record_holds_is_shaped_as_asked_and_nested_entities_are_fetched(
    router: RunningRouter, producer: AIOKafkaProducer, topic: str
) -> None:
    query = "subscription { sold { n: pieces product { name inStock } buyer { name } } }"
    sales = await listen(router, query)
    await when_heard(router, producer, topic)
    await tell(producer, topic, {"kind": "sold", "count": 3, "what": "2", "user": {"id": "u1"}})
    while (told := await sales.next())["data"]["sold"]["n"] == 0:
        pass
    assert told == {
        "data": {"sold": {"n": 3, "product": {"name": "Product 2", "inStock": 20}, "buyer": {"name": "Ann"}}}
    }


async def test_a_field_without_a_topic_is_still_its_subgraphs(router: RunningRouter) -> None:
    ticks = await listen(router, "subscription { ticks(count: 1) { n product { name } } }")
    assert await ticks.next() == {"data": {"ticks": {"n": 0, "product": {"name": "Product 1"}}}}


async def test_a_client_that_takes_too_slowly_is_told_or_loses_the_oldest() -> None:
    field = {"topic": "t", "match": {"id": "args.id"}}
    for when_full, expected in (("close", [0, 1]), ("drop_oldest", [3, 4])):
        settings = BrokerSubscriptions.model_validate(
            {"fields": {"Subscription.a": field}, "max_waiting": 2, "when_full": when_full}
        )
        events = BrokerEvents(settings, KafkaClient(bootstrap_servers=""))
        records = events.subscribe("Subscription.a", {"id": 7}, "events")
        first = anext(records)
        task = asyncio.ensure_future(first)
        await asyncio.sleep(0)
        events.publish("t", b'{"id": "7", "n": -1}')
        assert (await task)["n"] == -1
        for number in range(5):
            events.publish("t", orjson.dumps({"id": "7", "n": number}))
            events.publish("t", orjson.dumps({"id": "8", "n": number}))
        assert [(await anext(records))["n"] for _ in range(2)] == expected
        if when_full == "close":
            with pytest.raises(SubscriberTooSlowError):
                await anext(records)
        await records.aclose()


async def test_a_broker_that_cannot_be_reached_leaves_no_client_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "PAUSE_SECONDS", 0.01)
    settings = BrokerSubscriptions.model_validate({"fields": {"Subscription.a": {"topic": "t"}}})
    events = BrokerEvents(settings, KafkaClient(bootstrap_servers=NOBODY_LISTENS))
    with every_client_is_stopped(), capture_logs() as log:
        async with reading(events):
            while len(log) < 2:
                await asyncio.sleep(0.01)


def reader(broker: Broker, topic: str, **settings: Any) -> BrokerEvents:
    fields = {"fields": {"Subscription.a": {"topic": topic}}, **settings}
    return BrokerEvents(
        BrokerSubscriptions.model_validate(fields), KafkaClient(bootstrap_servers=broker.bootstrap_servers)
    )


@asynccontextmanager
async def reading(events: BrokerEvents) -> AsyncIterator[None]:
    """The loop, until the block ends: what a failure does to it, and to its consumer."""
    task = asyncio.create_task(events.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Subscribed:
    """A client's records as they come, and the failure that ends them."""

    def __init__(self, events: BrokerEvents) -> None:
        self.told: list[Any] = []
        self.ended: Exception | None = None
        self._task = asyncio.create_task(self._listen(events))

    async def _listen(self, events: BrokerEvents) -> None:
        try:
            async with aclosing(events.subscribe("Subscription.a", {}, "events")) as records:
                async for record in records:
                    self.told.append(record["n"])
                    await asyncio.sleep(0)  # as whoever completes it
        except (EventsLostError, SubscriberTooSlowError) as error:
            self.ended = error

    async def until(self, last: int) -> list[Any]:
        """What was told, without what `heard` sent, when `last` has come."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while last not in self.told:
                assert self.ended is None
                await asyncio.sleep(0.01)
        return [number for number in self.told if number >= 0]

    async def heard(self, producer: AIOKafkaProducer, topic: str) -> None:
        """Returns when the loop hears the topic. What it is told meanwhile fits a small queue, on a busy machine too."""
        pause = 0.05
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self.told:
                await tell(producer, topic, {"n": -1})
                await asyncio.sleep(pause)
                pause *= 2

    async def end(self) -> Exception | None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._task
        return self.ended

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


async def test_what_came_while_nobody_read_is_told_however_much_a_client_may_have_waiting(
    broker: Broker, producer: AIOKafkaProducer, topic: str
) -> None:
    events = reader(broker, topic, max_waiting=4)
    client = Subscribed(events)
    async with reading(events):
        await client.heard(producer, topic)
        await tell(producer, topic, {"n": 0})
        await client.until(0)
    await tell(producer, topic, *({"n": number} for number in range(1, 40)))
    late = Subscribed(events)
    async with reading(events):
        assert await client.until(39) == list(range(40))
        await tell(producer, topic, {"n": 40})
        assert await client.until(40) == list(range(41))
        assert (await late.until(40))[-1] == 40
    await client.leave()
    await late.leave()


async def test_a_client_is_told_where_more_was_missed_than_is_told(
    broker: Broker, producer: AIOKafkaProducer, topic: str
) -> None:
    events = reader(broker, topic, max_missed=3)
    client = Subscribed(events)
    async with reading(events):
        await client.heard(producer, topic)
    await tell(producer, topic, *({"n": number} for number in range(4)))
    async with reading(events):
        assert isinstance(await client.end(), EventsLostError)
        assert all(number < 0 for number in client.told)
        again = Subscribed(events)
        await tell(producer, topic, {"n": 7})
        assert await again.until(7) == [7]
    await again.leave()


async def test_a_broker_that_stands_still_costs_no_event_and_one_that_lost_its_records_is_told_of(
    topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "LOOK_SECONDS", 0.2)
    own = Broker()
    own.start()
    events = reader(own, topic)
    client = Subscribed(events)
    try:
        async with AIOKafkaProducer(bootstrap_servers=own.bootstrap_servers) as producer:
            await producer.send_and_wait(topic, b'{"n": -1}')
            async with reading(events):
                await client.heard(producer, topic)
                own.pause()
                waiting = asyncio.ensure_future(tell(producer, topic, {"n": 0}, {"n": 1}))
                await asyncio.sleep(0.2)
                own.resume()
                await waiting
                assert await client.until(1) == [0, 1]
                own.kill()
                own.start()
                async with AIOKafkaProducer(bootstrap_servers=own.bootstrap_servers) as fresh:
                    await fresh.send_and_wait(topic, b'{"n": 5}')
                    assert isinstance(await client.end(), EventsLostError)
    finally:
        own.kill()
