"""The responses to a batch of operations as one body, which may be as large as one response.

`graphql_http` calls it. The operations run at the same time, and each has the bound for itself before its response is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence

from router.executor.projection import encode_response
from router.executor.response_size import ResponseTooLargeError
from router.pipeline import Response
from router.telemetry import RESPONSES_TOO_LARGE


async def batch_body(pending: Sequence[Awaitable[Response]], maximum: int) -> bytes:
    """A JSON array in the operations' order, of at most `maximum` bytes beside errors. A response that finds no room beside
    those that were there before it is let go at once, and told as RESPONSE_TOO_LARGE in its place.
    """
    left = maximum - len(pending) - 1  # brackets and commas

    async def fitting(each: Awaitable[Response]) -> bytes:
        nonlocal left
        response = await each
        if len(response.body) <= left:
            left -= len(response.body)
            return response.body
        RESPONSES_TOO_LARGE.labels(response.operation_type).inc()
        return encode_response(None, ResponseTooLargeError(maximum, response.operation_type, of_batch=True).entries())

    return b"[" + b",".join(await asyncio.gather(*map(fitting, pending))) + b"]"
