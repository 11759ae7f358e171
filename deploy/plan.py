"""Prints how the router would answer an operation, at any stage of planning. Called by `fittracker plan`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from difflib import unified_diff
from pathlib import Path
from typing import Any

from deploy.errors import FriendlyError
from schema.codes import Location


def print_stage(
    stage: str,
    supergraph_file: Path,
    operation_file: Path,
    *,
    style: str,
    operation_name: str | None,
    labels: list[str],
) -> None:
    """Raises FriendlyError for an operation that is refused, with its places, and for a file that is no text;
    RouterError for a graph that is refused.
    """
    from router.errors import RequestError
    from router.stages import PlanStyle, Stage, StageQuestion, show

    wanted = Stage(stage)
    text = ""
    if wanted.needs_operation:
        text = sys.stdin.read() if operation_file == Path("-") else _read(operation_file)
    question = StageQuestion(_read(supergraph_file), text, operation_name, tuple(labels), PlanStyle(style))
    try:
        print(show(wanted, question))
    except RequestError as error:
        name = "-" if operation_file == Path("-") else operation_file.name
        raise FriendlyError(with_places(error.entries(), name, text)) from None


def with_places(entries: Iterable[Mapping[str, Any]], name: str, text: str) -> str:
    """The messages of a response's `errors`, below each the lines of the operation that it is about, with a caret. `name` is
    what the operation's text is called.
    """
    lines = text.splitlines()
    told = []
    for entry in entries:
        told.append(entry["message"])
        for place in entry.get("locations", ()):
            line = (
                lines[place["line"] - 1] if place["line"] <= len(lines) else ""
            )  # behind the last: the text broke off
            told.append(Location(name, place["line"], place["column"], line).excerpt())
    return "\n".join(told)


def print_plan_changes(old: Path, new: Path, operations: Path, labels: list[str]) -> bool:
    """The recorded operations whose plans differ between two supergraphs, each with the difference; whether the new one
    still plans all that the old one did. Raises SupergraphError, and VerbError or FriendlyError for files that cannot be read.
    """
    from graphql import print_ast

    from router.stages import plans_of
    from schema.verbs import recorded_operations

    recorded = recorded_operations(operations)
    asked = {print_ast(each.document): each.name for each in recorded}  # an operation may be recorded often
    texts = [(text, None) for text in asked]
    before, after = (list(plans_of(_read(file), texts, tuple(labels))) for file in (old, new))
    changed = lost = 0
    for text, was, now in zip(asked, before, after, strict=True):
        if was == now:
            continue
        changed += 1
        lost += now.startswith("refused: ") and not was.startswith("refused: ")
        lines = unified_diff(was.splitlines(), now.splitlines(), str(old), str(new), lineterm="", n=2)
        print(f"{asked[text]}: {was.count('Fetch(')} fetches before, {now.count('Fetch(')} after", *lines, "", sep="\n")
    print(f"{len(asked)} operations, {changed} planned differently, {lost} no longer possible")
    return lost == 0


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FriendlyError(f"{file} is not UTF-8 text") from None
