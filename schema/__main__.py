"""`python -m schema compose|check|diff|lint|reference|explain`: composition without the platform, for any graph.

`fittracker compose`, `fittracker explain` and `fittracker schema diff|lint` do the same in colour.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from graphql import GraphQLError

from router.errors import SupergraphError
from schema.codes import Level
from schema.sources import SourceError
from schema.verbs import (
    Composing,
    VerbError,
    all_codes,
    change_text,
    code_named,
    diff_files,
    explanation,
    lint_files,
    reference_file,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 fine, 1 something was found, 2 wrong use."""
    options = _parser().parse_args(arguments)
    try:
        return _VERBS[options.verb](options)
    except (SourceError, VerbError, OSError, ValueError, TypeError, GraphQLError, SupergraphError) as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    called = Path(sys.argv[0]).name  # `fittracker-compose` where the wheel of the router is installed
    program = called if called.endswith("compose") else "python -m schema"
    parser = argparse.ArgumentParser(prog=program, description="Federation 2 composition and checks, for any graph.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, meaning in (("compose", "print the supergraph"), ("check", "only say what is wrong")):
        command = verbs.add_parser(verb, help=meaning)
        command.add_argument(
            "sources",
            nargs="+",
            help="NAME.graphql, NAME=FILE, NAME=URL, NAME=URL=FILE, module:schema, NAME=module:schema, supergraph.yaml",
        )
        command.add_argument("--include", action="append", default=[], help="a @tag of a contract variant")
        command.add_argument("--exclude", action="append", default=[], help="a @tag that a contract variant hides")
        command.add_argument("--api", type=Path, help="a file for the schema that clients see")
        command.add_argument("-o", "--output", type=Path)
        command.add_argument("--json", action="store_true", help="errors, hints and supergraph as one JSON object")
    command = verbs.add_parser("diff", help="what changed between two schemas, and whom it breaks")
    command.add_argument("old", type=Path)
    command.add_argument("new", type=Path)
    command.add_argument("--operations", type=Path, help="recorded operations that weigh the changes")
    verbs.add_parser("lint", help="style").add_argument("files", nargs="+", type=Path)
    command = verbs.add_parser("reference", help="print a Markdown reference of a schema's fields, arguments and types")
    command.add_argument("schema", type=Path, help="a supergraph or an API schema")
    command.add_argument("--title", default="API reference")
    verbs.add_parser("explain", help="what a code means").add_argument("code", nargs="?")
    return parser


def _compose(options: argparse.Namespace) -> int:
    is_check = options.verb == "check"
    asked = Composing(
        options.sources,
        None if is_check else options.output,
        None if is_check else options.api,
        tuple(options.include),
        tuple(options.exclude),
    )
    composition = asked.compose()
    for file, text in asked.written(composition):
        file.write_text(text, encoding="utf-8")
    if options.json:
        print(asked.as_json(composition))
    else:
        for finding in (*composition.errors, *composition.hints):
            print(finding.told() if finding.level is Level.ERROR else finding, file=sys.stderr)
        if not is_check and asked.output is None and composition.supergraph_sdl is not None:
            print(composition.supergraph_sdl, end="")
    return int(composition.supergraph_sdl is None)


def _diff(options: argparse.Namespace) -> int:
    diff = diff_files(options.old, options.new, options.operations)
    for change in diff.changes:
        print(f"{change.level.value:9} {change_text(change)}")
    if not diff.changes:
        print("no changes")
    return int(diff.breaks_clients())


def _lint(options: argparse.Namespace) -> int:
    findings = list(lint_files(options.files))
    for finding in findings:
        print(finding)
    return int(bool(findings))


def _reference(options: argparse.Namespace) -> int:
    print(reference_file(options.schema, options.title), end="")
    return 0


def _explain(options: argparse.Namespace) -> int:
    if options.code is None:
        print("\n".join(f"{code.level.value:5}  {code.code}\n       {code.meaning}" for code in all_codes()))
        return 0
    try:
        code = code_named(options.code)
    except VerbError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{code.code} ({code.level.value})\n{explanation(code)}")
    return 0


_VERBS: dict[str, Callable[[argparse.Namespace], int]] = {
    "compose": _compose,
    "check": _compose,
    "diff": _diff,
    "lint": _lint,
    "reference": _reference,
    "explain": _explain,
}

if __name__ == "__main__":
    sys.exit(main())
