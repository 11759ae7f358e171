"""Composition says the same, at the same places, with the short ways of `plain_sdl` and `plain_graphql` and without them."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

import schema.subgraph_reader
import schema.validation.graphql
from schema import SubgraphSource, compose
from tests.testkit.differences import make_trial
from tests.testkit.random_sdl import print_subgraphs
from tests.unit.schema import test_hints, test_merge_errors, test_subgraph_errors
from tests.unit.schema.test_plain_graphql import RICH, damaged

CASES: list[dict[str, str]] = [
    dict(case[1]) for case in (*test_subgraph_errors.CASES, *test_merge_errors.CASES, *test_hints.CASES)
]
#: What is put in anywhere.
PIECES = (
    '"d" ',
    "# c\n",
    "\r",
    "\n",
    '"""\n x\n""" ',
    "@deprecated",
    "extend ",
    '@tag(name: "x")',
    "!",
    "[",
    "}",
    "= 1",
    "Nope",
    '" ',
)
LINE_ENDS = ("\n", "\n", "\n", "\r\n", "\r", "\n# c\n")


def composed(sdls: dict[str, str]) -> tuple[Any, ...]:
    composition = compose([SubgraphSource(name, sdl) for name, sdl in sdls.items()])
    findings = [(str(each), each.locations) for each in (*composition.errors, *composition.hints)]
    return findings, composition.supergraph_sdl, composition.api_sdl


@pytest.mark.parametrize("seed", range(4))
def test_damaged_subgraphs_are_judged_alike(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(seed)
    trials = [trial for number in range(6 * seed, 6 * seed + 6) if (trial := make_trial(number)) is not None]
    graphs = [*CASES, *(print_subgraphs(each.supergraph) for each in trials), *[{"a": RICH}] * 20]
    judged = []
    for _ in range(150):
        sdls = dict(rng.choice(graphs))
        name = rng.choice(sorted(sdls))
        text = damaged(sdls[name], rng) if rng.random() < 0.6 else sdls[name]
        if rng.random() < 0.6:
            at = rng.choice((0, rng.randrange(len(text) + 1)))
            text = text[:at] + rng.choice(PIECES) + text[at:]
        sdls[name] = text.replace("\n", rng.choice(LINE_ENDS))
        judged.append((sdls, composed(sdls)))
    monkeypatch.setattr(schema.subgraph_reader, "plain_sdl", lambda *_, **__: None)
    monkeypatch.setattr(schema.validation.graphql, "is_plainly_valid", lambda _: False)
    for sdls, said in judged:
        assert composed(sdls) == said, sdls
    assert sum(not said[0] or said[1] is not None for _, said in judged) > 5
