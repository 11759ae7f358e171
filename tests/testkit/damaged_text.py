"""Texts with a few pieces put in or in the place of what stood there, for parsers that have to refuse what another one refuses."""

from collections.abc import Iterator, Sequence
from random import Random


def damaged(text: str, pieces: Sequence[str], count: int) -> Iterator[str]:
    """So many texts, the same ones each time. Each has one to three of the pieces, each at the cost of up to two characters; some
    begin with one more, or end early.
    """
    rng = Random(text)
    for _ in range(count):
        begin, end = rng.choice(((0, 0), (0, 0), (0, 0), (1, 0), (0, 1)))
        changed = rng.choice(pieces) * begin + " " * begin + text[: rng.randrange(1, len(text)) if end else None]
        for _ in range(rng.choice((1, 1, 2, 3))):
            begin = rng.randrange(len(changed))
            changed = changed[:begin] + rng.choice(pieces) + changed[begin + rng.choice((0, 0, 1, 2)) :]
        yield changed
