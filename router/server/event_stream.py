"""placeholder while streams are being written"""

from __future__ import annotations

from typing import Any


class EventStreams:
    def __init__(self, door: Any) -> None: ...
    def takes(self, headers: Any) -> bool:
        return False

    async def serve(self, *args: Any) -> bool:
        return False

    async def single_connection(self, *args: Any) -> None: ...
