"""Operations that bring files: multipart/form-data as the graphql-multipart-request specification has it.

`graphql_http` calls it where uploads are on. The parts come in the specification's order: operations, map, files; so a form
that is wrong is refused before its files are read. Nothing is held in memory but what `uploads` allows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import structlog
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from router.exact_json import loads
from router.server.errors import HttpError, bad_request
from router.server.header_values import Element, HeaderFields
from router.server.request import (
    OperationParameters,
    Receive,
    body_chunks,
    decoded_body,
    operation_from_json,
    read_body,
)
from router.settings import Limits, Uploads
from router.telemetry import UPLOAD_BYTES
from router.uploaded_file import SpoolFullError, UploadedFile, UploadSpool, files_in

log = structlog.get_logger(__name__)

MULTIPART = "multipart/form-data"
MAX_PATHS = 100  # of all files together
MAX_HEADER_BYTES = 8 * 1024  # of one line of a part's head
MAX_HEADERS = 8  # of one part; the specification of forms knows three


class UploadReader:
    """Reads requests with files; all of a process share the spool's room."""

    def __init__(self, settings: Uploads, limits: Limits) -> None:
        self._settings = settings
        self._max_text_bytes = limits.body_bytes
        self.spool = UploadSpool(settings.memory_bytes, settings.disk_bytes)
        if settings.enabled:
            UPLOAD_BYTES.labels("memory").set_function(lambda: self.spool.memory_bytes)
            UPLOAD_BYTES.labels("disk").set_function(lambda: self.spool.disk_bytes)

    async def operation(
        self, headers: HeaderFields, content_type: Element, receive: Receive, max_seconds: float
    ) -> OperationParameters:
        """The operation, with files where its `map` says. Raises HttpError, or ClientGoneError where the client breaks off;
        what had come of its files is given up then.
        """
        boundary = content_type.parameter("boundary")
        if not boundary or len(boundary) > 200:
            raise _malformed("has no boundary")
        form = _Form(_parser(boundary), self._settings.max_files, self._max_text_bytes, self.spool)
        try:
            async with asyncio.timeout(max_seconds):
                async for chunk in self._chunks(headers, receive, max_seconds):
                    await form.take(chunk)
            return form.operation()
        except BaseException as error:
            form.close()
            refusal = self._refusal(error, max_seconds)
            if refusal is None:
                raise
            raise refusal from None

    def _refusal(self, error: BaseException, max_seconds: float) -> HttpError | None:
        """None for what is told as it is."""
        if isinstance(error, MultipartError):
            return _malformed(f"is no form: {error}")
        if isinstance(error, TimeoutError):
            return HttpError(408, "REQUEST_TIMEOUT", f"The body did not arrive within {max_seconds:g} s.")
        if isinstance(error, SpoolFullError):
            log.warning("no_room_for_uploads", disk_bytes=self.spool.disk_bytes, reason=repr(error.__cause__))
            message = "This router has no room for more files at the moment; try again later."
            return HttpError(503, "NO_ROOM_FOR_FILES", message, headers=((b"retry-after", b"5"),))
        return None

    async def _chunks(self, headers: HeaderFields, receive: Receive, max_seconds: float) -> AsyncIterator[bytes]:
        """A body that is compressed has to be decoded whole, so it may be no larger than one without files."""
        encoding = headers.text(b"content-encoding")
        if not encoding:
            async for chunk in body_chunks(headers, receive, self._settings.max_bytes):
                yield chunk
            return
        most = min(self._max_text_bytes, self._settings.max_bytes)
        yield decoded_body(await read_body(headers, receive, most, max_seconds), encoding, most)


