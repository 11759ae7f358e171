"""Composes again when a source changes: files are looked at, services are asked, Python is imported afresh.

`fittracker compose --watch` runs it, and `fittracker router SOURCES --watch` runs that command beside the router, which
follows the file. What does not compose is told in the terminal, and in `FILE.error` for GraphiQL's page.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path
from signal import SIGTERM

from deploy.composition import complaint_file, supergraph_of
from deploy.data_directory import write_whole
from deploy.errors import friendly
from deploy.parents_death import die_with_the_parent, dies_with_its_parent
from deploy.terminal import Terminal
from schema.compose import compose
from schema.sources import DeclaredSource, SourceError, declared_sources, is_configuration, read_sources

LOOK_SECONDS = 0.5


@contextmanager
def composed_beside(arguments: list[str], output: Path) -> Iterator[None]:
    """Another process keeps `output` composed of the sources until the block ends."""
    root = str(Path(__file__).parents[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy", "compose", *arguments, "-o", str(output), "--watch"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=dies_with_its_parent(SIGTERM),
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def keep_composed(arguments: list[str], output: Path, terminal: Terminal) -> None:
    """Until Ctrl-C, or a signal."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_follow(arguments, output, terminal))


async def _follow(arguments: list[str], output: Path, terminal: Terminal) -> None:
    seen: object = None
    while True:
        now = await _fingerprint(arguments)
        if now != seen:
            seen = now
            await _compose_into(arguments, output, terminal)
        await asyncio.sleep(LOOK_SECONDS)


async def _compose_into(arguments: list[str], output: Path, terminal: Terminal) -> None:
    with ProcessPoolExecutor(1, get_context("spawn"), die_with_the_parent, (os.getpid(),)) as process:
        outcome = await asyncio.get_running_loop().run_in_executor(process, _compose_afresh, arguments)
    if isinstance(outcome, str):
        write_whole(output, outcome)
        complaint_file(output).unlink(missing_ok=True)
        terminal.say(f"{output}: composed, {len(outcome):,} bytes")
    else:
        message, hint = outcome
        write_whole(complaint_file(output), message)
        terminal.fail(f"{message}\n{output} stays as it was", hint)


def _compose_afresh(arguments: list[str]) -> str | tuple[str, str | None]:
    """In a process of its own, as Python imports a module once: the supergraph, or a complaint and its hint."""
    try:
        return supergraph_of(compose(read_sources(arguments)))
    except Exception as error:  # whatever a source does, its followers go on
        told = friendly(error)
        return (told.message, told.hint) if told is not None else (f"{type(error).__name__}: {error}", None)


# -- what may change ---------------------------------------------------------------------------------------------------


async def _fingerprint(arguments: list[str]) -> object:
    """Equal as long as composing again would give the same."""
    files = [Path(argument) for argument in arguments if is_configuration(argument)]
    try:
        sources = await asyncio.to_thread(declared_sources, arguments)
    except (SourceError, OSError) as error:
        return [_stamp(file) for file in files], str(error)
    files += [source.file for source in sources if source.file is not None]
    for place in {source.python.partition(".")[0].partition(":")[0] for source in sources if source.python}:
        files += _files_of_package(place)
    services = [source for source in sources if source.address]
    answers = await asyncio.gather(*(asyncio.to_thread(_sdl_or_complaint, service) for service in services))
    return [_stamp(file) for file in files], answers


def _stamp(file: Path) -> object:
    try:
        found = file.stat()
    except OSError:
        return None
    return str(file), found.st_mtime_ns, found.st_size, found.st_ino


def _files_of_package(name: str) -> list[Path]:
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return []
    if found is None or found.origin is None:
        return []
    if found.submodule_search_locations is None:
        return [Path(found.origin)]
    return sorted(file for folder in found.submodule_search_locations for file in Path(folder).rglob("*.py"))


def _sdl_or_complaint(service: DeclaredSource) -> str:
    try:
        return service.read().sdl
    except SourceError as error:
        return str(error)
