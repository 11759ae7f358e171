"""The committed schema: written from code, checked against code, compared, linted. Called by `fittracker schema …`."""

from __future__ import annotations

from pathlib import Path

from graphql import GraphQLError, GraphQLSchema, build_schema

from deploy.composition import supergraph_of, write_whole
from deploy.embedded import DOMAINS
from deploy.errors import FriendlyError
from deploy.prepare import sdl_of_code
from deploy.stack import SUBGRAPH_PORTS
from deploy.terminal import Terminal
from router.errors import SupergraphError
from router.supergraph import read_supergraph
from schema.changes import ChangeLevel, OperationRecordError, diff_schemas, read_operations
from schema.compose import compose
from schema.subgraph import SubgraphSource

ROOM = Path(__file__).parents[1] / "schema"
#: What clients were promised: the API schema as it was released last.
RELEASED = ROOM / "released.graphql"
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
    return {
        **{ROOM / "subgraphs" / f"{name}.graphql": sdl for name, sdl in sdls.items()},
        ROOM / "supergraph.graphql": supergraph,
        ROOM / "api.graphql": composition.api_sdl or "",
    }


def export(*, check_only: bool, terminal: Terminal) -> bool:
    """Whether every file is current now."""
    current = True
    for file, text in artifacts().items():
        name = file.relative_to(ROOM.parent)
        if file.exists() and file.read_text(encoding="utf-8") == text:
            terminal.say(f"{name} is current")
        elif check_only:
            terminal.fail(f"{name} is not what the code gives", "run `fittracker schema export` and commit it")
            current = False
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, text)
            terminal.say(f"{name} written")
    kept = keeps_promises((ROOM / "api.graphql").read_text(encoding="utf-8"), RELEASED, terminal)
    return current and (kept or not check_only)


def keeps_promises(api_sdl: str, released: Path, terminal: Terminal) -> bool:
    """Whether nothing that clients of the last release may use is broken; says what is."""
    diff = diff_schemas(_read_api(released), build_schema(api_sdl))
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
    write_whole(RELEASED, (ROOM / "api.graphql").read_text(encoding="utf-8"))
    terminal.say(f"{RELEASED.relative_to(ROOM.parent)} written")


def print_changes(old: Path, new: Path, operations: Path | None, terminal: Terminal) -> bool:
    """Whether no client breaks."""
    try:
        recorded = read_operations(operations) if operations is not None else None
    except OperationRecordError as error:
        raise FriendlyError(str(error), "`--operations` takes .graphql files, or lines of JSON") from None
    diff = diff_schemas(_read_api(old), _read_api(new), recorded)
    for change in diff.changes:
        used = f"  used by {', '.join(change.used_by)}" if change.used_by else ""
        terminal.console.print(f"{change.level.value:9}", style=_COLOURS[change.level], end=" ")
        terminal.console.print(f"{change.code}: {change.message}{used}", markup=False)
    if not diff.changes:
        terminal.say("no changes")
    return not diff.breaks_clients()


def lint(files: list[Path] | None, terminal: Terminal) -> bool:
    """Whether nothing was found."""
    from schema.lint import lint_sdl

    clean = True
    for file in files or sorted((ROOM / "subgraphs").glob("*.graphql")):
        try:
            findings = lint_sdl(file.read_text(encoding="utf-8"))
        except GraphQLError as error:
            raise FriendlyError(f"{file} is not GraphQL: {error}") from None
        for finding in findings:
            terminal.console.print(f"{file.name}: {finding}", markup=False)
            clean = False
    return clean


def _read_api(file: Path) -> GraphQLSchema:
    """A supergraph's API schema, or a plain schema as it stands."""
    text = file.read_text(encoding="utf-8")
    if "join__Graph" in text:
        try:
            return read_supergraph(text).api_schema
        except SupergraphError as error:
            raise FriendlyError(f"{file}: {error.message}") from None
    try:
        return build_schema(text)
    except Exception as error:
        raise FriendlyError(f"{file} is not a GraphQL schema: {error}") from None
