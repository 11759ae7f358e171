"""Deferred fragments that come at once because a directive of theirs is about a field that is selected elsewhere too."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import build_schema

from router.incremental.split import split_incremental
from router.operation import normalize, parse_document

SCHEMA = build_schema(
    """
    directive @loud(by: Int) repeatable on FIELD | INLINE_FRAGMENT
    type Query { shop: Shop }
    type Shop { name: String price: Int owner: Owner }
    type Owner { name: String city: String }
    """
)


def deferred(text: str, **variables: Any) -> list[str | None]:
    """The labels of the fragments that come later."""
    split = split_incremental(
        normalize(parse_document(text), None, SCHEMA, keep_incremental=True),
        SCHEMA,
        variables,
        frozenset({"Shop", "Owner"}),
    )
    return [] if split is None else [part.label for part in split.all_deferred()]


@pytest.mark.parametrize(
    ("inside_shop", "later"),
    [
        ('name ... @defer(label: "a") { name @loud price }', []),
        ('name @loud ... @defer(label: "a") { name price }', ["a"]),  # the second name asks for nothing more
        ('... @defer(label: "a") { name @loud } ... @defer(label: "b") { name }', []),
        ('... @defer(label: "a") { name @loud ... @defer(label: "b") { name @loud(by: 2) price } }', ["a"]),
        ('name ... @defer(label: "a") { ... @loud { name } }', []),
        ('owner { city } ... @defer(label: "a") { owner { name @loud } }', ["a"]),
        ('owner { name } ... @defer(label: "a") { owner { name @loud } }', []),
        ('owner @loud { city } ... @defer(label: "a") { owner { name } }', []),
        ('name @loud ... @defer(label: "a") { other: name @loud price }', ["a"]),
        ('name ... @defer(label: "a") { name @loud @include(if: $v) price }', ["a"]),
        ('name ... @defer(label: "a") { name price }', ["a"]),
    ],
)
def test_directives_of_one_field_are_not_divided(inside_shop: str, later: list[str]) -> None:
    declared = "($v: Boolean!)" if "$v" in inside_shop else ""
    assert deferred(f"query{declared} {{ shop {{ {inside_shop} }} }}", v=False) == later
