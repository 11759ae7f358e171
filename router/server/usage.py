"""Which operations clients really send: counted by signature, name and client, and written to a file, a Kafka topic or a
collector.

`front_door` notes every operation that was run; `app` runs `UsageReports.run`, which writes one line for each that was
counted in an interval. `fittracker schema diff --operations` and `fittracker plan --operations` read the lines.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

import orjson
import structlog
from graphql import (
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    IntValueNode,
    OperationDefinitionNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    parse,
    print_ast,
    strip_ignored_characters,
    visit,
)

from router.background import in_background
from router.prepared_operation import PreparedOperation
from router.prepared_request import PreparedRequest
from router.server.header_values import HeaderFields
from router.server.usage_otlp import OtlpSink
from router.settings import KafkaClient, UsageReporting
from router.telemetry import USAGE_RECORDS
from router.transport.kafka import client_settings

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer

log = structlog.get_logger(__name__)

MAX_NAME_LENGTH = 100
NAME_HEADERS = (b"graphql-client-name", b"apollographql-client-name")
VERSION_HEADERS = (b"graphql-client-version", b"apollographql-client-version")


@dataclass(frozen=True, slots=True)
class Client:
    """As it calls itself; nobody proves it."""

    name: str = ""
    version: str = ""

    @classmethod
    def in_headers(cls, headers: HeaderFields) -> Client:
        def first(names: tuple[bytes, ...]) -> str:
            return next((value for name in names if (value := headers.text(name))), "")[:MAX_NAME_LENGTH]

        return cls(first(NAME_HEADERS), first(VERSION_HEADERS))


UNNAMED = Client()


@dataclass(frozen=True, slots=True)
class Signature:
    """An operation without what differs from request to request: other operations of its document, and values."""

    text: str
    name: str | None
    digest: str
    coordinates: tuple[str, ...]


@dataclass(slots=True, eq=False)
class _Seen:
    """An operation as it was first noted. Its signature is made when it is first written, and kept as long as its plan."""

    text: str
    name: str | None
    schema: GraphQLSchema
    _signature: Signature | None = None

    def signature(self) -> Signature:
        if self._signature is None:
            self._signature = signature_of(self.text, self.name, self.schema)
        return self._signature


@dataclass(slots=True)
class _Count:
    count: int = 0
    errors: int = 0


class Sink(Protocol):
    async def write(self, lines: list[bytes]) -> None:
        """Raises OSError or KafkaError where they could not be written."""
        ...

    async def close(self) -> None: ...


class UsageReports:
    """The counts of one process since they were last written."""

    def __init__(self, settings: UsageReporting, kafka: KafkaClient | None, service_name: str) -> None:
        self._settings = settings
        self._counts: dict[tuple[_Seen, Client], _Count] = {}
        self._seen: WeakKeyDictionary[PreparedOperation, _Seen] = WeakKeyDictionary()
        self._sinks: list[Sink] = []
        if settings.file is not None:
            self._sinks.append(FileSink(settings.file, settings.max_file_bytes))
        if settings.topic is not None and kafka is not None:
            self._sinks.append(KafkaSink(settings.topic, kafka))
        if settings.otlp_endpoint is not None:
            self._sinks.append(OtlpSink(settings.otlp_endpoint, service_name))

    def note(self, prepared: PreparedRequest, client: Client, *, has_errors: bool) -> None:
        """Counts one request. What differs only in values comes together when it is written."""
        operation = prepared.operation
        seen = self._seen.get(operation)
        if seen is None:
            request = prepared.request
            seen = self._seen[operation] = _Seen(request.query, request.operation_name, prepared.graph.api_schema)
        found = self._counts.get((seen, client))
        if found is None:
            if len(self._counts) >= self._settings.max_operations:
                USAGE_RECORDS.labels("dropped").inc()
                return
            found = self._counts[seen, client] = _Count()
        found.count += 1
        found.errors += has_errors

    async def run(self) -> None:
        """Writes for ever, and once more when it is cancelled."""
        try:
            while True:
                await asyncio.sleep(self._settings.interval_seconds)
                await self.flush()
        except asyncio.CancelledError:
            await self.flush()
            for sink in self._sinks:
                await sink.close()
            raise

    async def flush(self) -> None:
        counts, self._counts = self._counts, {}
        if not counts:
            return
        from aiokafka.errors import KafkaError

        lines = await in_background(_lines_of, counts, round(time.time(), 3))
        for sink in self._sinks:
            try:
                await sink.write(lines)
                USAGE_RECORDS.labels("written").inc(len(lines))
            except (OSError, KafkaError) as error:
                USAGE_RECORDS.labels("lost").inc(len(lines))
                log.warning("usage_not_written", reason=repr(error))


def _lines_of(counts: dict[tuple[_Seen, Client], _Count], now: float) -> list[bytes]:
    """One line of JSON for each signature, operation name and client."""
    rows: dict[tuple[str, str | None, Client], dict[str, Any]] = {}
    for (seen, client), each in counts.items():
        signature = seen.signature()
        row = rows.setdefault(
            (signature.digest, seen.name, client),
            {
                "at": now,
                "signature": signature.digest,
                "operationName": signature.name,
                "client": {"name": client.name, "version": client.version},
                "count": 0,
                "errors": 0,
                "coordinates": signature.coordinates,
                "query": signature.text,
            },
        )
        row["count"] += each.count
        row["errors"] += each.errors
    return [orjson.dumps(row) + b"\n" for row in rows.values()]


def signature_of(text: str, operation_name: str | None, schema: GraphQLSchema) -> Signature:
    """Of a document that is valid for the schema. Strings become "", numbers 0; names, enums and structure stay."""
    document = _only(parse(text, no_location=True), operation_name)
    coordinates = _Coordinates(schema)
    visit(document, TypeInfoVisitor(coordinates.type_info, coordinates))
    plain = strip_ignored_characters(print_ast(visit(document, _WithoutValues())))
    digest = sha256(plain.encode()).hexdigest()
    return Signature(plain, _name_in(document), digest, tuple(sorted(coordinates.found)))


def _only(document: DocumentNode, operation_name: str | None) -> DocumentNode:
    """The operation and the fragments that it uses, those in the order of their names."""
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    wanted = next(
        each for each in operations if operation_name is None or (each.name and each.name.value == operation_name)
    )
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    used: set[str] = set()
    waiting = [wanted.selection_set]
    while waiting:
        for name in _spreads_in(waiting.pop()):
            if name in fragments and name not in used:
                used.add(name)
                waiting.append(fragments[name].selection_set)
    return DocumentNode(definitions=(wanted, *(fragments[name] for name in sorted(used))))


def _spreads_in(selections: Any) -> Iterator[str]:
    for item in selections.selections:
        if isinstance(item, FragmentSpreadNode):
            yield item.name.value
        elif item.selection_set is not None:
            yield from _spreads_in(item.selection_set)


def _name_in(document: DocumentNode) -> str | None:
    """Of its first definition, the operation."""
    definition = document.definitions[0]
    return definition.name.value if isinstance(definition, OperationDefinitionNode) and definition.name else None


class _WithoutValues(Visitor):
    def enter_string_value(self, *_: Any) -> StringValueNode:
        return StringValueNode(value="", block=False)

    def enter_int_value(self, *_: Any) -> IntValueNode:
        return IntValueNode(value="0")

    def enter_float_value(self, *_: Any) -> FloatValueNode:
        return FloatValueNode(value="0")


class _Coordinates(Visitor):
    """Fields and arguments, as schema coordinates."""

    def __init__(self, schema: GraphQLSchema) -> None:
        super().__init__()
        self.type_info = TypeInfo(schema)
        self.found: set[str] = set()
        self._field = ""

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent = self.type_info.get_parent_type()
        if parent is not None and not node.name.value.startswith("__"):
            self._field = f"{parent.name}.{node.name.value}"
            self.found.add(self._field)
            self.found |= {f"{self._field}({each.name.value}:)" for each in node.arguments or ()}


class FileSink:
    """Appends; a file that has grown too large becomes FILE.1, in place of the one before."""

    def __init__(self, file: Path, max_bytes: int) -> None:
        self._file = file
        self._max_bytes = max_bytes

    async def write(self, lines: list[bytes]) -> None:
        await asyncio.to_thread(self._append, b"".join(lines))

    def _append(self, text: bytes) -> None:
        if self._file.exists() and self._file.stat().st_size + len(text) > self._max_bytes:
            self._file.replace(self._file.with_name(f"{self._file.name}.1"))
        with self._file.open("ab") as stream:  # one write: lines of several processes do not mix
            stream.write(text)

    async def close(self) -> None:
        """It is open only while it is written."""


class KafkaSink:
    """A record for each line, keyed by signature."""

    def __init__(self, topic: str, kafka: KafkaClient) -> None:
        self._topic = topic
        self._kafka = kafka
        self._producer: AIOKafkaProducer | None = None

    async def write(self, lines: list[bytes]) -> None:
        if self._producer is None:
            from aiokafka import AIOKafkaProducer

            producer = AIOKafkaProducer(**client_settings(self._kafka))
            try:
                await producer.start()
            except BaseException:  # a start that failed has its connections and tasks too
                await producer.stop()
                raise
            self._producer = producer
        for line in lines:
            await self._producer.send(self._topic, line.rstrip(), key=orjson.loads(line)["signature"].encode())
        await self._producer.flush()

    async def close(self) -> None:
        if self._producer is not None:
            await self._producer.stop()
