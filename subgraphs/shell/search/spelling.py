"""What a word that no name holds may be meant to be: another word, two words in one, or one word written as two."""

import itertools
from collections.abc import Iterable, Mapping, Sequence

from subgraphs.shell.search.phrases import Words

SHORTEST_CORRECTED = 4
# Of two words that are spelt alike the one that so many times as many names have is meant: names of products have errors too.
FAR_MORE = 10
_TWO_ERRORS_FROM = 8
_SHORTEST_PART = 3


def parts_of(words: Words) -> set[str]:
    """Every word to look up: each as it is, its two parts wherever it may be cut, and each joined with the next."""
    cut = {part for word in words for place in _cuts(word) for part in (word[:place], word[place:])}
    return {*words, *cut, *(first + second for first, second in itertools.pairwise(words))}


def corrected(words: Words, known: Mapping[str, int], near: Mapping[str, Sequence[str]]) -> Words:
    """The words as they may have been meant, where nothing fits them as they are. `known` says how many names hold a word, `near` what is alike.

    The last word may be only begun, so the caller adds it to `known` if any word begins so.
    """
    result: list[str] = []
    place = 0
    while place < len(words):
        word = words[place]
        joined = word + words[place + 1] if place + 1 < len(words) else None
        if joined is not None and joined in known:  # nothing fits the two, though each may be a word: "apple sauce"
            result.append(joined)
            place += 1
        elif word in known:
            result.append(word)
        else:
            result += _two_words_or_nearest(word, near.get(word, ()), known)
        place += 1
    return tuple(result)


def distance(left: str, right: str) -> int:
    """Letters to add, drop, replace or swap with a neighbour (Damerau and Levenshtein, optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        before, above, row = row, before, [i]
        for j, b in enumerate(right, start=1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                best = min(best, above[j - 2] + 1)
            row.append(best)
    return row[-1]


def is_doubtful(word: str, known: Mapping[str, int], near: Iterable[str]) -> bool:
    """Whether a word that some names have is more likely a misspelling of one that far more have."""
    likeliest = _nearest(word, [each for each in near if each != word], known)
    return likeliest is not None and known[likeliest] >= FAR_MORE * known[word]


def _two_words_or_nearest(word: str, near: Iterable[str], known: Mapping[str, int]) -> Words:
    both, nearest = _two_words(word, known), _nearest(word, near, known)
    if both and (nearest is None or known.get(nearest, 0) < FAR_MORE * min(known[part] for part in both)):
        return both
    return (nearest or word,)


def _nearest(word: str, candidates: Iterable[str], known: Mapping[str, int]) -> str | None:
    if len(word) < SHORTEST_CORRECTED:
        return None
    most = 2 if len(word) >= _TWO_ERRORS_FROM else 1
    judged = [(distance(word, each), word[0] != each[0], -known.get(each, 0), each) for each in candidates]
    within = [each for each in judged if each[0] <= most]
    commonest = max((-each[2] for each in within), default=0)
    likely = [each for each in within if -each[2] * FAR_MORE > commonest]
    return min(likely or within)[3] if within else None


def _two_words(word: str, known: Mapping[str, int]) -> Words:
    pairs = [(word[:place], word[place:]) for place in _cuts(word)]
    both = [pair for pair in pairs if pair[0] in known and pair[1] in known]
    return max(both, key=lambda pair: min(known[part] for part in pair), default=())


def _cuts(word: str) -> range:
    return range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1)
