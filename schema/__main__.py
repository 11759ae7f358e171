"""`python -m schema compose|check|diff|lint|explain`: composition without the platform, for any graph.

The `fittracker` command offers the same with sources that are URLs, Strawberry schemas and a supergraph.yaml.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson
from graphql import GraphQLError, GraphQLSchema, build_schema

from router.errors import SupergraphError
from router.supergraph import read_supergraph
from schema.changes import diff_schemas, read_operations
from schema.codes import CODES
from schema.compose import compose
from schema.contract import contract_of
from schema.lint import lint_sdl
from schema.subgraph import SubgraphSource


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 fine, 1 something was found, 2 wrong use."""
    parser = argparse.ArgumentParser(prog="python -m schema", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, meaning in (("compose", "print the supergraph"), ("check", "only say what is wrong")):
        command = verbs.add_parser(verb, help=meaning)
        command.add_argument("files", nargs="+", help="NAME.graphql, or NAME=URL=FILE for a subgraph's address")
        command.add_argument("--include", action="append", default=[], help="a @tag of a contract variant")
        command.add_argument("--exclude", action="append", default=[], help="a @tag that a contract variant hides")
        command.add_argument("--api", action="store_true", help="print the API schema instead")
        command.add_argument("-o", "--output", type=Path)
        command.add_argument("--json", action="store_true", help="findings as JSON, with subgraph, line and column")
    command = verbs.add_parser("diff", help="what changed between two schemas, and whom it breaks")
    command.add_argument("old", type=Path)
    command.add_argument("new", type=Path)
    command.add_argument("--operations", type=Path, help="recorded operations that weigh the changes")
    verbs.add_parser("lint", help="style").add_argument("files", nargs="+", type=Path)
    verbs.add_parser("explain", help="what a code means").add_argument("code", nargs="?")
    options = parser.parse_args(arguments)
    try:
        return {"compose": _compose, "check": _compose, "diff": _diff, "lint": _lint, "explain": _explain}[
            options.verb
        ](options)
    except (OSError, ValueError, TypeError, GraphQLError, SupergraphError) as error:
        print(error, file=sys.stderr)
        return 2


def _compose(options: argparse.Namespace) -> int:
    composition = compose([_source(text) for text in options.files])
    if options.include or options.exclude:
        composition = contract_of(composition, include=options.include, exclude=options.exclude)
    findings = (*composition.errors, *composition.hints)
    if options.json:
        told = orjson.dumps([finding.as_json() for finding in findings], option=orjson.OPT_INDENT_2)
        print(told.decode(), file=sys.stderr)
    else:
        for finding in findings:
            print(finding, file=sys.stderr)
    if composition.supergraph_sdl is None:
        return 1
    text = (composition.api_sdl if options.api else composition.supergraph_sdl) or ""
    if options.verb == "compose" and options.output is not None:
        options.output.write_text(text, encoding="utf-8")
    elif options.verb == "compose":
        print(text, end="")
    return 0


def _source(text: str) -> SubgraphSource:
    name, url, file = text.split("=", 2) if text.count("=") >= 2 else (Path(text).stem, "", text)
    return SubgraphSource(name, Path(file).read_text(encoding="utf-8"), url)


def _diff(options: argparse.Namespace) -> int:
    recorded = read_operations(options.operations) if options.operations else None
    diff = diff_schemas(_api_of(options.old), _api_of(options.new), recorded)
    for change in diff.changes:
        used = f" (used by {', '.join(change.used_by)})" if change.used_by else ""
        print(f"{change.level.value}: {change.message}{used}")
    return int(diff.breaks_clients())


def _api_of(file: Path) -> GraphQLSchema:
    text = file.read_text(encoding="utf-8")
    return read_supergraph(text).api_schema if "join__Graph" in text else build_schema(text)


def _lint(options: argparse.Namespace) -> int:
    findings = [(file, finding) for file in options.files for finding in lint_sdl(file.read_text(encoding="utf-8"))]
    for file, finding in findings:
        print(f"{file}:{finding}")
    return int(bool(findings))


def _explain(options: argparse.Namespace) -> int:
    if options.code is None:
        print("\n".join(f"{code.level.value:5} {code.code}" for code in CODES.values()))
        return 0
    code = CODES.get(options.code.upper())
    if code is None:
        print(f"no error or hint is called {options.code}", file=sys.stderr)
        return 1
    print(f"{code.code} ({code.level.value})\n{code.meaning}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
