"""Packages from npm for tests, and the clients of tests/e2e/clients run against a server of this event loop."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest

CLIENTS = Path(__file__).parents[1] / "e2e" / "clients"
TIMEOUT_SECONDS = 60
INSTALL_SECONDS = 120


def install_packages(directory: Path, purpose: str) -> None:
    """What the lock file of the directory says, unless it is there. Skips the test where there is no node."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip(f"needs node and npm, to run {purpose}")
    done, lock = directory / "node_modules" / ".package-lock.json", directory / "package-lock.json"
    if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(install, cwd=directory, check=True, capture_output=True, timeout=INSTALL_SECONDS)


async def run_client(script: str, *arguments: str) -> Any:
    """What the script printed, parsed. Skips the test where there is no node."""
    await asyncio.to_thread(install_packages, CLIENTS, "other people's clients")
    return orjson.loads(await _run("node", script, *arguments))


async def _run(*command: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=CLIENTS, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(TIMEOUT_SECONDS):
        output, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    return output
