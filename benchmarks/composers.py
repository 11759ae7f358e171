"""The composers that `benchmarks.composition` compares, and one composer's process at work.

Each is a program that gets two files, the subgraphs (a JSON list of `name`, `url` and `sdl`) and the supergraph that it writes.
For each line of its standard input it composes once, and prints the seconds that this took; starting and reading the file are not in them.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.gateways import HERE, OURS, PEERS, missing_package
from benchmarks.processes import peak_memory_mib

RUST = PEERS / "composition"
#: That a composer may have: of Node's own accord it would end at a part of the machine's memory.
MOST_GIB = 8


class ComposerError(Exception):
    """A composer ended, or took longer than it may; the text says which."""


@dataclass(frozen=True, slots=True)
class Composer:
    """`missing` says why it cannot run here, or is empty."""

    name: str
    language: str
    program: tuple[str, ...]
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Composed:
    """`seconds` is the median of the rounds, `first_seconds` those of the first, as of a command that composes once."""

    seconds: float
    first_seconds: float
    rounds: int
    peak_memory_mib: float


def known_composers() -> list[Composer]:
    """Ours first."""
    return [
        Composer(OURS, "Python", (sys.executable, "-m", "benchmarks.compose_ours")),
        _javascript("apollo", "@apollo/composition"),
        _javascript("guild", "@theguild/federation-composition"),
        _javascript("cosmo", "@wundergraph/composition"),
        _rust("apollo-rust", "compose-apollo"),
        _rust("grafbase", "compose-grafbase"),
    ]


def _javascript(name: str, package: str) -> Composer:
    return Composer(name, "JavaScript", ("node", str(PEERS / "compose.mjs"), name), missing_package(package))


def _rust(name: str, binary: str) -> Composer:
    program = RUST / "target" / "release" / binary
    missing = "" if program.exists() else "run `cargo build --release` in benchmarks/peers/composition"
    return Composer(name, "Rust", (str(program),), missing)


def compose_with(
    composer: Composer, subgraphs: Path, supergraph: Path, *, rounds: int, most_seconds: float, most_gib: int = MOST_GIB
) -> Composed:
    """As many rounds as there is time for, at least one. Raises ComposerError where the first takes too long or fails, as it does
    for want of memory.
    """
    taken: list[float] = []
    began = time.monotonic()
    with _running(composer, subgraphs, supergraph, most_gib) as process:
        while len(taken) < rounds and (not taken or time.monotonic() - began + taken[-1] < most_seconds):
            taken.append(_round(process, most_seconds))
        peak = peak_memory_mib(process.pid)
    return Composed(round(median(taken), 4), round(taken[0], 4), len(taken), round(peak, 1))


@contextmanager
def _running(composer: Composer, subgraphs: Path, supergraph: Path, most_gib: int) -> Iterator[subprocess.Popen[bytes]]:
    """The error of a composer that ends has what it said first."""
    log = supergraph.with_name(f"{composer.name}.log")
    bounded = ["prlimit", f"--data={most_gib << 30}"]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*bounded, *composer.program, str(subgraphs), str(supergraph)],
            bufsize=0,
            cwd=HERE.parent,
            env={**os.environ, "NODE_OPTIONS": f"--max-old-space-size={most_gib << 10}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
        ) as process,
    ):
        try:
            yield process
        except (BrokenPipeError, EOFError):
            process.wait()
            said = log.read_text(errors="replace").strip()
            raise ComposerError(f"ended with {process.returncode}: {_cause(said)}") from None
        finally:
            process.kill()


def _round(process: subprocess.Popen[bytes], most_seconds: float) -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"\n")
    if not select.select([process.stdout], [], [], most_seconds)[0]:
        raise ComposerError(f"not within {most_seconds:g} s")
    line = process.stdout.readline()
    if not line:
        raise EOFError
    return float(line)


def _cause(said: str) -> str:
    """The line that names an error, of what a process said at its end: the others are places in its files."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    named = (line for line in lines if line.partition(":")[0].endswith("Error"))
    return next(named, lines[0] if lines else "without a word")[:200]
