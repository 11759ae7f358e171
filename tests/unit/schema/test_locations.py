"""Every finding says where it is: subgraph, line and column."""

import re

import pytest

from schema import SubgraphSource, compose
from tests.unit.schema import test_hints, test_merge_errors, test_subgraph_errors

CASES = [*test_subgraph_errors.CASES, *test_merge_errors.CASES, *test_hints.CASES]
#: These are about no place in a text.
NOWHERE = {"INVALID_SUBGRAPH_NAME", "NO_QUERIES"}


@pytest.mark.parametrize(("code", "subgraphs"), [case[:2] for case in CASES], ids=[case[0] for case in CASES])
def test_a_finding_points_at_a_definition_or_a_directive(code: str, subgraphs: dict[str, str]) -> None:
    composition = compose([SubgraphSource(name, sdl) for name, sdl in subgraphs.items()])

    for finding in (*composition.errors, *composition.hints):
        assert finding.locations or finding.code in NOWHERE, finding
        for location in finding.locations:
            line = subgraphs[location.subgraph].splitlines()[location.line - 1]
            token = line[location.column - 1 :]
            names = {name for coordinate in finding.coordinates for name in re.findall(r"\w+", coordinate)}
            words = re.findall(r"\w+", token)
            is_whole_subgraph = words[0] in {"schema", "extend"}
            assert token[0] == "@" or is_whole_subgraph or not names or names & set(words[:3]), (finding, token)


def test_the_place_is_the_same_however_the_text_is_laid_out() -> None:
    first = "type Query {\n  a: Int\n\n  b(\n    x: Int = 1\n  ): Int\n}"
    second = "extend type Query {\n  b(x: Int = 2): Int\n}"

    composition = compose([SubgraphSource("first", first), SubgraphSource("second", second)])

    assert [str(error) for error in composition.errors] == [
        (
            '[FIELD_ARGUMENT_DEFAULT_MISMATCH] first:5:5, second:2:5: Argument "Query.b(x:)" has different default '
            'values: 1 in subgraph "first", 2 in subgraph "second". Use one.'
        )
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_definition_begins_behind_its_description_and_what_is_said_of_it(end: str) -> None:
    lines = ["type Query { a: A b: Int }", '"of it"', "# and", "#more", "  type A", "# the end"]

    (error,) = compose([SubgraphSource("a", end.join(lines))]).errors

    assert [(str(each), each.source) for each in error.locations] == [("a:5:3", "  type A")]


def test_a_syntax_error_has_its_place() -> None:
    composition = compose([SubgraphSource("a", "type Query {\n  a Int\n}")])

    assert [str(error) for error in composition.errors] == [
        "[INVALID_GRAPHQL] a:2:5: [a] Syntax Error: Expected ':', found Name 'Int'."
    ]


def test_a_renamed_root_is_found_under_its_own_name() -> None:
    schema = "schema { query: Q }\ntype Q { a: Int }"

    composition = compose([SubgraphSource("a", schema), SubgraphSource("b", "type Query { a: String }")])

    assert [str(location) for location in composition.errors[0].locations] == ["a:2:10", "b:1:14"]


def test_what_cannot_be_reached_points_at_who_has_it_and_who_lacks_it() -> None:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@shareable"])\n'
    first = SubgraphSource("a", link + "type Query { t: T }\ntype T @shareable { id: ID }")
    second = SubgraphSource("b", link + "type T @shareable {\n  id: ID\n  n: Int\n}")

    (error,) = compose([first, second]).errors

    assert [str(location) for location in error.locations] == ["b:4:3", "a:3:1"]


def test_people_see_the_line_with_a_caret_under_the_place() -> None:
    composition = compose([SubgraphSource("a", 'type Query {\n\tt: T\n}\ntype T @key(fields: "id x") { id: ID! }\n')])

    told = composition.errors[0].told().split("\n")
    assert told[0].startswith("[KEY_INVALID_FIELDS] a:4:8: ")
    assert told[1:] == ['  a:4 | type T @key(fields: "id x") { id: ID! }', "      |        ^"]


def test_a_syntax_error_is_shown_where_it_is_behind_a_tab_too() -> None:
    composition = compose([SubgraphSource("a", "type Query {\n\ta: Int @@\n}")])

    assert composition.errors[0].told().split("\n")[1:] == ["  a:2 | \ta: Int @@", "      | \t        ^"]


def test_of_a_long_line_the_part_around_the_place_is_shown() -> None:
    fields = " ".join(f"f{number}: Int" for number in range(200))
    composition = compose([SubgraphSource("a", f"type Query {{ {fields} x: Missing }}")])

    line, caret = composition.errors[0].told().split("\n")[1:]
    assert len(line) < 140
    assert line[caret.index("^") :].startswith("Missing")


def test_machines_are_told_places_without_the_text() -> None:
    composition = compose([SubgraphSource("a", "type Query { x: Missing }")])

    assert composition.errors[0].as_json()["locations"] == [{"subgraph": "a", "line": 1, "column": 17}]
