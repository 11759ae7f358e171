"""Chromium for tests of pages: pages that note every address and complaint, and axe's findings."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.testkit.npm_clients import CLIENTS, install_packages

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MILLISECONDS = 60_000
expect.set_options(timeout=PATIENCE_MILLISECONDS)
AXE = CLIENTS / "node_modules" / "axe-core" / "axe.min.js"


@dataclass
class WatchedPage:
    """`complaints` are errors of the page and of its console; `addresses` all that it asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._watch(self.page)

    async def another_tab(self) -> Page:
        """Of the same browser, with the same storage; what it asks and complains of is noted here too."""
        page = await self.page.context.new_page()
        self._watch(page)
        return page

    def _watch(self, page: Page) -> None:
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        page.on("request", lambda request: self.addresses.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda told: self.complaints.append(told.text) if told.type == "error" else None)

    def away_from(self, origin: str) -> set[str]:
        """What was asked elsewhere."""
        return {each for each in self.addresses if not each.startswith((origin, "data:", "blob:"))}

    async def serious_findings(self) -> list[str]:
        """What axe says of the page as it stands, by its rules for WCAG 2 AA: serious and critical findings."""
        install_packages(CLIENTS, "axe-core")
        await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: list[dict[str, Any]] = await self.page.evaluate(
            """async () => (await axe.run(document, {
                 resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'],
               })).violations"""
        )
        return [
            f"{each['id']} at {node['target']}: {node['failureSummary']}"
            for each in found
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]


@asynccontextmanager
async def watched_page(
    width: int = 1400, height: int = 900, scheme: Any = "light", zone: str | None = None
) -> AsyncIterator[WatchedPage]:
    """Skips the test where there is no Chromium. Its clock is that of `zone`, else this machine's."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium (Debian's package `chromium`, or its path in CHROMIUM)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, timezone_id=zone
        )
        yield WatchedPage(await context.new_page())
        await browser.close()
