"""Runs the npm clients of tests/e2e/clients against a server of this event loop."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

CLIENTS = Path(__file__).parents[1] / "e2e" / "clients"
TIMEOUT_SECONDS = 60


async def run_client(script: str, *arguments: str) -> Any:
    """What the script printed, parsed. Skips the test where there is no node."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs node and npm, to run other people's clients")
    if not (CLIENTS / "node_modules").is_dir():
        await _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    return orjson.loads(await _run("node", script, *arguments))


async def _run(*command: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=CLIENTS, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(TIMEOUT_SECONDS):
        output, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    return output
