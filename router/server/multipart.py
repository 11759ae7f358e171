"""@defer and @stream on the wire: one multipart response whose parts follow the initial result.

`event_stream` writes with it. What the parts say is made by the pipeline (`incremental.formats`): in the current format, or in
the former one, which clients ask for with `deferSpec=20220824`.
"""

from __future__ import annotations

import orjson

from router.errors import RouterError


class IncrementalParts:
    """The current format. Its version is told also to who did not ask for one."""

    content_type = b'multipart/mixed; boundary="-"; incrementalSpec=v0.2'
    start = b"\r\n---"
    heartbeat = b""

    def part(self, body: bytes) -> bytes:
        """With the boundary after it: a client knows only by it that the part is complete, and shows it then."""
        return b"\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: %d\r\n\r\n%b\r\n---" % (
            len(body),
            body,
        )

    def end(self, error: RouterError | None) -> bytes:
        last = b""
        if error is not None:
            last = self.part(orjson.dumps({"errors": error.entries(), "hasNext": False}))
        return last + b"--\r\n"


class FormerIncrementalParts(IncrementalParts):
    """The format of August 2022."""

    content_type = b'multipart/mixed; boundary="-"; deferSpec=20220824'
