"""Recorded operations: what is written of them, to a file and to a real broker, and what a schema change makes of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError
from graphql import build_schema

from router.server.usage import FileSink, KafkaSink, signature_of
from router.settings import KafkaClient
from schema.changes import diff_schemas, read_operations
from tests.testkit.kafka_clients import NOBODY_LISTENS, every_client_is_stopped
from tests.testkit.running_router import StartRouter
from tests.testkit.servers import Broker

USER = """
query Who($id: ID!) { user(id: $id) { ...Name } }
query Other { products { name } }
fragment Name on User { name }
"""


async def test_operations_are_written_by_signature_and_client_without_their_values(
    start_router: StartRouter, broker: Broker, tmp_path: Path
) -> None:
    file, topic = tmp_path / "operations.jsonl", f"usage-{time.time_ns()}"
    usage = {"file": file, "topic": topic, "interval_seconds": 3_600}  # what is left is written at the end
    web = {"graphql-client-name": "web", "graphql-client-version": "1.2"}
    async with start_router(usage_reporting=usage, kafka={"bootstrap_servers": broker.bootstrap_servers}) as router:
        for who in ("u1", "u2"):
            body = {"query": USER, "variables": {"id": who}, "operationName": "Who"}
            async with router.session.post(router.url, json=body, headers=web) as response:
                assert (await response.json())["data"]["user"] is not None
            await router.ask(f'{{ user(id: "{who}") {{ name }} }}')
        await router.ask("{ broken }")
        await router.ask("{ nope }")  # no operation of the graph

    rows = sorted((orjson.loads(line) for line in file.read_bytes().splitlines()), key=lambda row: -row["count"])
    by_name = {(row["operationName"], row["query"]): row for row in rows}
    assert len(rows) == 3
    who = by_name["Who", "query Who($id:ID!){user(id:$id){...Name}}fragment Name on User{name}"]
    assert (who["count"], who["errors"], who["client"]) == (2, 0, {"name": "web", "version": "1.2"})
    assert who["coordinates"] == ["Query.user", "Query.user(id:)", "User.name"]
    plain = by_name[None, '{user(id:""){name}}']
    assert (plain["count"], plain["client"]) == (2, {"name": "", "version": ""})
    assert by_name[None, "{broken}"]["errors"] == 1
    assert "u1" not in file.read_text()

    consumer = AIOKafkaConsumer(topic, bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        records = [await anext(aiter(consumer)) for _ in range(3)]
    finally:
        await consumer.stop()
    assert {record.key.decode() for record in records} == {row["signature"] for row in rows}

    old = build_schema("type Query { user(id: ID!): User broken: Int unused: Int } type User { name: String }")
    new = build_schema("type Query { user(id: ID!): User }  type User { nick: String }")
    changes = diff_schemas(old, new, read_operations(file)).changes
    used = {change.message: change.used_by for change in changes}
    assert used["Field Query.unused was removed."] == ()
    assert "Who" in used["Field User.name was removed."]
    assert len(used["Field User.name was removed."]) == 2


async def test_a_broker_that_cannot_be_reached_leaves_no_client_behind() -> None:
    sink = KafkaSink("usage", KafkaClient(bootstrap_servers=NOBODY_LISTENS))
    with every_client_is_stopped():
        for _ in range(2):
            with pytest.raises(KafkaConnectionError):
                await sink.write([b'{"signature": "s"}\n'])
        await sink.close()


async def test_operations_are_log_records_of_a_collector(start_router: StartRouter) -> None:
    taken: list[dict[str, Any]] = []
    statuses = iter([503, 200])

    async def take(request: web.Request) -> web.Response:
        assert request.content_type == "application/json"
        status = next(statuses)
        if status == 200:
            taken.append(await request.json())
        return web.json_response({}, status=status)

    application = web.Application()
    application.router.add_post("/v1/logs", take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    usage = {"otlp_endpoint": f"http://127.0.0.1:{runner.addresses[0][1]}/", "interval_seconds": 3_600}
    async with start_router(usage_reporting=usage, telemetry={"log_level": "error", "service_name": "shop"}) as router:
        await router.ask("{ __typename }")
        assert router.app._usage is not None
        await router.app._usage.flush()  # a collector that is down loses it, and nothing else
        for _ in range(3):
            await router.ask('query Who { user(id: "u1") { name } }', **{"graphql-client-name": "web"})
    await runner.cleanup()

    def values(attributes: list[dict[str, Any]]) -> dict[str, Any]:
        return {each["key"]: next(iter(each["value"].values())) for each in attributes}

    (logs,) = taken[0]["resourceLogs"]  # the JSON encoding of OTLP's ExportLogsServiceRequest
    assert values(logs["resource"]["attributes"]) == {"service.name": "shop"}
    (record,) = logs["scopeLogs"][0]["logRecords"]
    attributes = values(record["attributes"])
    assert (attributes["graphql.operation.name"], attributes["graphql.client.name"]) == ("Who", "web")
    assert (attributes["graphql.operation.count"], attributes["graphql.operation.errors"]) == ("3", "0")
    line = orjson.loads(record["body"]["stringValue"])
    assert line["coordinates"] == ["Query.user", "Query.user(id:)", "User.name"]
    assert abs(int(record["timeUnixNano"]) / 1e9 - time.time()) < 60


def test_a_signature_is_the_same_for_all_values_and_layouts() -> None:
    schema = build_schema("type Query { a(n: Int, s: String, e: E, l: [Float]): Int } enum E { X Y }")
    one = signature_of('{ a(n: 1, s: "secret", e: X, l: [1.5]) }', None, schema)
    other = signature_of('{\n  a(n: 22, s: """more""", e: X, l: [2.5]) # why\n}', None, schema)
    assert one.digest == other.digest
    assert "secret" not in one.text
    assert signature_of('{ a(n: 1, s: "", e: Y, l: [0]) }', None, schema).digest != one.digest


async def test_a_file_that_has_grown_too_large_begins_anew(tmp_path: Path) -> None:
    sink: Any = FileSink(tmp_path / "usage.jsonl", max_bytes=10)
    for line in (b"one\n", b"two\n", b"three\n"):
        await sink.write([line])
    assert (tmp_path / "usage.jsonl.1").read_bytes() == b"one\ntwo\n"
    assert (tmp_path / "usage.jsonl").read_bytes() == b"three\n"


async def test_so_many_different_operations_are_counted_in_an_interval(
    start_router: StartRouter, tmp_path: Path
) -> None:
    file = tmp_path / "operations.jsonl"
    usage = {"file": file, "interval_seconds": 3_600, "max_operations": 2}
    async with start_router(usage_reporting=usage) as router:
        for alias in ("a", "b", "c", "a"):
            await router.ask(f"{{ {alias}: __typename }}")
    rows = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    assert sorted((row["query"], row["count"]) for row in rows) == [("{a:__typename}", 2), ("{b:__typename}", 1)]
