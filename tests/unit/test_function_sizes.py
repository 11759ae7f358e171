"""No function of a room is so long, or branches so often, that a reader loses it; exceptions are named with their reason.
Nor is anything made of so many values without their names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("router", "schema", "subgraphs", "loaders", "events", "deploy")

MAX_LINES = 60
MAX_COMPLEXITY = 15
#: Of what is made, so many values by position: of more, a reader cannot tell which is which.
MAX_BY_POSITION = 6

#: By file and function: why it is easier to read as one than in parts.
LONGER: dict[tuple[str, str], str] = {}
COMPLEX: dict[tuple[str, str], str] = {}

#: What adds a way through a function, as radon counts it.
BRANCHES = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Assert, ast.match_case)


@dataclass(frozen=True, slots=True)
class Function:
    file: str
    name: str
    lines: int
    complexity: int

    @property
    def key(self) -> tuple[str, str]:
        return (self.file, self.name)


def complexity(node: ast.AST) -> int:
    """McCabe's number; `and`, `or` and comprehensions count too, as they branch."""
    count = 1
    for each in ast.walk(node):
        if isinstance(each, BRANCHES):
            count += 1
        elif isinstance(each, ast.BoolOp):
            count += len(each.values) - 1
        elif isinstance(each, ast.comprehension):
            count += 1 + len(each.ifs)
    return count


def functions() -> Iterator[Function]:
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    lines = (node.end_lineno or node.lineno) - node.lineno + 1
                    yield Function(str(file.relative_to(ROOT)), node.name, lines, complexity(node))


FUNCTIONS = list(functions())


def test_complexity_counts_every_way_to_branch() -> None:
    source = "def f(x):\n  if x and y or z: return [a for a in x if a]\n  return 1 if x else 2"
    assert complexity(ast.parse(source)) == 1 + 1 + 2 + 2 + 1


def test_no_function_is_longer_than_a_screen() -> None:
    assert [each for each in FUNCTIONS if each.lines > MAX_LINES and each.key not in LONGER] == []


def test_no_function_branches_more_often_than_can_be_kept_in_mind() -> None:
    assert [each for each in FUNCTIONS if each.complexity > MAX_COMPLEXITY and each.key not in COMPLEX] == []


def test_exceptions_are_only_of_functions_that_need_them() -> None:
    known = {each.key: each for each in FUNCTIONS}
    assert [key for key in LONGER if key not in known or known[key].lines <= MAX_LINES] == []
    assert [key for key in COMPLEX if key not in known or known[key].complexity <= MAX_COMPLEXITY] == []


def test_what_is_made_of_many_values_names_them() -> None:
    made = [
        (str(file.relative_to(ROOT)), node.lineno, ast.unparse(node.func))
        for room in ROOMS
        for file in sorted((ROOT / room).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and len(node.args) > MAX_BY_POSITION
    ]
    assert [each for each in made if re.fullmatch(r"(\w+\.)*_?[A-Z]\w*", each[2])] == []
