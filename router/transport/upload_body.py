"""The multipart/form-data body that carries a request's files to a subgraph (graphql-multipart-request specification)."""

from __future__ import annotations

import secrets

import orjson

from router.transport.protocol import SubgraphRequest


def upload_body(request: SubgraphRequest) -> tuple[bytes, str]:
    """The body and its content type."""
    boundary = f"router{secrets.token_hex(16)}"
    placed = {str(number): [path] for number, (path, _) in enumerate(request.files)}
    parts = [
        b'Content-Disposition: form-data; name="operations"\r\n\r\n' + request.body,
        b'Content-Disposition: form-data; name="map"\r\n\r\n' + orjson.dumps(placed),
    ]
    for number, (_, file) in enumerate(request.files):
        head = (
            f'Content-Disposition: form-data; name="{number}"; filename="{_quoted(file.name)}"\r\n'
            f"Content-Type: {_quoted(file.content_type)}\r\n\r\n"
        )
        parts.append(head.encode() + file.content)
    delimiter = f"--{boundary}".encode()
    body = b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts) + delimiter + b"--\r\n"
    return body, f"multipart/form-data; boundary={boundary}"


def _quoted(text: str) -> str:
    """As browsers write it: nothing in a name can end the header or the quotes (HTML, 4.10.21.8)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
