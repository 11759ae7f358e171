"""While `fittracker up` runs: code of a subgraph changed → is it sound? → does it compose? → take it over.

Nothing is dropped on the way (decision 0015). What is not sound is told in the terminal and in GraphiQL's page, and what
ran before goes on.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from graphql import DirectiveNode, GraphQLSchema, build_schema, find_breaking_changes, print_ast
from watchfiles import awatch

from deploy.composition import supergraph_of
from deploy.embedded import DOMAINS
from deploy.errors import FriendlyError
from deploy.stack import Stack
from schema import Composition, SubgraphSource, compose
from schema.changes import diff_schemas

_ROOMS = Path(__file__).parents[1]
_SHARED = ("loaders", "events")
MOST_CHANGES_TOLD = 12
_FRAME = re.compile(r'File "([^"]+)", line (\d+)')


async def follow_code(stack: Stack) -> None:
    """Runs until cancelled."""
    folders = [_ROOMS / room for room in ("subgraphs", *_SHARED)]
    sdls = await stack.running_sdls()
    complaint = stack.directory.complaint
    stack.news("follows the subgraphs' code: what is sound is taken over as it is saved")
    refused: set[str] = set()  # read again with every change until all of them are sound together
    async for changes in awatch(*folders, debounce=500, step=250, recursive=True):
        files = {Path(path) for _, path in changes if path.endswith(".py")}
        concerned = _concerned(files)
        if not concerned:
            continue
        stack.news(f"code of {', '.join(concerned)} changed")
        refused.update(concerned)
        try:
            if any("migrations" in file.parts for file in files):
                await stack.migrate()
            async with stack.changing:
                await _take_over(stack, sorted(refused), sdls)
        except Exception as error:  # whatever is wrong with the code, the stack goes on
            told = str(error) or repr(error)
            stack.news(f"not taken over, what ran before goes on: {told}")
            complaint.write_text(told, encoding="utf-8")  # the router shows it in GraphiQL's page
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
    """Processes that still answer what the graph of now asks go before the new graph, the others after it.

    `sdls` is what runs, and kept so. Raises FriendlyError: then what is served fits together still.
    """
    fresh = dict(zip(names, await asyncio.gather(*(_sdl_of_code(name) for name in names)), strict=True))
    old, new = await _compose(stack, sdls), await _compose(stack, sdls | fresh)
    old_graph, new_graph = supergraph_of(old), supergraph_of(new)
    early = [name for name in names if still_answers(sdls[name], fresh[name])]
    late = [name for name in names if name not in early]
    await stack.supervisor.replace(stack.fleet.children_of(early))
    sdls.update({name: fresh[name] for name in early})
    try:
        # Changed code may answer otherwise: what the router has cached belongs to the graph of another digest.
        await stack.serve_graph(f"{new_graph}# code as of {datetime.now(UTC).isoformat()}\n")
        await stack.supervisor.replace(stack.fleet.children_of(late))
    except FriendlyError:
        await stack.serve_graph(old_graph)
        raise
    sdls.update(fresh)
    stack.news(f"taken over; {_changes(old, new)}")


async def _compose(stack: Stack, sdls: dict[str, str]) -> Composition:
    sources = [SubgraphSource(name=name, sdl=sdls[name], url=url) for name, url in stack.subgraph_urls.items()]
    return await asyncio.to_thread(compose, sources)


def _changes(old: Composition, new: Composition) -> str:
    """What clients see of it."""
    diff = diff_schemas(build_schema(old.api_sdl or ""), build_schema(new.api_sdl or ""))
    lines = [f"  {change.level.value}: {change.message}" for change in diff.changes]
    if len(lines) > MOST_CHANGES_TOLD:
        lines[MOST_CHANGES_TOLD:] = [f"  and {len(lines) - MOST_CHANGES_TOLD} more"]
    return "\n".join(["the API changed:", *lines]) if lines else "the API is as it was"


def still_answers(old_sdl: str, new_sdl: str) -> bool:
    """Whether a subgraph with the new SDL answers whatever is planned for the old one."""
    old, new = (build_schema(sdl, assume_valid_sdl=True) for sdl in (old_sdl, new_sdl))
    return (
        not find_breaking_changes(old, new)
        and set(_applied(old, "key")) <= set(_applied(new, "key"))
        and set(_applied(old, "requires")) == set(_applied(new, "requires"))
    )


def _applied(schema: GraphQLSchema, directive: str) -> Iterator[tuple[str, str]]:
    """Where a federation directive stands, and with which arguments."""
    for type_ in schema.type_map.values():
        yield from ((type_.name, print_ast(each)) for each in _directives(type_) if _is(each, directive))
        for name, field in getattr(type_, "fields", {}).items():
            place = f"{type_.name}.{name}"
            yield from ((place, print_ast(each)) for each in _directives(field) if _is(each, directive))


def _directives(element: object) -> Iterator[DirectiveNode]:
    for node in (getattr(element, "ast_node", None), *getattr(element, "extension_ast_nodes", ())):
        yield from getattr(node, "directives", None) or ()


def _is(applied: DirectiveNode, directive: str) -> bool:
    return applied.name.value in {directive, f"federation__{directive}"}


async def _sdl_of_code(name: str) -> str:
    """In a process of its own: this one holds none of their modules, and a syntax error hurts nobody."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"subgraphs.{name}", "sdl",
        cwd=_ROOMS, env={**os.environ, "PYTHONPATH": str(_ROOMS)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    if process.returncode != 0:
        raise FriendlyError(f"{name}: {_last_words(errors.decode(errors='replace'))}")
    return output.decode()


def _last_words(traceback: str) -> str:
    """The error, and the line of our code it came from."""
    told = traceback.strip().splitlines() or ["it ended without a word"]
    rooms = [_ROOMS / room for room in ("subgraphs", *_SHARED)]
    frames = [
        found for found in _FRAME.findall(traceback) if any(Path(found[0]).is_relative_to(room) for room in rooms)
    ]
    if not frames:
        return told[-1]
    file, line = frames[-1]
    return f"{told[-1]} ({Path(file).relative_to(_ROOMS)}:{line})"
