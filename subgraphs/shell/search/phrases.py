"""Phrases that mean the same, kept as a text of lines `said = meant | or meant`, and what people put around a name."""

import re
from collections.abc import Iterable, Iterator

from subgraphs.shell.search.words import words_of

MOST_WORDS = 8
_MOST_READINGS = 4
# "two slices of bread", "200 g of rice", "a cup of coffee": bread, rice and coffee are looked for.
_AMOUNT = re.compile(
    r"^\s*(?:\d+(?:[.,]\d+)?\s*(?:x|kg|g|gr|grams?|mg|ml|cl|dl|l|lbs?|oz|pieces?|cups?|slices?|tbsp|tsp)?\s+)?"
    r"(?:(?:an?|one|two|three|half|some)\s+)?"
    r"(?:(?<=\s)(?:small|medium|large)\s+)?"
    r"(?:(?:cups?|glass(?:es)?|slices?|pieces?|bowls?|handfuls?|pots?|cans?|bottles?|mugs?|plates?|portions?|servings?"
    r"|scoops?|spoons?|spoonfuls?|teaspoons?|tablespoons?|packets?|packs?|bags?|grams?)\s+of\s+)?"
    r"(?=\S)",
    re.IGNORECASE,
)
_EMPTY_WORDS = frozenset({"a", "an", "the", "of", "and", "with", "in", "on", "for", "or", "to", "my", "some"})

Words = tuple[str, ...]


class Phrases:
    """Other words for the same things. Longer phrases win over shorter ones that begin at the same place.

    `makers` are lines of the same form: who makes something, and what they are known for.
    """

    def __init__(self, lines: Iterable[str], makers: Iterable[str] = ()) -> None:
        self._meanings = _meanings_of(lines)
        self._makers = _meanings_of(makers)
        # "jam strawberry", "bread brown": two words are said in either order, unless the other order means something else.
        for phrase, meanings in list(self._meanings.items()):
            if len(phrase) == 2:
                self._meanings.setdefault(phrase[::-1], meanings)
        self.vocabulary = frozenset(word for said in (*self._meanings, *self._makers) for word in said)
        self._longest = max((len(said) for said in self._meanings), default=0)

    def readings(self, words: Words) -> list[Words]:
        """What these words may mean, at most four ways: themselves first, then with phrases replaced."""
        readings = [words]
        for replaced in self._replaced(words):
            if replaced not in readings:
                readings.append(replaced)
        return readings[:_MOST_READINGS]

    def without_makers(self, words: Words) -> list[list[Words]]:
        """What is asked for, whoever makes it: what is left without the makers, then what these are known for. Empty without any.

        What is left may be a part of what they are known for, and means it then: a Nature Valley bar is a granola bar.
        """
        place = 0
        kept: Words = ()
        known_for: tuple[Words, ...] = ()
        while place < len(words):
            length = next((n for n in range(len(words) - place, 0, -1) if words[place : place + n] in self._makers), 0)
            known_for = self._makers.get(words[place : place + length], known_for)
            kept += () if length else (words[place],)
            place += length or 1
        whole = [meant for meant in known_for if set(kept) <= set(meant)]
        wanted = [whole or [kept], known_for] if known_for else []
        return [[each for meant in meanings for each in self.readings(meant)] for meanings in wanted]

    def _replaced(self, words: Words) -> Iterator[Words]:
        """Every reading of the first phrase that is known, then of the next one behind it, and so on."""
        done: list[Words] = [()]
        place = 0
        while place < len(words):
            length = next((n for n in range(self._longest, 0, -1) if words[place : place + n] in self._meanings), 0)
            meanings = self._meanings[words[place : place + length]] if length else (words[place : place + 1],)
            done = [(*before, *meaning) for before in done for meaning in meanings][:_MOST_READINGS]
            place += length or 1
        yield from done


def _meanings_of(lines: Iterable[str]) -> dict[Words, tuple[Words, ...]]:
    meanings: dict[Words, tuple[Words, ...]] = {}
    for line in lines:
        said, _, meant = line.partition("#")[0].partition("=")
        if meant.strip():
            meanings[_telling(words_of(said))] = tuple(_telling(words_of(each)) for each in meant.split("|"))
    return meanings


def query_words(text: str) -> Words:
    """The words that say what is looked for, at most eight: without an amount in front and words like "of"."""
    named = _AMOUNT.sub("", text, count=1)
    return (_telling(words_of(named)) or words_of(text))[:MOST_WORDS]


def _telling(words: Words) -> Words:
    return tuple(word for word in words if word not in _EMPTY_WORDS)
