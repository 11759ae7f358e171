"""Where trusted documents are kept besides a manifest: a hash in Redis, and an HTTP server such as a bucket of S3."""

from __future__ import annotations

from typing import ClassVar, Protocol
from urllib.parse import quote

import aiohttp
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from router.access.aws_signature import signed_headers
from router.bounded_body import BodyTooLargeError, read_at_most
from router.errors import RequestError
from router.settings import DocumentAddress

log = structlog.get_logger(__name__)

MAX_DOCUMENT_BYTES = 1024 * 1024


class DocumentStoreUnavailableError(RequestError):
    """Whether there is such a document cannot be told now."""

    code: ClassVar[str] = "DOCUMENT_STORE_UNAVAILABLE"
    status: ClassVar[int] = 503


class TrustedStore(Protocol):
    async def find(self, document_id: str) -> str | None:
        """The text; None where there is none. Raises DocumentStoreUnavailableError."""
        ...

    async def some(self, limit: int) -> list[str]:
        """At most `limit` texts, of those that the store can list; none where it does not answer."""
        ...

    async def close(self) -> None: ...


class RedisDocuments:
    """A hash: ids to texts."""

    def __init__(self, redis: Redis, key: str) -> None:
        self._redis = redis
        self._key = key

    async def find(self, document_id: str) -> str | None:
        try:
            found = await self._redis.hget(self._key, document_id)
        except (RedisError, OSError) as error:
            raise DocumentStoreUnavailableError("Trusted documents cannot be read now.", detail=repr(error)) from error
        return found.decode() if isinstance(found, bytes) else found

    async def some(self, limit: int) -> list[str]:
        texts: list[str] = []
        try:
            async for _, text in self._redis.hscan_iter(self._key, count=100):
                if len(texts) >= limit:
                    break
                texts.append(text.decode() if isinstance(text, bytes) else text)
        except (RedisError, OSError) as error:
            log.warning("documents_not_listed", reason=repr(error))
        return texts

    async def close(self) -> None:
        """The client is the router's."""


class HttpDocuments:
    """One document an address."""

    def __init__(self, settings: DocumentAddress) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def find(self, document_id: str) -> str | None:
        url = self._settings.url.replace("{id}", quote(document_id, safe=""))
        headers = {name: value.get_secret_value() for name, value in self._settings.headers.items()}
        if self._settings.aws is not None:
            headers = signed_headers(self._settings.aws, url, headers)
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._settings.timeout_seconds)
            self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        try:
            async with self._session.get(url, headers=headers, allow_redirects=False) as response:
                if response.status in (403, 404):  # S3 says 403 of what is not there to who may not list
                    return None
                if response.status != 200:
                    raise DocumentStoreUnavailableError(
                        "Trusted documents cannot be read now.", detail=f"status {response.status}"
                    )
                body = await read_at_most(response, MAX_DOCUMENT_BYTES)
        except BodyTooLargeError:
            return None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise DocumentStoreUnavailableError("Trusted documents cannot be read now.", detail=repr(error)) from error
        try:
            return body.decode()
        except UnicodeDecodeError:
            return None

    async def some(self, limit: int) -> list[str]:  # noqa: ARG002 - it cannot be listed
        return []

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
