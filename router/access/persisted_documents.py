"""Operations known by an id: trusted documents from a manifest, and automatic ones that clients register by hash.

`server.front_door` asks for the text before the pipeline sees a request; over WebSockets as over HTTP.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from router.errors import RequestError
from router.settings import PersistedDocuments, SettingsError

log = structlog.get_logger(__name__)

#: Longer texts run but are not kept, so that registering cannot fill the memory.
MAX_REGISTERED_LENGTH = 100_000


class PersistedQueryNotFoundError(RequestError):
    """Tells a client to send the text once, together with its hash."""

    code: ClassVar[str] = "PERSISTED_QUERY_NOT_FOUND"
    status: ClassVar[int] = 200

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound")


class PersistedQueryRefusedError(RequestError):
    code: ClassVar[str] = "PERSISTED_QUERY_REFUSED"


class UntrustedDocumentError(RequestError):
    code: ClassVar[str] = "DOCUMENT_NOT_TRUSTED"
    status: ClassVar[int] = 403


def read_manifest(file: Path) -> dict[str, str]:
    """`{id: text}`, or the `{"operations": [{"id":, "body":}]}` that Apollo's tools write. Raises SettingsError."""
    try:
        value = orjson.loads(file.read_bytes())
        operations = value.get("operations")
        if isinstance(operations, list):
            value = {each["id"]: each["body"] for each in operations}
        if not all(isinstance(text, str) for text in value.values()):
            raise ValueError("every document must be a string")
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise SettingsError(f"persisted_documents.manifest: {file} cannot be read: {error}") from None
    return dict(value)


class DocumentStore:
    """Finds the text of a request that may name it by id only."""

    def __init__(self, settings: PersistedDocuments, redis: Redis | None, key_prefix: str = "router") -> None:
        self._settings = settings
        self._redis = redis
        self._key_prefix = key_prefix
        self._trusted = read_manifest(settings.manifest) if settings.manifest is not None else {}
        self._trusted_texts = frozenset(self._trusted.values())
        self._registered: OrderedDict[str, str] = OrderedDict()

    @property
    def is_closed(self) -> bool:
        """Whether even a full text has to be a trusted one."""
        return self._settings.require

    async def text(self, document: str | None, document_id: str | None, extensions: Mapping[str, Any]) -> str:
        """The document to run. Raises a RequestError of this module."""
        automatic = extensions.get("persistedQuery")
        if document_id is None and automatic is None and document is not None:
            return self._checked(document)
        digest = document_id if document_id is not None else _digest(automatic)
        trusted = self._trusted.get(digest) or self._trusted.get(digest.removeprefix("sha256:"))
        if trusted is not None:
            return trusted
        if document_id is not None or self._settings.require:
            raise UntrustedDocumentError("There is no trusted document of that id.")
        if not self._settings.automatic:
            raise PersistedQueryRefusedError("PersistedQueryNotSupported")
        if document is None:
            return await self._find(digest)
        await self._register(digest, document)
        return document

    def _checked(self, document: str) -> str:
        if self._settings.require and document not in self._trusted_texts:
            raise UntrustedDocumentError("Only trusted documents can be run here; send the id of one.")
        return document

    async def _find(self, digest: str) -> str:
        text = self._registered.get(digest)
        if text is None and self._redis is not None:
            try:
                found = await self._redis.get(self._key(digest))
            except RedisError as error:
                log.warning("persisted_document_not_read", reason=repr(error))
                found = None
            if found is not None:
                text = found.decode() if isinstance(found, bytes) else str(found)
                self._remember(digest, text)
        if text is None:
            raise PersistedQueryNotFoundError
        return text

    async def _register(self, digest: str, document: str) -> None:
        if sha256(document.encode()).hexdigest() != digest:
            raise PersistedQueryRefusedError("The hash is not the sha256 of the query.")
        if digest in self._registered or len(document) > MAX_REGISTERED_LENGTH:
            return
        self._remember(digest, document)
        if self._redis is not None:
            try:
                await self._redis.set(self._key(digest), document, ex=self._settings.ttl_seconds)
            except RedisError as error:
                log.warning("persisted_document_not_written", reason=repr(error))

    def _remember(self, digest: str, document: str) -> None:
        self._registered[digest] = document
        while len(self._registered) > self._settings.max_in_memory:
            self._registered.popitem(last=False)

    def _key(self, digest: str) -> str:
        return f"{self._key_prefix}:document:{digest}"


def _digest(automatic: Any) -> str:
    if not isinstance(automatic, dict) or automatic.get("version") != 1:
        raise PersistedQueryRefusedError("Unsupported persisted query version.")
    digest = automatic.get("sha256Hash")
    if not isinstance(digest, str) or len(digest) > 128:
        raise PersistedQueryRefusedError("'sha256Hash' must be a string of at most 128 characters.")
    return digest.lower()
