"""Judged lists of searches: what somebody typing the words wants, written from their meaning. Read from conformance/search."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from subgraphs.shell.search.words import fold

_DIRECTORY = Path(__file__).parents[1] / "conformance" / "search"
TOP_ONE, TOP_FIVE = 0.90, 0.98


@dataclass(frozen=True, slots=True)
class Judgement:
    """A search and patterns of the names that may stand first."""

    words: str
    acceptable: tuple[str, ...]

    def accepts(self, name: str) -> bool:
        return any(fnmatchcase(fold(name), fold(pattern)) for pattern in self.acceptable)


def read_judgements(name: str) -> list[Judgement]:
    lines = (_DIRECTORY / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [Judgement(words, tuple(each.strip() for each in patterns.split(" ; "))) for words, patterns in pairs]


async def misses(
    judgements: list[Judgement], search: Callable[[str], Awaitable[list[str]]]
) -> tuple[list[str], list[str]]:
    """What is not acceptable first, and what is nowhere among the first five; each with what came instead."""
    not_first, not_near = [], []
    for judgement in judgements:
        names = (await search(judgement.words))[:5]
        verdicts = [judgement.accepts(name) for name in names]
        told = f"{judgement.words}: {names}"
        if not any(verdicts[:1]):
            not_first.append(told)
        if not any(verdicts):
            not_near.append(told)
    return not_first, not_near


def assert_held(judgements: list[Judgement], not_first: list[str], not_near: list[str]) -> None:
    assert len(not_first) <= (1 - TOP_ONE) * len(judgements), not_first
    assert len(not_near) <= (1 - TOP_FIVE) * len(judgements), not_near
