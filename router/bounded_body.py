"""The body of an HTTP answer, read no further than its reader's bound: whoever answers may be wrong, or lie.

For whoever asks by aiohttp; the router's own client bounds what it reads by itself.
"""

from __future__ import annotations

import aiohttp


class BodyTooLargeError(ValueError):
    """`maximum` is in bytes, as they came, before any content coding is undone."""

    def __init__(self, maximum: int) -> None:
        super().__init__(f"more than {maximum} bytes")
        self.maximum = maximum


async def read_at_most(response: aiohttp.ClientResponse, maximum: int) -> bytes:
    """Raises BodyTooLargeError, and what aiohttp raises."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > maximum:
            raise BodyTooLargeError(maximum)
        parts.append(part)
    return b"".join(parts)
