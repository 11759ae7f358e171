"""What a migration must not do while processes of the release before still run over the same database.

Expand first: add what the new code needs, in ways that the old code does not notice. Contract in a later release: take away
what nothing that still runs uses, in a revision that says so with `contracts = "REVISION"`, the one that expanded.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SUBGRAPHS = Path(__file__).parents[2] / "subgraphs"

#: From before the first release that was rolled: no older process could meet what they made.
BEFORE_THE_RULES = frozenset({"nutrition_0002", "analytics_0002"})

#: The last of each subgraph that was written before indexes had to be built beside writers; they stay as they were applied.
LAST_WITH_BLOCKING_INDEXES = {"users": 25, "nutrition": 18, "workouts": 23, "analytics": 12}

#: Each kind of statement, and what to do in its place while old code runs.
BREAKING = (
    (r"\bDROP\s+(TABLE|COLUMN|TYPE|VIEW|FUNCTION)\b", "old code still uses it: drop it in a later release"),
    (r"\bRENAME\s+(TO|COLUMN|CONSTRAINT)\b", "old code knows the old name: add the new one and write both"),
    (r"\bALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE\b", "old code writes the old type: add a column of the new one"),
    (r"\bSET\s+NOT\s+NULL\b", "old code leaves it out: fill and check it, and set it in a later release"),
    (r"\bDROP\s+DEFAULT\b", "old code leaves the column out and relies on the default"),
    (r"\bADD\s+COLUMN\b(?![^,;]*\bDEFAULT\b)[^,;]*\bNOT\s+NULL\b", "old code leaves it out: give it a default"),
    (r"\bADD\s+CONSTRAINT\b(?![^;]*\bNOT\s+VALID\b)", "old rows and old code may break it: add it NOT VALID"),
)
BREAKING_CALLS = frozenset({"drop_table", "drop_column", "alter_column", "rename_table", "create_check_constraint"})


@dataclass(frozen=True)
class Revision:
    """One migration file: its name, its predecessor's, the one it says that it contracts, and its SQL."""

    name: str
    down: str | None
    contracts: str | None
    statements: tuple[str, ...]
    calls: frozenset[str]


def revisions(line: str) -> list[Revision]:
    """Those of a subgraph, or `events`, which every subgraph's database runs too; in order of their files."""
    folder = SUBGRAPHS / ("shell/migrations/events" if line == "events" else f"{line}/migrations/versions")
    files = sorted(folder.glob("*.py"))
    return [read_revision(file.read_text(encoding="utf-8")) for file in files]


def read_revision(source: str) -> Revision:
    """From the module's text: it is not run, for some read the rows of a real database."""
    tree = ast.parse(source)
    named = {
        target.id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    forward = [node for node in tree.body if not (isinstance(node, ast.FunctionDef) and node.name == "downgrade")]
    nodes = [each for node in forward[1:] for each in ast.walk(node)]  # the first is the docstring
    return Revision(
        named["revision"],
        named["down_revision"],
        named.get("contracts"),
        tuple(each.value for each in nodes if isinstance(each, ast.Constant) and isinstance(each.value, str)),
        frozenset(
            each.func.attr if isinstance(each.func, ast.Attribute) else each.func.id
            for each in nodes
            if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute | ast.Name)
        ),
    )


def complaints(revision: Revision, earlier: frozenset[str]) -> Iterator[str]:
    """What of it a process of the release before would trip over or wait for; `earlier` are the revisions that came before."""
    if revision.down is None or revision.name in BEFORE_THE_RULES:
        return
    yield from _indexes_that_stop_writers(revision)
    if "build_index" in revision.calls and "execute" in revision.calls:
        yield f"{revision.name}: build_index commits what stands before it: give it a revision of its own"
    if revision.contracts is not None:
        if revision.contracts not in earlier:
            yield f"{revision.name} contracts {revision.contracts!r}, which is no earlier revision"
        return
    for call in sorted(revision.calls & BREAKING_CALLS):
        yield f"{revision.name}: op.{call}: write the SQL, so that it can be judged"
    made_here = _tables_made_in(revision)
    for statement in revision.statements:
        altered = re.search(r"ALTER\s+TABLE\s+(?:ONLY\s+)?(\w+)", statement, re.IGNORECASE)
        if altered is not None and altered[1] in made_here:
            continue
        for pattern, advice in BREAKING:
            if re.search(pattern, statement, re.IGNORECASE):
                yield f"{revision.name}: {' '.join(statement.split())[:120]}: {advice}"


def _indexes_that_stop_writers(revision: Revision) -> Iterator[str]:
    """Until an index on a table with rows is built, whoever writes to the table waits."""
    numbered = re.match(r"([a-z]+)_(\d+)", revision.name)
    assert numbered is not None, revision.name
    if int(numbered[2]) <= LAST_WITH_BLOCKING_INDEXES.get(numbered[1], 0):
        return
    made_here = _tables_made_in(revision)
    for statement in revision.statements:
        found = re.search(
            r"\bCREATE\s+(?:UNIQUE\s+)?INDEX\b(?:.*?\bON\s+(?:ONLY\s+)?(\w+))?", statement, re.IGNORECASE | re.DOTALL
        )
        if found is not None and found[1] not in made_here:
            yield f"{revision.name}: {' '.join(statement.split())[:120]}: writers wait for it: build it with migration_locks.build_index"


def _tables_made_in(revision: Revision) -> set[str]:
    return set(re.findall(r"CREATE\s+TABLE\s+(\w+)", " ".join(revision.statements), re.IGNORECASE))
