"""Panels for the router's console as a product has them, for its tests: one that tells, one that fails."""

from __future__ import annotations

from router.server.console_panels import Panel, Part


class Kitchen:
    """Made with the arguments of its setting."""

    def __init__(self, oven: str) -> None:
        self._oven = oven

    async def panels(self) -> list[Panel]:
        part = Part(name=self._oven, state="up", address="127.0.0.1:1", detail="hot", log=self._oven)
        return [Panel(kind="parts", title="Kitchen", parts=[part])]

    async def log(self, name: str) -> list[str] | None:
        return [f"line {number}" for number in range(1000)] if name == self._oven else None


class Ruin:
    """Tells nothing but trouble, whose text nobody should see."""

    async def panels(self) -> list[Panel]:
        raise RuntimeError("the secret of the ruin")

    async def log(self, _: str) -> None:
        return None
