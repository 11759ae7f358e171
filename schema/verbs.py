"""What the command lines do: `python -m schema` and `fittracker compose|explain|schema diff|schema lint` print it.

Nothing here prints: one has a terminal with colours, the other none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
from graphql import GraphQLError, GraphQLSchema, build_schema

from router.errors import SupergraphError
from router.supergraph import read_supergraph
from schema.changes import Change, OperationRecordError, RecordedOperation, SchemaDiff, diff_schemas, read_operations
from schema.codes import CODES, Code, Level
from schema.compose import Composition, compose
from schema.contract import contract_of
from schema.examples import example_of
from schema.lint import lint_sdl
from schema.reference import reference_of
from schema.sources import declared_sources
from schema.subgraph import SubgraphSource


class VerbError(Exception):
    """A file or a word that a verb cannot work with; `hint` says what may help."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Composing:
    """What `compose` is asked for: the tags are of a contract variant, the files take what it gives."""

    sources: list[str]
    output: Path | None = None
    api: Path | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def compose(self) -> Composition:
        """Writes nothing. Raises SourceError, and VerbError where a source would be written over."""
        declared = declared_sources(self.sources)
        files = {source.file.resolve() for source in declared if source.file is not None}
        for target in (self.output, self.api):
            if target is not None and target.resolve() in files:
                raise VerbError(f"{target} is one of the sources", "name another file to write to")
        composition = compose([source.read() for source in declared])
        if self.include or self.exclude:
            composition = contract_of(composition, include=self.include, exclude=self.exclude)
        return composition

    def written(self, composition: Composition) -> Iterator[tuple[Path, str]]:
        """The files that were asked for, where everything composes."""
        for file, text in ((self.output, composition.supergraph_sdl), (self.api, composition.api_sdl)):
            if file is not None and text is not None:
                yield file, text

    def as_json(self, composition: Composition) -> str:
        """`{"errors": [...], "hints": [...], "supergraph": SDL}`; a finding has level, code, message, subgraphs,
        coordinates and locations (`{"subgraph", "line", "column"}`). `supergraph` is null where there are errors, and
        where `output` takes it.
        """
        told = {
            "errors": [error.as_json() for error in composition.errors],
            "hints": [hint.as_json() for hint in composition.hints],
            "supergraph": composition.supergraph_sdl if self.output is None else None,
        }
        return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode()


def diff_files(old: Path, new: Path, operations: Path | None) -> SchemaDiff:
    """Raises VerbError, OSError."""
    recorded = recorded_operations(operations) if operations is not None else None
    return diff_schemas(read_api(old), read_api(new), recorded)


def recorded_operations(path: Path) -> list[RecordedOperation]:
    """What `--operations` names. Raises VerbError, OSError."""
    try:
        return read_operations(path)
    except OperationRecordError as error:
        raise VerbError(str(error), "`--operations` takes .graphql files, or lines of JSON") from None


def change_text(change: Change) -> str:
    used = f"  used by {', '.join(change.used_by)}" if change.used_by else ""
    return f"{change.code}: {change.message}{used}"


def lint_files(files: Iterable[Path]) -> Iterator[str]:
    """Findings, each with its file. Raises VerbError for a file that is no SDL, OSError."""
    for file in files:
        try:
            findings = lint_sdl(file.read_text(encoding="utf-8"))
        except GraphQLError as error:
            raise VerbError(f"{file} is not GraphQL: {error}") from None
        yield from (f"{file.name}: {finding}" for finding in findings)


def reference_file(file: Path, title: str) -> str:
    """A Markdown reference of a supergraph's API, or of a plain schema. Raises VerbError, OSError."""
    return reference_of(read_api(file), title)


def all_codes() -> list[Code]:
    """Errors before hints, by name."""
    return sorted(CODES.values(), key=lambda each: (each.level is Level.HINT, each.code))


def code_named(name: str) -> Code:
    """Raises VerbError for a code nobody gives."""
    known = CODES.get(name.upper())
    if known is None:
        raise VerbError(f"no error or hint is called {name}", "`explain` without a code lists them")
    return known


def explanation(code: Code) -> str:
    """What it means, and the smallest subgraphs that give it with all that is then told: the way out stands in that."""
    sources = [SubgraphSource(name, sdl) for name, sdl in example_of(code.code).items()]
    composition = compose(sources)
    told = [each.told() for each in (*composition.errors, *composition.hints) if each.code == code.code]
    written = [f"# {source.name}.graphql\n{source.sdl}" for source in sources]
    return "\n".join([f"{code.meaning}\n\nFor example,\n", *written, "gives\n", *told])


def read_api(file: Path) -> GraphQLSchema:
    """A supergraph's API schema, or a plain schema as it stands. Raises VerbError, OSError."""
    text = file.read_text(encoding="utf-8")
    if "join__Graph" in text:
        try:
            return read_supergraph(text).api_schema
        except SupergraphError as error:
            raise VerbError(f"{file}: {error.message}") from None
    try:
        return build_schema(text)
    except Exception as error:
        raise VerbError(f"{file} is not a GraphQL schema: {error}") from None
