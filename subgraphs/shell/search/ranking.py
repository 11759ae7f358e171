"""How well a name fits the words of a search. Pure: the index finds candidates, this puts them in order.

An English name has a head: "banana bread" is a bread. What is asked for as a whole comes before what merely has it in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from subgraphs.shell.search.phrases import Words

WHOLE_NAME, WHOLE_HEAD, HEAD_NOUN, PART_OF_HEAD, ELSEWHERE = 12.0, 10.0, 5.5, 2.5, 1.0
_SPELT_EXACTLY, _ONLY_BEGUN = 1.0, 0.5
_OWN, _LOGGED_BEFORE, _MOST_FOR_HABIT = 1.5, 4.5, 7.0
_PER_USER, _MOST_FOR_USERS = 0.3, 2.0
_UNASKED_WORD = 0.15


@dataclass(frozen=True, slots=True)
class Named:
    """A thing that can be found. `heads` are the ways to say what it is, best first, each with what it costs to say it so;
    `rank` is how likely this is meant, all else equal.

    `users` counts the people who ever used it, `times` how often the searcher did, `is_own` says who made it.
    """

    id: str
    heads: Sequence[tuple[Words, float]]
    words: Words
    rank: float
    users: int = 0
    times: int = 0
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a search. The last word may be only begun where somebody typed it; `weight` below 1 for a guess."""

    words: Words
    weight: float = 1.0
    may_be_begun: bool = True


def score(named: Named, readings: Sequence[Reading]) -> float:
    """Higher is better; comparable within one search only."""
    fit = max(_fit(named, reading) for reading in readings)
    habit = min(_MOST_FOR_HABIT, _LOGGED_BEFORE + log(named.times)) if named.times else 0.0
    popularity = min(_MOST_FOR_USERS, _PER_USER * log(1 + named.users))
    return round(fit + named.rank + habit + popularity + (_OWN if named.is_own else 0.0), 4)


def _fit(named: Named, reading: Reading) -> float:
    begun = reading.words[-1] if reading.may_be_begun else None
    spelt = [_how_spelt(word, named.words, begun) for word in reading.words]
    covered = sum(spelt) / len(spelt)
    unasked = len(set(named.words)) - sum(1 for each in spelt if each)
    tier = max(_tier(head, reading.words, begun) - cost for head, cost in named.heads)
    if tier == WHOLE_HEAD and unasked <= 0:
        tier = WHOLE_NAME
    return reading.weight * tier * covered - _UNASKED_WORD * min(unasked, 8)


def _tier(head: Words, asked: Words, begun: str | None) -> float:
    held = [word in asked or (begun is not None and word.startswith(begun)) for word in head]
    if all(held):
        return WHOLE_HEAD
    if held[-1]:
        return HEAD_NOUN
    return PART_OF_HEAD if any(held) else ELSEWHERE


def _how_spelt(word: str, words: Words, begun: str | None) -> float:
    if word in words:
        return _SPELT_EXACTLY
    return _ONLY_BEGUN if word == begun and any(each.startswith(word) for each in words) else 0.0
