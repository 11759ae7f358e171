"""For whom the product's answers may be cached."""

from __future__ import annotations

from pathlib import Path

from graphql import DirectiveNode, Visitor, parse, print_ast, visit

SUBGRAPHS = Path(__file__).parents[3] / "schema" / "fittracker" / "subgraphs"


class _Hints(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        if node.name.value == "cacheControl":
            self.found.append(print_ast(node))


def test_nothing_is_cached_for_all_since_what_a_person_made_is_found_by_the_same_keys() -> None:
    hints = _Hints()
    for file in SUBGRAPHS.glob("*.graphql"):
        visit(parse(file.read_text(encoding="utf-8")), hints)
    assert len(hints.found) > 10
    assert [hint for hint in hints.found if "scope: PRIVATE" not in hint] == []
