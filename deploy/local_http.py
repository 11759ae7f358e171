"""Small questions over HTTP to what runs on this machine: is it ready, what does it say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from http.client import HTTPConnection, HTTPException
from typing import Any

HOST = "127.0.0.1"


def http_ok(port: int, path: str) -> Callable[[], Awaitable[bool]]:
    """Ready means: a GET of `path` is answered with 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()

    async def ready() -> bool:
        try:
            async with asyncio.timeout(5.0):
                reader, writer = await asyncio.open_connection(HOST, port)
                try:
                    writer.write(request)
                    status = await reader.readline()
                finally:
                    writer.close()
        except OSError:
            return False
        return status.split(b" ")[1:2] == [b"200"]

    return ready


def json_of(port: int, path: str, body: object = None) -> Any:
    """The answer to a GET, or to a POST of `body`. Raises OSError, ValueError."""
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        if body is None:
            connection.request("GET", path)
        else:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        return json.load(connection.getresponse())
    except HTTPException as error:
        raise OSError(f"port {port} does not speak HTTP: {error!r}") from None
    finally:
        connection.close()
