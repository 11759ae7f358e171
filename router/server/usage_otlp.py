"""Recorded operations to an OpenTelemetry collector: each line is a log record, over OTLP/HTTP in its JSON encoding.

`usage` writes to it as to a file; a collector that stores bodies stores what `fittracker schema diff --operations` reads.
"""

from __future__ import annotations

from typing import Any

import aiohttp
import orjson

PATH = "/v1/logs"
TIMEOUT_SECONDS = 10.0
MOST_RECORDS = 500  # of one request: collectors refuse those beyond a few megabytes
EVENT_NAME = "graphql.operations"
_INFO = 9  # the severity number of OpenTelemetry's log data model


class OtlpSink:
    """`endpoint` is the collector's, such as `http://otel-collector:4318`."""

    def __init__(self, endpoint: str, service_name: str) -> None:
        self._url = endpoint.rstrip("/") + PATH
        self._service_name = service_name

    async def write(self, lines: list[bytes]) -> None:
        """Raises OSError where the collector does not take them; those before have been taken then."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        headers = {"content-type": "application/json"}
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for start in range(0, len(lines), MOST_RECORDS):
                body = orjson.dumps(self._request(lines[start : start + MOST_RECORDS]))
                try:
                    async with session.post(self._url, data=body, headers=headers) as response:
                        response.raise_for_status()
                except (aiohttp.ClientError, TimeoutError) as error:
                    raise OSError(f"{self._url}: {error!r}") from None

    async def close(self) -> None:
        """It is connected only while it writes."""

    def _request(self, lines: list[bytes]) -> dict[str, Any]:
        scope = {"scope": {"name": "router.usage"}, "logRecords": [_record(line) for line in lines]}
        resource = {"attributes": _attributes({"service.name": self._service_name})}
        return {"resourceLogs": [{"resource": resource, "scopeLogs": [scope]}]}


def _record(line: bytes) -> dict[str, Any]:
    told = orjson.loads(line)
    attributes = {
        "graphql.operation.name": told["operationName"] or "",
        "graphql.operation.signature": told["signature"],
        "graphql.client.name": told["client"]["name"],
        "graphql.client.version": told["client"]["version"],
        "graphql.operation.count": told["count"],
        "graphql.operation.errors": told["errors"],
    }
    return {
        "timeUnixNano": str(round(told["at"] * 1_000_000_000)),
        "severityNumber": _INFO,
        "severityText": "INFO",
        "eventName": EVENT_NAME,
        "body": {"stringValue": line.decode().rstrip()},
        "attributes": _attributes(attributes),
    }


def _attributes(values: dict[str, str | int]) -> list[dict[str, Any]]:
    """64-bit numbers are strings in protobuf's JSON."""
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in values.items()
    ]
