"""The committed schema: written from code, checked against code, compared, linted. Called by `fittracker schema …`."""

from __future__ import annotations

from pathlib import Path

from graphql import build_schema

from deploy.composition import supergraph_of
from deploy.data_directory import write_whole
from deploy.embedded import DOMAINS
from deploy.prepare import sdl_of_code
from deploy.subgraph_ports import SUBGRAPH_PORTS
from deploy.terminal import Terminal
from schema.changes import ChangeLevel, diff_schemas
from schema.compose import compose
from schema.reference import reference_of
from schema.subgraph import SubgraphSource
from schema.verbs import change_text, diff_files, lint_files, read_api

GRAPH = Path(__file__).parents[1] / "schema" / "fittracker"
#: What clients were promised: the API schema as it was released last.
RELEASED = GRAPH / "released.graphql"
_COLOURS = {ChangeLevel.BREAKING: "red", ChangeLevel.DANGEROUS: "yellow", ChangeLevel.SAFE: "green"}


def artifacts() -> dict[Path, str]:
    """Every committed file and what it should hold. Raises CompositionFailedError."""
    sdls = {name: sdl_of_code(name) for name in DOMAINS}
    sources = [
        SubgraphSource(name=name, sdl=sdl, url=f"http://127.0.0.1:{SUBGRAPH_PORTS[name]}/graphql")
        for name, sdl in sdls.items()
    ]
    composition = compose(sources)
    supergraph = supergraph_of(composition)
    api_sdl = composition.api_sdl or ""
    return {
        **{GRAPH / "subgraphs" / f"{name}.graphql": sdl for name, sdl in sdls.items()},
        GRAPH / "supergraph.graphql": supergraph,
        GRAPH / "api.graphql": api_sdl,
        GRAPH / "api-reference.md": reference_of(build_schema(api_sdl), "FitTracker's API, field by field"),
    }


def export(*, check_only: bool, terminal: Terminal) -> bool:
    """Whether every file is current now."""
    current = True
    for file, text in artifacts().items():
        name = file.relative_to(GRAPH.parents[1])
        if file.exists() and file.read_text(encoding="utf-8") == text:
            terminal.say(f"{name} is current")
        elif check_only:
            terminal.fail(f"{name} is not what the code gives", "run `fittracker schema export` and commit it")
            current = False
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, text)
            terminal.say(f"{name} written")
    kept = keeps_promises((GRAPH / "api.graphql").read_text(encoding="utf-8"), RELEASED, terminal)
    return current and (kept or not check_only)


def keeps_promises(api_sdl: str, released: Path, terminal: Terminal) -> bool:
    """Whether nothing that clients of the last release may use is broken; says what is."""
    diff = diff_schemas(read_api(released), build_schema(api_sdl))
    broken = [change for change in diff.changes if change.level is ChangeLevel.BREAKING]
    for change in broken:
        terminal.console.print(f"{change.code}: {change.message}", style="red", markup=False)
    if broken:
        terminal.fail(
            f"{len(broken)} breaking changes since the last release",
            "deprecate instead; or, where the release says so, promise anew with `fittracker schema release`",
        )
    return not broken


def release(terminal: Terminal) -> None:
    """The present API becomes what clients are promised."""
    write_whole(RELEASED, (GRAPH / "api.graphql").read_text(encoding="utf-8"))
    terminal.say(f"{RELEASED.relative_to(GRAPH.parents[1])} written")


def print_changes(old: Path, new: Path, operations: Path | None, terminal: Terminal) -> bool:
    """Whether no client breaks. Raises VerbError."""
    diff = diff_files(old, new, operations)
    for change in diff.changes:
        terminal.console.print(f"{change.level.value:9}", style=_COLOURS[change.level], end=" ")
        terminal.console.print(change_text(change), markup=False)
    if not diff.changes:
        terminal.say("no changes")
    return not diff.breaks_clients()


def lint(files: list[Path] | None, terminal: Terminal) -> bool:
    """Whether nothing was found. Raises VerbError."""
    clean = True
    for finding in lint_files(files or sorted((GRAPH / "subgraphs").glob("*.graphql"))):
        terminal.console.print(finding, markup=False)
        clean = False
    return clean
