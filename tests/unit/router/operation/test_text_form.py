"""A text's form: what it leaves out, and that a form which can be run speaks for its text whatever that is made of."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from graphql import FieldNode, GraphQLError, NameNode, Visitor, parse, print_ast, visit

from router.operation.text_form import form_of

MAX_TOKENS = 1_000
TEXTS = [
    "{ a: me { b: id } }",
    'query Q($x: Int = 1, $y: P = {a: 1}) { a: f(x: $x, p: {a: 2, b: "c: d"}) @include(if: true) { ...F on: id } } fragment F on T { on: id }',
    "{ b0: f(x: 1.5e-3, y: [-1, 2]) { ... on T { x: y, z } ... @skip(if: false) { q: y } } }",
    'mutation { a: do(s: "\\u0041 \\"quoted\\": #") { id } } # said: so',
]


def names_and_text(text: str) -> tuple[str, dict[str, str]] | None:
    form = form_of(text, MAX_TOKENS)
    return None if form is None else (form.text, dict(form.names))


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
    def __init__(self, names: dict[str, str]) -> None:
        super().__init__()
        self.names = names

    def leave_field(self, node: FieldNode, *_: object) -> FieldNode | None:
        if node.alias is not None and node.alias.value in self.names:
            return replace(node, alias=NameNode(value=self.names[node.alias.value]))
        return None


@pytest.mark.parametrize("text", TEXTS)
def test_a_form_that_can_be_parsed_is_the_text_with_other_aliases(text: str) -> None:
    """For 3,000 damaged variants of each text too: where the parser refuses the text, it refuses the form."""
    rng = Random(text)
    pieces = [*'{}():,.#"\\ \n\r\t@$!=[]|&-+é\ufeff\u00a0', "...", '"""', "a", "_0", "on", "1", "0", "e5", "a:", "{x}"]
    formed = 0
    for number in range(3_000):
        damaged = text
        for _ in range(min(number, rng.choice((0, 1, 1, 2, 3)))):
            begin = rng.randrange(len(damaged))
            damaged = damaged[:begin] + rng.choice(pieces) + damaged[begin + rng.choice((0, 0, 1, 2)) :]
        form = form_of(damaged, MAX_TOKENS)
        if form is None:
            continue
        try:
            parsed = parse(form.text, no_location=True)
        except GraphQLError:
            continue
        formed += 1
        assert print_ast(visit(parsed, Renamer(dict(form.names)))) == print_ast(parse(damaged, no_location=True))
    assert formed > 500
