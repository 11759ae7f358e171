"""While `fittracker up` runs: code of a subgraph changed → is it sound? → does it compose? → restart it, swap the graph.

A change that does not import or compose is told in the terminal, and what ran before goes on.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from watchfiles import awatch

from deploy.child import ChildError
from deploy.composition import CompositionFailedError, supergraph_of, write_whole
from deploy.embedded import DOMAINS
from deploy.errors import FriendlyError
from deploy.stack import Stack
from schema import SubgraphSource, compose

_ROOMS = Path(__file__).parents[1]
_SHARED = ("loaders", "events")


async def follow_code(stack: Stack) -> None:
    """Runs until cancelled."""
    folders = [_ROOMS / room for room in ("subgraphs", *_SHARED)]
    sdls: dict[str, str] = {}
    complaint = stack.directory.complaint
    refused: set[str] = set()  # read again with every change until all of them are sound together
    async for changes in awatch(*folders, debounce=400, recursive=True):
        files = {Path(path) for _, path in changes if path.endswith(".py")}
        concerned = _concerned(files)
        if not concerned:
            continue
        stack.news(f"code of {', '.join(concerned)} changed")
        refused.update(concerned)
        try:
            await _take_over(stack, sorted(refused), sdls)
        except (CompositionFailedError, FriendlyError, ChildError) as error:
            stack.news(f"not taken over, what ran before goes on: {error}")
            complaint.write_text(str(error), encoding="utf-8")  # the router shows it in GraphiQL's page
        else:
            refused.clear()
            complaint.unlink(missing_ok=True)


def _concerned(files: set[Path]) -> list[str]:
    """Which subgraphs the files belong to; the shell's and the libraries' belong to all."""
    if not files:
        return []
    owners = {file.relative_to(_ROOMS / "subgraphs").parts[0] for file in files if _is_in_subgraphs(file)}
    if owners - set(DOMAINS) or any(not _is_in_subgraphs(file) for file in files):
        return list(DOMAINS)
    return sorted(owners)


def _is_in_subgraphs(file: Path) -> bool:
    return file.is_relative_to(_ROOMS / "subgraphs")


async def _take_over(stack: Stack, names: list[str], sdls: dict[str, str]) -> None:
    fresh = dict(zip(names, await asyncio.gather(*(_sdl_of_code(name) for name in names)), strict=True))
    for name in stack.subgraph_urls.keys() - fresh.keys() - sdls.keys():
        sdls[name] = await _sdl_of_code(name)
    everything = {**sdls, **fresh}
    sources = [SubgraphSource(name=name, sdl=everything[name], url=url) for name, url in stack.subgraph_urls.items()]
    supergraph = supergraph_of(await asyncio.to_thread(compose, sources))
    for name in names:
        await stack.supervisor.restart(name)
    sdls.update(fresh)
    await asyncio.to_thread(write_whole, stack.directory.supergraph, supergraph)
    stack.news("composed; the router swaps the graph where it changed")


async def _sdl_of_code(name: str) -> str:
    """In a process of its own: this one holds none of their modules, and a syntax error hurts nobody."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"subgraphs.{name}", "sdl",
        cwd=_ROOMS, env={**os.environ, "PYTHONPATH": str(_ROOMS)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    if process.returncode != 0:
        told = errors.decode(errors="replace").strip().splitlines() or ["it ended without a word"]
        raise FriendlyError(f"{name}: {told[-1]}")
    return output.decode()
