"""The multipart/form-data body that carries a request's files to a subgraph (graphql-multipart-request specification)."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import orjson

from router.transport.protocol import SubgraphRequest


class UploadBody:
    """`length` is known before anything is read, so that it can be told; the files are read while they are sent."""

    def __init__(self, request: SubgraphRequest) -> None:
        boundary = f"router{secrets.token_hex(16)}"
        self.content_type = f"multipart/form-data; boundary={boundary}"
        placed = {str(number): [path] for number, (path, _) in enumerate(request.files)}
        delimiter = f"\r\n--{boundary}".encode()
        self._begin = b"".join(
            (
                delimiter[2:],
                b'\r\nContent-Disposition: form-data; name="operations"\r\n\r\n',
                request.body,
                delimiter,
                b'\r\nContent-Disposition: form-data; name="map"\r\n\r\n',
                orjson.dumps(placed),
            )
        )
        self._files = [
            (
                delimiter
                + f'\r\nContent-Disposition: form-data; name="{number}"; filename="{_quoted(file.name)}"\r\n'
                f"Content-Type: {_quoted(file.content_type)}\r\n\r\n".encode(),
                file,
            )
            for number, (_, file) in enumerate(request.files)
        ]
        self._end = delimiter + b"--\r\n"
        files = sum(len(head) + file.size for head, file in self._files)
        self.length = len(self._begin) + files + len(self._end)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Raises ValueError when the client's request, and with it a file, is over."""
        yield self._begin
        for head, file in self._files:
            yield head
            async for chunk in file.chunks():
                yield chunk
        yield self._end


def _quoted(text: str) -> str:
    """As browsers write it: nothing in a name can end the header or the quotes (HTML, 4.10.21.8)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
