"""`python -m router VERB SUPERGRAPH [OPERATION]`: prints what each stage makes of an operation.

When a plan or an answer is wrong, go through the stages in order; the first wrong one is the place to look.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
from graphql import print_schema

from router.errors import RouterError
from router.operation import Operation, normalize, parse_and_validate
from router.plan_printer import plan_as_json, plan_as_mermaid, plan_as_text
from router.planner import QueryPlanner
from router.query_graph import QueryGraph
from router.supergraph import Supergraph, print_field_set, read_supergraph


def main(arguments: list[str] | None = None) -> int:
    """Exit status 1 when the supergraph or the operation is refused; the reason goes to standard error."""
    options = _parser().parse_args(arguments)
    try:
        supergraph = read_supergraph(options.supergraph.read_text())
        print(_VERBS[options.verb](supergraph, options))
    except (RouterError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        if detail := getattr(error, "detail", ""):
            print(detail, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m router", description=__doc__)
    parser.add_argument("verb", choices=sorted(_VERBS))
    parser.add_argument("supergraph", type=Path)
    parser.add_argument("operation", type=Path, nargs="?", help="a file; standard input where it is left out")
    parser.add_argument("--operation-name")
    parser.add_argument("--label", action="append", default=[], help="an active label of a progressive @override")
    return parser


def _operation(supergraph: Supergraph, options: argparse.Namespace) -> Operation:
    text = options.operation.read_text() if options.operation else sys.stdin.read()
    document = parse_and_validate(text, supergraph.api_schema)
    return normalize(document, options.operation_name, supergraph.api_schema)


def _api_schema(supergraph: Supergraph, _: argparse.Namespace) -> str:
    return print_schema(supergraph.api_schema)


def _graph(supergraph: Supergraph, options: argparse.Namespace) -> str:
    """Every (type, subgraph) node with the fields it resolves and the keys that lead to it."""
    graph = QueryGraph(supergraph, options.label)
    lines = []
    for subgraph, view in supergraph.views.items():
        for name, view_type in sorted(view.items()):
            fields = [field for field in view_type.fields if graph.field(subgraph, name, field) is not None]
            lines.append(f"{name}/{subgraph}: {' '.join(fields)}")
            lines += [f'  key "{key.text}"{"" if key.resolvable else " (not resolvable)"}' for key in view_type.keys]
    return "\n".join(lines)


def _normalize(supergraph: Supergraph, options: argparse.Namespace) -> str:
    operation = _operation(supergraph, options)
    return f"{operation.operation_type} {{ {print_field_set(operation.selections)} }}"


def _plan(style: str) -> Callable[[Supergraph, argparse.Namespace], str]:
    def verb(supergraph: Supergraph, options: argparse.Namespace) -> str:
        plan = QueryPlanner(supergraph).plan(_operation(supergraph, options), options.label)
        if style == "json":
            return orjson.dumps(plan_as_json(plan.node), option=orjson.OPT_INDENT_2).decode()
        return plan_as_mermaid(plan) if style == "mermaid" else plan_as_text(plan)

    return verb


_VERBS: dict[str, Callable[[Supergraph, argparse.Namespace], str]] = {
    "api-schema": _api_schema,
    "graph": _graph,
    "normalize": _normalize,
    "plan": _plan("text"),
    "plan-json": _plan("json"),
    "plan-mermaid": _plan("mermaid"),
}


if __name__ == "__main__":
    sys.exit(main())
