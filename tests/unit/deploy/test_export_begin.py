"""What `fittracker export` does where the server has something against it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from deploy.errors import FriendlyError
from deploy.personal_data.export import export
from deploy.terminal import Terminal


@asynccontextmanager
async def graph(begun: dict[str, Any]) -> AsyncIterator[tuple[str, list[str]]]:
    """A graph that says this of `beginExport`, and whose person has an account and nothing else; with what it was asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        query = (await request.json())["query"]
        asked.append(query)
        if "beginExport" in query:
            return web.json_response(begun)
        return web.json_response({"data": {"me": {"id": "a-person"}}})

    app = web.Application()
    app.router.add_post("/graphql", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/graphql", asked
    finally:
        await runner.cleanup()


async def test_an_export_that_the_server_refuses_is_not_begun(tmp_path: Path) -> None:
    refused = {"data": {"beginExport": {"userErrors": [{"message": "Not today."}, {"message": "Ask again."}]}}}
    async with graph(refused) as (url, asked):
        with pytest.raises(FriendlyError, match=r"^the server refused the export: Not today\.; Ask again\.$"):
            await export(tmp_path / "mine", url, credentials=None, token="a token", terminal=Terminal())
    assert len(asked) == 2  # whose folder it is, and that the export begins
