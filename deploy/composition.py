"""Composes subgraphs for the command line and tells the findings.

Used by `fittracker compose`, `router` and `schema`, by `prepare` before a start, by `dev_loop` and `source_watch` on change.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from textwrap import indent

from deploy.data_directory import write_whole
from deploy.errors import FriendlyError
from deploy.terminal import Terminal
from schema.codes import Finding
from schema.compose import Composition
from schema.verbs import Composing


class CompositionFailedError(FriendlyError):
    """The subgraphs do not fit together; the message lists every error with its code."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        listed = list(findings)
        super().__init__(
            "the subgraphs do not compose\n" + "\n".join(indent(finding.told(), "  ") for finding in listed),
            f"`fittracker explain {listed[0].code}` says what it means" if listed else None,
        )
        self.findings = tuple(listed)


def compose_for_people(asked: Composing, terminal: Terminal) -> None:
    """Raises SourceError, VerbError, CompositionFailedError."""
    composition = _composed(asked)
    for hint in composition.hints:
        terminal.errors.print(f"hint: {hint}", style="dim", markup=False)
    sdl = supergraph_of(composition)
    if asked.output is None:
        print(sdl, end="")
    else:
        complaint_file(asked.output).unlink(missing_ok=True)
        count = len(composition.hints)
        terminal.say(f"{asked.output}: {len(sdl):,} bytes, {count} {'hint' if count == 1 else 'hints'}")


def compose_for_machines(asked: Composing) -> bool:
    """What `fittracker compose --json` does: one JSON object on standard output, whether they compose or not. Whether
    they do. Raises SourceError, VerbError.
    """
    composition = _composed(asked)
    print(asked.as_json(composition))
    return composition.supergraph_sdl is not None


def check_for_people(asked: Composing, terminal: Terminal) -> None:
    """Says what is wrong, and writes nothing. Raises SourceError, CompositionFailedError."""
    composition = asked.compose()
    for hint in composition.hints:
        terminal.errors.print(f"hint: {hint}", style="dim", markup=False)
    supergraph_of(composition)


def _composed(asked: Composing) -> Composition:
    composition = asked.compose()
    for file, text in asked.written(composition):
        write_whole(file, text)
    return composition


def supergraph_of(composition: Composition) -> str:
    """Raises CompositionFailedError."""
    if composition.supergraph_sdl is None:
        raise CompositionFailedError(composition.errors)
    return composition.supergraph_sdl


def complaint_file(supergraph: Path) -> Path:
    """Why the newest sources are not in the supergraph; a router that follows the file looks for it."""
    return supergraph.with_name(supergraph.name + ".error")
