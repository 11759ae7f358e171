"""How composers are timed beside each other, and how their supergraphs are checked."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks.composers import Composed, Composer, ComposerError, _cause, compose_with, known_composers
from benchmarks.composition import check, generate, growth, run
from benchmarks.public_schema import differences, public_schema

FIRST = "type Query { a(at: Int, of: [ID!]!): A @join__field } type A implements N { id: ID! } scalar join__FieldSet"
SECOND = "extend type A { more: E } enum E { X Y } input I { of: Int = 1 } union U = A interface N { id: ID! }"

on_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="reads /proc, and bounds memory with prlimit"
)


def test_a_public_schema_is_what_all_documents_say_of_each_type() -> None:
    assert public_schema(FIRST, SECOND) == {
        "Query": {"a": "(at: Int)(of: [ID!]!)A"},
        "A": {"implements N": "", "id": "ID!", "more": "E"},
        "E": {"X": "", "Y": ""},
        "I": {"of": "Int"},
        "U": {"A": ""},
        "N": {"id": "ID!"},
    }


def test_differences_name_the_type_and_the_member() -> None:
    expected, found = (
        public_schema(FIRST, SECOND),
        public_schema(FIRST, SECOND.replace("X Y", "X"), "type Extra { a: Int }"),
    )
    assert differences(expected, expected) == []
    assert differences(expected, found) == ["Extra is too much", "E differs in Y"]
    assert differences(expected, public_schema(FIRST)) == [
        "E is missing",
        "I is missing",
        "N is missing",
        "U is missing",
        "A differs in more",
    ]


def _files(directory: Path, subgraphs: int) -> tuple[Path, Path]:
    given = directory / "subgraphs.json"
    given.write_text(
        json.dumps([{"name": each.name, "url": each.url, "sdl": each.sdl} for each in generate(subgraphs)])
    )
    return given, directory / "supergraph.graphql"


@on_linux
def test_our_composer_shows_clients_what_the_generated_subgraphs_have(tmp_path: Path) -> None:
    given, supergraph = _files(tmp_path, 3)
    expected = public_schema(*(each.sdl for each in generate(3)))
    taken = compose_with(known_composers()[0], given, supergraph, rounds=2, most_seconds=120)
    assert taken.rounds == 2
    assert taken.first_seconds > 0
    assert taken.peak_memory_mib > 10
    check(supergraph, expected)
    supergraph.write_text(supergraph.read_text().replace("addedBy2: Int", "addedBy2: String", 1))
    with pytest.raises(ComposerError, match="differs in 1 types: S0Entity0 differs in addedBy2"):
        check(supergraph, expected)


@on_linux
@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import time; input(); time.sleep(60)", r"not within 0\.2 s"),
        ("input(); raise SystemExit('no such type')", "ended with 1: no such type"),
    ],
)
def test_a_composer_that_is_late_or_ends_is_told_of(program: str, said: str, tmp_path: Path) -> None:
    composer = Composer("another", "Python", (sys.executable, "-c", program))
    with pytest.raises(ComposerError, match=said):
        compose_with(composer, *_files(tmp_path, 1), rounds=1, most_seconds=0.2 if "sleep" in program else 60)


def test_growth_is_an_exponent_of_the_size() -> None:
    sizes = {size: Composed(seconds, seconds, 1, 1.0) for size, seconds in ((10, 2.0), (50, 99.0), (100, 200.0))}
    assert growth(sizes) == 2.0
    assert growth({10: sizes[10]}) is None


@on_linux
def test_a_composer_that_takes_all_memory_ends(tmp_path: Path) -> None:
    program = "input(); bytearray(2 << 30)"
    composer = Composer("another", "Python", (sys.executable, "-c", program))
    with pytest.raises(ComposerError, match=r"ended with 1: MemoryError"):
        compose_with(composer, *_files(tmp_path, 1), rounds=1, most_seconds=60, most_gib=1)


@on_linux
def test_a_composer_that_cannot_do_a_size_is_not_asked_for_larger_ones() -> None:
    ours = known_composers()[0]
    ending = Composer("another", "Python", (sys.executable, "-c", "input(); raise SystemExit('too large')"))
    options = Namespace(sizes=[2, 1], rounds=1, most_seconds=60, most_gib=4)
    results = run([ours, ending], options)
    assert results.left_out == {"another": "from 1 subgraphs on: ended with 1: too large"}
    assert {name: list(taken) for name, taken in results.composed.items()} == {"ours": [1, 2], "another": []}


def test_of_what_a_composer_says_at_its_end_the_cause_is_told() -> None:
    assert (
        _cause("file:///somewhere/a.js:7\n  walk()\n\nRangeError: too deep\n    at walk (a.js:7)")
        == "RangeError: too deep"
    )
    assert _cause("memory allocation failed\nstack backtrace:") == "memory allocation failed"
    assert _cause("") == "without a word"
