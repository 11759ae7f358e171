"""A text's form: what it leaves out, and that a form which can be run speaks for its text whatever that is made of."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from graphql import (
    FieldNode,
    FloatValueNode,
    GraphQLError,
    IntValueNode,
    NameNode,
    StringValueNode,
    ValueNode,
    Visitor,
    parse,
    parse_value,
    print_ast,
    visit,
)

from router.operation.text_form import TextForm, form_of

MAX_TOKENS = 1_000
TEXTS = [
    "{ a: me { b: id } }",
    'query Q($x: Int = 1, $y: P = {a: 1}) { a: f(x: $x, p: {a: 2, b: "c: d"}) @include(if: true) { ...F on: id } } fragment F on T { on: id }',
    "{ b0: f(x: 1.5e-3, y: [-1, 2]) { ... on T { x: y, z } ... @skip(if: false) { q: y } } }",
    'mutation { a: do(s: "\\u0041 \\"quoted\\": #") { id } } # said: so',
]


def names_and_text(text: str) -> tuple[str, dict[str, str]] | None:
    form = form_of(text, MAX_TOKENS, with_literals=True)
    return None if form is None else (form.text, dict(form.names))


def literals_and_text(text: str) -> tuple[str, dict[object, str]] | None:
    form = form_of(text, MAX_TOKENS)
    return None if form is None else (form.text, dict(form.literals))


def test_aliases_and_layout_are_left_out() -> None:
    one = names_and_text("{ a: me { b: id, a: name } }")
    other = names_and_text("\ufeff{x:me{y:id\n\r x:name}} # a comment: {")
    assert one == ("{ _0 : me { _1 : id _0 : name } }", {"_0": "a", "_1": "b"})
    assert other == (one[0], {"_0": "x", "_1": "y"})


def test_a_text_that_is_its_own_form_has_no_names() -> None:
    assert names_and_text("{ _0: me { id } }") == ("{ _0 : me { id } }", {})
    assert names_and_text("{ me { id } } # 1") == ("{ me { id } }", {})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{ a: me { id } b: me { id } }", "{ a: me { id } a: me { id } }"),
        ("{ a: me { id } }", "{ a: me { name } }"),
        ("{ a: me(x: 1) { id } }", "{ a: me(x: 2) { id } }"),
        ('{ a: me(x: "b c") { id } }', '{ a: me(x: "b  c") { id } }'),
        ("query A { a: me { id } }", "query B { a: me { id } }"),
        ("{ a: me { id } }", "{ me { id } }"),
    ],
)
def test_everything_else_is_kept_apart(one: str, other: str) -> None:
    assert names_and_text(one)[0] != names_and_text(other)[0]  # type: ignore[index]


def test_literals_of_arguments_are_left_out_and_equal_ones_are_told_from_different_ones() -> None:
    text = "{{ a(x: {}, y: {}, z: [{}]) {{ id @d(s: {}) }} }}"
    form = '{ a ( x : 1467123000 y : 1467123001 z : [ 1467123000 ] ) { id @ d ( s : "1467123 2" ) } }'
    for one, other, words in ((1, 2, '"b c"'), (-2, 1, '""'), (0, -0.0, '"é"')):
        found = literals_and_text(text.format(one, other, one, words))
        if other == 0:
            assert found is not None
            assert found[1] == {1467123000: "0", 1.1467123: "-0.0", "1467123 2": words}
        else:
            assert found == (form, {1467123000: str(one), 1467123001: str(other), "1467123 2": words})
    assert literals_and_text(text.format(1, 1, 1, 1))[0] != form  # type: ignore[index]


@pytest.mark.parametrize(
    "text",
    [
        "query ($x: Int = 1, $y: P = {a: 2}) { a(x: $x, y: $y) }",  # default values
        "{ a(x: 01) }",  # what is no number
        "{ a(x: 1.) }",
        "{ a(x: 1a) }",
        '{ a(x: "\\n") }',
        '{ a(x: "\t") }',
        "{ a(x: true, y: null, z: RED) }",
        "{ 1 }",
    ],
)
def test_other_literals_stay(text: str) -> None:
    found = form_of(text, MAX_TOKENS)
    assert found is not None
    assert not found.literals
    assert "".join(found.text.split()) == "".join(text.replace(",", "").split())


def test_a_text_that_has_what_stands_for_literals_has_no_form() -> None:
    assert form_of("{ a(x: 1467123000) }", MAX_TOKENS) is None


def test_an_alias_that_may_be_the_key_of_a_field_stays() -> None:
    """`{ me { id } me: me { name } }` is one field, and must stay one."""
    assert names_and_text("{ me { id } me: me { name } a: me { id } }") == (
        "{ me { id } me : me { name } _0 : me { id } }",
        {"_0": "a"},
    )


@pytest.mark.parametrize(
    "text",
    [
        "{ __a: me { id } }",  # reserved, and refused in the text's own words
        "{ a: me { _0 } }",  # there is a field of the name that the alias would get
        '{ a: me(x: """b""") { id } }',
        '{ a: me(x: "b\nc") { id } }',
        '{ a: me(x: "b) { id } }',
        "{ a\u00a0: me }",
        "{ a: me ; }",
        "{ a: me .. F }",
        "{ é: me { id } }",
        "{ a: me } # \ud800",
        "{ :me }",
        "{ } : me",
        "{ a: me { id } }" + " # comment\n" * MAX_TOKENS,
    ],
)
def test_a_text_that_is_no_ordinary_one_has_no_form(text: str) -> None:
    assert form_of(text, MAX_TOKENS) is None or "_0" not in form_of(text, MAX_TOKENS).text  # type: ignore[union-attr]


class Renamer(Visitor):
    """Puts the text's own aliases and literals in."""

    def __init__(self, form: TextForm) -> None:
        super().__init__()
        self.names = form.names
        self.literals = form.literals

    def leave_int_value(self, node: IntValueNode, *_: object) -> ValueNode | None:
        return self._own(int(node.value)) if node.value.isdigit() else None

    def leave_float_value(self, node: FloatValueNode, *_: object) -> ValueNode | None:
        return self._own(float(node.value))

    def leave_string_value(self, node: StringValueNode, *_: object) -> ValueNode | None:
        return self._own(node.value)

    def _own(self, value: float | str) -> ValueNode | None:
        lexeme = self.literals.get(value)
        return None if lexeme is None else parse_value(lexeme, no_location=True)

    def leave_field(self, node: FieldNode, *_: object) -> FieldNode | None:
        if node.alias is not None and node.alias.value in self.names:
            return replace(node, alias=NameNode(value=self.names[node.alias.value]))
        return None


@pytest.mark.parametrize("text", TEXTS)
def test_a_form_that_can_be_parsed_is_the_text_with_other_aliases_and_literals(text: str) -> None:
    """For 3,000 damaged variants of each text too: where the parser refuses the text, it refuses the form."""
    rng = Random(text)
    pieces = [*'{}():,.#"\\ \n\r\t@$!=[]|&-+é\ufeff\u00a0', "...", '"""', "a", "_0", "on", "1", "0", "e5", "a:", "{x}"]
    formed = 0
    for number in range(3_000):
        damaged = text
        for _ in range(min(number, rng.choice((0, 1, 1, 2, 3)))):
            begin = rng.randrange(len(damaged))
            damaged = damaged[:begin] + rng.choice(pieces) + damaged[begin + rng.choice((0, 0, 1, 2)) :]
        form = form_of(damaged, MAX_TOKENS, with_literals=number % 2 == 0)
        if form is None:
            continue
        try:
            parsed = parse(form.text, no_location=True)
        except GraphQLError:
            continue
        formed += 1
        assert print_ast(visit(parsed, Renamer(form))) == print_ast(parse(damaged, no_location=True))
    assert formed > 500
