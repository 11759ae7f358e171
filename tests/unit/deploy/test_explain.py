"""`fittracker explain` knows every code that the sources of router and subgraphs give, and the page of codes is current."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.answer_codes import ANSWER_CODES
from deploy.explain import explain_code, page_of_codes
from deploy.terminal import Terminal
from router.access.caller import Refusal
from schema.verbs import VerbError
from subgraphs.shell.errors import NobodyReason

ROOT = Path(__file__).parents[3]
CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|CONFLICT|FORBIDDEN|UNAVAILABLE|UNAUTHENTICATED")
#: Functions that are given a code beside those whose names end with Error.
TAKE_CODES = {"bad_request", "method_not_allowed", "_refused"}


def codes_in(text: str) -> set[str]:
    """Codes that a module gives: class attributes named `code`, entries "code" of dicts, arguments of errors."""
    return {code for node in ast.walk(ast.parse(text)) for given in _given(node) for code in _codes(given)}


def _given(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
        if any(isinstance(target, ast.Name) and target.id == "code" for target in targets):
            yield node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "code":
                yield value
    elif isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name == "LimitExceededError" and isinstance(node.args[0], ast.Constant):
            yield ast.Constant(f"{node.args[0].value}_LIMIT_EXCEEDED")
        elif name.endswith("Error") or name in TAKE_CODES:
            yield from node.args


def _codes(given: ast.AST) -> Iterator[str]:
    for node in ast.walk(given):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
            yield node.value


@pytest.mark.parametrize("room", ["router", "subgraphs"])
def test_every_code_in_the_sources_is_explained(room: str) -> None:
    given = {code for file in (ROOT / room).rglob("*.py") for code in codes_in(file.read_text(encoding="utf-8"))}
    assert len(given) > 10
    assert given - ANSWER_CODES.keys() == set(), "explain them in deploy/answer_codes.py, then write the page anew"


def test_no_code_is_explained_that_nobody_gives() -> None:
    files = [file for room in ("router", "subgraphs") for file in (ROOT / room).rglob("*.py")]
    given = {code for file in files for code in codes_in(file.read_text(encoding="utf-8"))}
    assert ANSWER_CODES.keys() - given == set()


def test_every_reason_for_being_nobody_is_explained() -> None:
    assert set(ANSWER_CODES["UNAUTHENTICATED"].reasons) == {*map(str, Refusal), *map(str, NobodyReason)}


def test_the_page_of_codes_is_current() -> None:
    page = ROOT / "deploy" / "docs" / "error-codes.md"
    assert page.read_text(encoding="utf-8") == page_of_codes(), "write it: fittracker explain --markdown > " + page.name


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("unauthenticate", "UNAUTHENTICATED"), ("SATISFIABILTY_ERROR", "SATISFIABILITY_ERROR"), ("zzz", None)],
)
def test_a_mistyped_code_is_answered_with_the_one_that_reads_alike(typed: str, meant: str | None) -> None:
    with pytest.raises(VerbError) as raised:
        explain_code(typed, Terminal())
    hint = raised.value.hint or ""
    assert hint.startswith(f"did you mean {meant}? `explain` lists" if meant else "`explain` lists")
