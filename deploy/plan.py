"""Prints how the router would answer an operation. Called by `fittracker plan`; the stages before are in `python -m router`."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson

from deploy.errors import FriendlyError


def print_plan(supergraph_file: Path, operation_file: Path, style: str, operation_name: str | None) -> None:
    """`style` is text, json or mermaid. Raises RouterError for a graph or an operation that is refused."""
    from router.operation import normalize, parse_and_validate
    from router.plan_printer import plan_as_json, plan_as_mermaid, plan_as_text
    from router.planner import QueryPlanner
    from router.supergraph import read_supergraph

    text = sys.stdin.read() if operation_file == Path("-") else _read(operation_file)
    supergraph = read_supergraph(_read(supergraph_file))
    document = parse_and_validate(text, supergraph.api_schema)
    operation = normalize(document, operation_name, supergraph.api_schema)
    plan = QueryPlanner(supergraph).plan(operation)
    match style:
        case "json":
            print(orjson.dumps(plan_as_json(plan.node), option=orjson.OPT_INDENT_2).decode())
        case "mermaid":
            print(plan_as_mermaid(plan))
        case _:
            print(plan_as_text(plan))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FriendlyError(f"{file} is not UTF-8 text") from None
