"""Operations that bring files: multipart/form-data as the graphql-multipart-request specification has it.

`graphql_http` calls it where uploads are on. The whole body is bounded before it is read, and so is the number of files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from router.exact_json import loads
from router.server.errors import HttpError, bad_request
from router.server.header_values import Element, element
from router.server.request import OperationParameters, operation_from_json
from router.settings import Uploads
from router.uploaded_file import UploadedFile

MULTIPART = "multipart/form-data"
MAX_PATHS = 100  # of all files together
Part = tuple[str, UploadedFile]


def operation_with_files(content_type: Element, body: bytes, settings: Uploads) -> OperationParameters:
    """The operation, with files where its `map` says. Raises HttpError 400 or 413."""
    boundary = content_type.parameter("boundary")
    if not boundary or len(boundary) > 200:
        raise _malformed("has no boundary")
    parts = dict(_parts(body, boundary.encode("latin-1"), settings.max_files))
    operations, placed = _json(parts, "operations"), _json(parts, "map")
    if not isinstance(operations, dict):
        raise bad_request("Batches cannot bring files.", "BAD_UPLOAD")
    if not isinstance(placed, dict):
        raise _malformed("has no object as its 'map'")
    paths = [
        (name, path) for name, listed in placed.items() for path in (listed if isinstance(listed, list) else [None])
    ]
    if len(paths) > MAX_PATHS:
        raise HttpError(413, "TOO_MANY_FILES", f"Files stand in more than {MAX_PATHS} places.")
    for name, path in paths:
        file = parts.get(name)
        if file is None or name in ("operations", "map") or not isinstance(path, str):
            raise _malformed(f"maps {name[:40]!r}, which is no file of it")
        _place(operations, path.split("."), file)
    return replace(operation_from_json(operations), has_files=True)


def _parts(body: bytes, boundary: bytes, max_files: int) -> Iterator[Part]:
    delimiter = b"\r\n--" + boundary
    pieces = (b"\r\n" + body).split(delimiter, max_files + 4)
    if len(pieces) > max_files + 4:  # what stands before the first part, operations, map, the files, and the end
        raise HttpError(413, "TOO_MANY_FILES", f"There can be {max_files} files.")
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise _malformed("does not end with its boundary")
    for piece in pieces[1:-1]:
        head, separator, content = piece.partition(b"\r\n\r\n")
        headers = dict(_header(line) for line in head.decode("utf-8", "replace").split("\r\n") if ":" in line)
        disposition = element(headers.get("content-disposition", ""))
        name = disposition.parameter("name")
        if not separator or disposition.name != "form-data" or name is None:
            raise _malformed("has a part without a name")
        file_name = disposition.parameter("filename") or ""
        yield name, UploadedFile(file_name, headers.get("content-type", "application/octet-stream"), content)


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def _json(parts: dict[str, UploadedFile], name: str) -> Any:
    part = parts.get(name)
    if part is None:
        raise _malformed(f"has no '{name}'")
    try:
        return loads(part.content)
    except ValueError:
        raise _malformed(f"has a '{name}' that is not JSON") from None


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
