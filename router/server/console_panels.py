"""Panels that a product adds to the console: loaded by their settings' names, asked within a time, shown as they are.

A provider is made once, with the arguments of its setting. The router knows the shapes below and nothing of what is in them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, TypedDict

import structlog

from router.settings import SettingsError
from router.workbench import PanelProvider

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 3.0
KEPT_SECONDS = 1.0  # so that several open consoles ask once
MOST_LOG_LINES = 200


class Part(TypedDict):
    """A process or server. `state` is "up", "down" or "starting"; `log` the name by which `Panels.log` knows its log."""

    name: str
    state: str
    address: str
    detail: str
    log: str | None


class Station(TypedDict):
    """One place that events pass. `total` counts up, so that the page shows a rate; None for what is not known."""

    name: str
    total: int | None
    waiting: int | None
    lagSeconds: float | None
    note: str


class Panel(TypedDict, total=False):
    """`kind` is "parts" (with `parts`) or "flow" (with `stages`: stations side by side, one stage after the other)."""

    kind: str
    title: str
    parts: list[Part]
    stages: list[list[Station]]
    error: str


class Panels(Protocol):
    """What a provider offers. Whatever it raises is told in its panel's place by its name alone."""

    async def panels(self) -> Sequence[Panel]: ...

    async def log(self, name: str) -> Sequence[str] | None:
        """The last lines of a log, without secrets; None for one that there is not."""
        ...


class ProductPanels:
    """Raises SettingsError for a provider that cannot be loaded."""

    def __init__(self, providers: Sequence[PanelProvider]) -> None:
        self._providers = [_made(each) for each in providers]
        self._names = [each.provider for each in providers]
        self._known: tuple[float, list[Panel]] = (float("-inf"), [])
        self._asking: asyncio.Task[list[Panel]] | None = None

    async def panels(self) -> list[Panel]:
        """Of all providers in their order, at most KEPT_SECONDS old."""
        now = asyncio.get_running_loop().time()
        if now - self._known[0] < KEPT_SECONDS:
            return self._known[1]
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def log(self, name: str) -> list[str] | None:
        """Of the first provider that has it."""
        for provider in self._providers:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                lines = await provider.log(name)
            if lines is not None:
                return list(lines)[-MOST_LOG_LINES:]
        return None

    async def _ask(self) -> list[Panel]:
        answers = await asyncio.gather(*map(self._ask_one, self._providers, self._names))
        panels = [panel for answer in answers for panel in answer]
        self._known = (asyncio.get_running_loop().time(), panels)
        return panels

    async def _ask_one(self, provider: Panels, name: str) -> Sequence[Panel]:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await provider.panels()
        except Exception as error:  # the rest of the page goes on
            log.warning("console_panel_failed", provider=name, reason=repr(error))
            return [Panel(kind="failed", title=name, error=type(error).__name__)]


def _made(setting: PanelProvider) -> Panels:
    place, _, attribute = setting.provider.partition(":")
    try:
        provider: Panels = getattr(import_module(place), attribute)(**setting.arguments)
    except Exception as error:
        raise SettingsError(f"the console's panels '{setting.provider}' cannot be made: {error!r}") from error
    return provider
