"""Operations known by an id: trusted documents from a manifest, and automatic ones that clients register by hash.

`server.front_door` asks for the text before the pipeline sees a request; over WebSockets as over HTTP.
"""

from __future__ import annotations

import sys
import time
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from router.access.document_stores import HttpDocuments, RedisDocuments, TrustedStore
from router.bounded_cache import BoundedCache
from router.errors import RequestError
from router.settings import PersistedDocuments, SettingsError

log = structlog.get_logger(__name__)

#: Longer texts run but are not kept, so that registering cannot fill the memory.
MAX_REGISTERED_LENGTH = 100_000
MAX_REGISTERED_BYTES = 32 * 1024 * 1024
MAX_ID_LENGTH = 256
#: An id that no store has is not looked up again for so long: anybody may send ids.
UNKNOWN_SECONDS = 10.0


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
        self._manifest = read_manifest(settings.manifest) if settings.manifest is not None else {}
        self._trusted_texts = frozenset(self._manifest.values())
        self._stores: list[TrustedStore] = []
        if settings.redis_key is not None and redis is not None:
            self._stores.append(RedisDocuments(redis, settings.redis_key))
        if settings.address is not None:
            self._stores.append(HttpDocuments(settings.address))
        #: what the stores said: the text, or until when nobody asks them again
        self._known: OrderedDict[str, str | float] = OrderedDict()
        self._registered: BoundedCache[str, str] = BoundedCache(
            settings.max_in_memory, max_bytes=MAX_REGISTERED_BYTES, weigh=lambda _, text: sys.getsizeof(text)
        )

    @property
    def looks_at_texts(self) -> bool:
        """Whether it matters of a full text that it is a trusted one."""
        return self._settings.require or self._settings.log_unknown

    async def close(self) -> None:
        for store in self._stores:
            await store.close()

    async def trusted(self, limit: int) -> list[str]:
        """At most `limit` trusted texts, of those that can be listed."""
        texts = list(self._trusted_texts)[:limit]
        for store in self._stores:
            texts += await store.some(limit - len(texts))
        return texts

    async def text(self, document: str | None, document_id: str | None, extensions: Mapping[str, Any]) -> str:
        """The document to run. Raises a RequestError of this module, or DocumentStoreUnavailableError."""
        automatic = extensions.get("persistedQuery")
        if document_id is None and automatic is None and document is not None:
            return await self._checked(document)
        digest = document_id if document_id is not None else _digest(automatic)
        trusted = await self._trusted(digest)
        if trusted is not None:
            return trusted
        if document_id is not None or self._settings.require:
            raise UntrustedDocumentError("There is no trusted document of that id.")
        if not self._settings.automatic:
            raise PersistedQueryRefusedError("PersistedQueryNotSupported")
        if document is None:
            return await self._find(digest)
        if sha256(document.encode()).hexdigest() != digest:
            raise PersistedQueryRefusedError("The hash is not the sha256 of the query.")
        self._note_unknown(document)
        return document

    async def keep(self, document: str | None, extensions: Mapping[str, Any]) -> None:
        """Register what a client sent with its hash, once it has been found to be an operation of this graph.

        What is not would only take the place of what is: anybody may send texts.
        """
        automatic = extensions.get("persistedQuery")
        if document is None or automatic is None or not self._settings.automatic or self._settings.require:
            return
        await self._register(_digest(automatic), document)

    async def _checked(self, document: str) -> str:
        if self.looks_at_texts and document not in self._trusted_texts:
            is_trusted = bool(self._stores) and await self._trusted(sha256(document.encode()).hexdigest()) == document
            if not is_trusted and self._settings.require:
                raise UntrustedDocumentError("Only trusted documents can be run here; send the id of one.")
            if not is_trusted:
                self._note_unknown(document)
        return document

    def _note_unknown(self, document: str) -> None:
        if self._settings.log_unknown:
            log.warning("document_not_trusted", sha256=sha256(document.encode()).hexdigest(), text=document[:500])

    async def _trusted(self, document_id: str) -> str | None:
        found = self._manifest.get(document_id) or self._manifest.get(document_id.removeprefix("sha256:"))
        if found is not None or not self._stores or len(document_id) > MAX_ID_LENGTH:
            return found
        known = self._known.get(document_id)
        if isinstance(known, str) or (known is not None and known > time.monotonic()):
            return known if isinstance(known, str) else None
        for store in self._stores:
            text = await store.find(document_id.removeprefix("sha256:"))
            if text is not None:
                self._note(document_id, text)
                return text
        self._note(document_id, time.monotonic() + UNKNOWN_SECONDS)
        return None

    def _note(self, document_id: str, known: str | float) -> None:
        self._known[document_id] = known
        while len(self._known) > self._settings.max_in_memory:
            self._known.popitem(last=False)

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
        if digest in self._registered or len(document) > MAX_REGISTERED_LENGTH:
            return
        self._remember(digest, document)
        if self._redis is not None:
            try:
                await self._redis.set(self._key(digest), document, ex=self._settings.ttl_seconds)
            except RedisError as error:
                log.warning("persisted_document_not_written", reason=repr(error))

    def _remember(self, digest: str, document: str) -> None:
        self._registered.put(digest, document)

    def _key(self, digest: str) -> str:
        return f"{self._key_prefix}:document:{digest}"


def _digest(automatic: Any) -> str:
    if not isinstance(automatic, dict) or automatic.get("version") != 1:
        raise PersistedQueryRefusedError("Unsupported persisted query version.")
    digest = automatic.get("sha256Hash")
    if not isinstance(digest, str) or len(digest) > 128:
        raise PersistedQueryRefusedError("'sha256Hash' must be a string of at most 128 characters.")
    return digest.lower()
