"""A module's docstring that names who calls it names one that does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("router", "schema", "subgraphs", "loaders", "events", "deploy", "tests/testkit", "benchmarks")

_NAMES = r"`[A-Za-z_.]+`(?:(?:,| and|, and) `[A-Za-z_.]+`)*"
#: "Called by `choose` and `alike`", "`server.app` runs it".
CLAIM = re.compile(
    rf"(?:\b(?i:called|used|made|asked|filled|spent|run|read|served|opened) by ({_NAMES}))"
    rf"|(?:({_NAMES}) (?:calls?|uses?|asks?|runs?|makes?|serves?|has|have|puts?|reads?) it\b)"
)


def files() -> dict[Path, str]:
    return {file: file.read_text(encoding="utf-8") for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))}


FILES = files()


def name_of(file: Path) -> str:
    return file.parent.name if file.stem == "__init__" else file.stem


def claims() -> Iterator[tuple[Path, str]]:
    """Each module with each name that its docstring calls a caller."""
    for file, text in FILES.items():
        docstring = (ast.get_docstring(ast.parse(text)) or "").replace("\n", " ")
        for by, who in CLAIM.findall(docstring):
            yield from ((file, name) for name in re.findall(r"`([A-Za-z_.]+)`", by or who))


CLASSES = {owner: file for file, text in FILES.items() for owner in re.findall(r"^class (\w+)", text, re.MULTILINE)}


def named(name: str) -> list[Path]:
    """The modules that the name may mean: `server.app`, `pipeline.prepare`, or where the class of `LoadedGraph.compile` is."""
    parts = name.split(".")
    modules = [file for file in FILES if name_of(file) in parts or file.parent.name == parts[-1]]
    return [*modules, CLASSES[parts[0]]] if parts[0] in CLASSES else modules


def mentions(caller: Path, module: Path) -> bool:
    """Whether the code of `caller` has the module's name, or one that the module defines."""
    code = FILES[caller].split('"""', 2)[-1]
    defined = re.findall(r"^(?:class|def|async def) ([A-Za-z]\w*)", FILES[module], re.MULTILINE)
    return any(re.search(rf"\b{name}\b", code) for name in (name_of(module), *defined))


CLAIMS = list(claims())


def test_claims_are_found() -> None:
    found = {(str(file.relative_to(ROOT)), name) for file, name in CLAIMS}
    assert ("router/planner/expand.py", "choose") in found
    assert ("router/transport/retries.py", "shared_requests") in found


def test_whoever_is_named_as_a_caller_is_one() -> None:
    wrong = [
        f"{module.relative_to(ROOT)}: `{name}` does not"
        for module, name in CLAIMS
        if not any(mentions(caller, module) for caller in named(name) if caller != module)
    ]
    assert wrong == []
