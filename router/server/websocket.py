"""placeholder"""

from __future__ import annotations

from typing import Any


class WebSocketEndpoint:
    def __init__(self, door: Any) -> None: ...
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.close", "code": 1000})
