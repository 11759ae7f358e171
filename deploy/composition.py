"""Composes subgraphs for the command line and tells the findings.

Used by `fittracker compose`, by `prepare` before a start and by `dev_loop` and `source_watch` on change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson

from deploy.errors import FriendlyError
from deploy.subgraph_sources import read_sources
from deploy.terminal import Terminal
from schema.codes import CODES, Finding, Level
from schema.compose import Composition, compose
from schema.contract import contract_of


class CompositionFailedError(FriendlyError):
    """The subgraphs do not fit together; the message lists every error with its code."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        listed = list(findings)
        super().__init__(
            "the subgraphs do not compose\n" + "\n".join(f"  {finding}" for finding in listed),
            f"`fittracker explain {listed[0].code}` says what it means" if listed else None,
        )
        self.findings = tuple(listed)


@dataclass(frozen=True, slots=True)
class Composing:
    """What `fittracker compose` is asked for: the tags are of a contract variant, the files take what it gives."""

    sources: list[str]
    output: Path | None = None
    api: Path | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def compose(self) -> Composition:
        """The files are written where everything composes. Raises FriendlyError for a source that cannot be read."""
        composition = compose(read_sources(self.sources))
        if self.include or self.exclude:
            composition = contract_of(composition, include=self.include, exclude=self.exclude)
        for file, text in ((self.output, composition.supergraph_sdl), (self.api, composition.api_sdl)):
            if file is not None and text is not None:
                write_whole(file, text)
        return composition


def compose_for_people(asked: Composing, terminal: Terminal) -> None:
    """Raises FriendlyError, CompositionFailedError."""
    composition = asked.compose()
    for hint in composition.hints:
        terminal.errors.print(f"hint: {hint}", style="dim")
    sdl = supergraph_of(composition)
    if asked.output is None:
        print(sdl, end="")
    else:
        complaint_file(asked.output).unlink(missing_ok=True)
        terminal.say(f"{asked.output}: {len(sdl):,} bytes, {len(composition.hints)} hints")


def compose_for_machines(asked: Composing) -> bool:
    """What `fittracker compose --json` does: one JSON object on standard output, whether they compose or not.

    `{"errors": [...], "hints": [...], "supergraph": SDL}`; a finding has level, code, message, subgraphs, coordinates
    and locations (`{"subgraph", "line", "column"}`). `supergraph` is null where there are errors, and where `output`
    takes it. Whether they compose. Raises FriendlyError for a source that cannot be read.
    """
    composition = asked.compose()
    told = {
        "errors": [error.as_json() for error in composition.errors],
        "hints": [hint.as_json() for hint in composition.hints],
        "supergraph": composition.supergraph_sdl if asked.output is None else None,
    }
    print(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    return composition.supergraph_sdl is not None


def supergraph_of(composition: Composition) -> str:
    """Raises CompositionFailedError."""
    if composition.supergraph_sdl is None:
        raise CompositionFailedError(composition.errors)
    return composition.supergraph_sdl


def complaint_file(supergraph: Path) -> Path:
    """Why the newest sources are not in the supergraph; a router that follows the file looks for it."""
    return supergraph.with_name(supergraph.name + ".error")


def write_whole(file: Path, text: str) -> None:
    """Readers see the old text or the new one, never half of it; an unchanged file is not touched."""
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return
    partial = file.with_name(f".{file.name}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)


def explain_code(code: str | None, terminal: Terminal) -> None:
    """Raises FriendlyError for a code nobody gives."""
    if code is None:
        for each in sorted(CODES.values(), key=lambda each: (each.level is Level.HINT, each.code)):
            terminal.say(f"{each.level.value:5}  [bold]{each.code}[/bold]")
        return
    known = CODES.get(code.upper())
    if known is None:
        raise FriendlyError(f"no error or hint is called {code}", "`fittracker explain` lists them")
    terminal.say(f"[bold]{known.code}[/bold] ({known.level.value})")
    terminal.console.print(known.meaning, markup=False)