class _Form:
    """One body, as far as it has come."""

    def __init__(self, parser: PushMultipartParser, max_files: int, max_text_bytes: int, spool: UploadSpool) -> None:
        self._parser = parser
        self._max_files = max_files
        self._max_text_bytes = max_text_bytes
        self._spool = spool
        self._name = ""
        self._text = b""  # of `operations` or `map`
        self._operations: Any = None
        self._expected: dict[str, UploadedFile] | None = None  # by the names in the map
        self._arrived: set[str] = set()
        self._files = 0

    async def take(self, chunk: bytes) -> None:
        """Raises HttpError, MultipartError or SpoolFullError."""
        if not chunk:  # which would tell the parser of the body's end
            return
        for event in self._parser.parse(chunk):
            if isinstance(event, MultipartSegment):
                self._begin_part(event)
            elif event is None:
                self._end_part()
            elif self._name in ("operations", "map"):
                self._text += event
                if len(self._text) > self._max_text_bytes:
                    message = f"'{self._name}' is larger than {self._max_text_bytes} bytes."
                    raise HttpError(413, "REQUEST_TOO_LARGE", message)
            elif self._expected is not None and (file := self._expected.get(self._name)) is not None:
                await file.write(event)

    def operation(self) -> OperationParameters:
        """Raises HttpError, and MultipartError for a body that does not end with its boundary."""
        self._parser.close()
        if self._expected is None:
            raise _malformed(f"has no '{'map' if self._operations is not None else 'operations'}'")
        missing = next((name for name in self._expected if name not in self._arrived), None)
        if missing is not None:
            raise _malformed(f"maps {missing[:40]!r}, which is no file of it")
        return replace(operation_from_json(self._operations), has_files=True)

    def close(self) -> None:
        for file in (self._expected or {}).values():
            file.close()

    def _begin_part(self, part: MultipartSegment) -> None:
        name = part.name
        if not name:
            raise _malformed("has a part without a name")
        wanted = "operations" if self._operations is None else "map" if self._expected is None else None
        if wanted is not None and name != wanted:
            raise _malformed(f"has no '{wanted}' before {name[:40]!r}")
        self._name = name
        if wanted is not None:
            return
        self._files += 1
        if self._files > self._max_files:
            raise HttpError(413, "TOO_MANY_FILES", f"There can be {self._max_files} files.")
        if name in self._arrived:
            raise _malformed(f"has two parts {name[:40]!r}")
        self._arrived.add(name)
        assert self._expected is not None
        if (file := self._expected.get(name)) is not None:
            file.name = part.filename or ""
            file.content_type = part.header("Content-Type", "application/octet-stream")

    def _end_part(self) -> None:
        if self._name == "operations" and self._operations is None:
            self._operations = self._json()
            if not isinstance(self._operations, dict):
                raise bad_request("Batches cannot bring files.", "BAD_UPLOAD")
        elif self._name == "map" and self._expected is None:
            self._expected = self._placed(self._json())

    def _json(self) -> Any:
        text, self._text = self._text, b""
        try:
            return loads(text)
        except ValueError:
            raise _malformed(f"has a '{self._name}' that is not JSON") from None

    def _placed(self, told: Any) -> dict[str, UploadedFile]:
        """The files that the map tells of, in their places in the operation; they are empty yet."""
        if not isinstance(told, dict):
            raise _malformed("has no object as its 'map'")
        paths = [(name, path) for name, each in told.items() for path in (each if isinstance(each, list) else [None])]
        if len(paths) > MAX_PATHS:
            raise HttpError(413, "TOO_MANY_FILES", f"Files stand in more than {MAX_PATHS} places.")
        files: dict[str, UploadedFile] = {}
        for name, path in paths:
            if name in ("operations", "map") or not isinstance(path, str):
                raise _malformed(f"maps {name[:40]!r}, which is no file of it")
            file = files.get(name)
            if file is None:
                file = files[name] = UploadedFile("", "", self._spool)
            _place(self._operations, path.split("."), file)
        return files


def _parser(boundary: str) -> PushMultipartParser:
    return PushMultipartParser(boundary, max_header_size=MAX_HEADER_BYTES, max_header_count=MAX_HEADERS)


@contextmanager
def closing_files(parameters: OperationParameters) -> Iterator[None]:
    """Gives up the request's files when it is over, however it ends."""
    files = [file for _, file in files_in(parameters.variables or {})] if parameters.has_files else []
    try:
        yield
    finally:
        for file in files:
            file.close()


def _place(operations: Any, path: list[str], file: UploadedFile) -> None:
    """Puts the file where the operation has null for it."""
    *above, last = path
    node = operations
    for step in above:
        node = _step(node, step)
    is_null = _step(node, last) is None
    if not is_null or not above or above[0] != "variables":
        raise _malformed("maps a file to a place that is not null in the variables")
    node[int(last) if isinstance(node, list) else last] = file


def _step(node: Any, step: str) -> Any:
    if isinstance(node, dict) and step in node:
        return node[step]
    if isinstance(node, list) and step.isdecimal() and len(step) < 7 and int(step) < len(node):
        return node[int(step)]
    raise _malformed("maps a file to a place that is not in the operation")


def _malformed(what: str) -> HttpError:
    return bad_request(f"The multipart body {what}.", "BAD_UPLOAD")
