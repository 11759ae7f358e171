"""Texts that differ in aliases and literals share a plan (decision 0247): nobody is told what another one's literal names."""

from __future__ import annotations

import asyncio

import pytest

from tests.testkit.running_router import RunningRouter, token


async def test_nobody_gets_the_answer_to_another_ones_literal(router: RunningRouter) -> None:
    async def ask(number: int, wanted: str, viewer: str) -> None:
        query = f'{{ x{number}: user(id: "{wanted}") {{ id }} m{number}: me {{ id }} }}'
        answer = await router.ask(query, authorization=token(viewer))
        assert answer["data"] == {f"x{number}": {"id": wanted}, f"m{number}": {"id": viewer}}

    for turn in range(3):
        await asyncio.gather(
            *(ask(40 * turn + each, f"u{1 + each % 2}", f"u{1 + each // 2 % 2}") for each in range(40))
        )


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ('{ _1: user(id: "u1") { id } _0: user(id: "u2") { id } }', {"_1": {"id": "u1"}, "_0": {"id": "u2"}}),
        ('{ _0: user(id: "u1") { id } _1: user(id: "u2") { id } }', {"_0": {"id": "u1"}, "_1": {"id": "u2"}}),
        ("{ a: user(id: 1467123) { id } b: user(id: 1467124) { id } }", {"a": None, "b": None}),
        (
            '{ a: user(id: "u2") { __typename } b: user(id: "u1") { id } }',
            {"a": {"__typename": "User"}, "b": {"id": "u1"}},
        ),
    ],
)
async def test_texts_made_to_look_like_a_form_say_what_they_say(
    router: RunningRouter, query: str, data: object
) -> None:
    """Aliases and literals as the forms have them, again and again: first prepared, then shared, then served as known."""
    for _ in range(3):
        assert (await router.ask(query, authorization=token("u1")))["data"] == data
        other = query.replace("u1", "u3").replace("a:", "c:").replace("b:", "d:")
        assert "errors" not in await router.ask(other, authorization=token("u2"))
