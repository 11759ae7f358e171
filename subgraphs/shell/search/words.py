"""Text to the words that a search compares: without accents, case, apostrophes and plural endings."""

import re
import unicodedata
from functools import lru_cache

from subgraphs.shell.errors import ValidationError

#: Of a search, and so of a word that may be found.
MOST_LETTERS = 100
#: Of a search for a name; what is longer finds nothing more.
MOST_WORDS = 8
_APOSTROPHES = re.compile(r"['`´’‘ʼ]")
_BETWEEN_WORDS = re.compile(r"[\W_]+")
# Letters that do not decompose into one with an accent.
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
_IRREGULAR = {
    "calves": "calf",
    "halves": "half",
    "knives": "knife",
    "leaves": "leaf",
    "loaves": "loaf",
    "wolves": "wolf",
    "geese": "goose",
    "quiches": "quiche",
    "flyes": "fly",
    "flye": "fly",
    "flys": "fly",
}
_KEEP_S = ("ss", "us", "is")


def words_of(text: str) -> tuple[str, ...]:
    """The words in order, each as `stem` makes it. "Crème Brûlées, 2%" gives ("creme", "brulee", "2").

    Of a longer word than anybody can search for there is its beginning: one sign may stand for six letters (㌖, a kilometre), and
    no index of Postgres takes 2,000 bytes for one word.
    """
    return tuple([stem(word[:MOST_LETTERS]) for word in _BETWEEN_WORDS.split(fold(text)) if word])


def words_of_search(search: str | None) -> tuple[str, ...]:
    """The words that a name has to have; none where any name will do.

    Raises ValidationError for what is too long to be part of a name, or has no letter or number.
    """
    if search is None:
        return ()
    words = tuple(sorted(set(words_of(search)))) if len(search) <= MOST_LETTERS else ()
    if not 1 <= len(words) <= MOST_WORDS:
        raise ValidationError(("search", f"must have 1 to {MOST_WORDS} words, and at most {MOST_LETTERS} characters"))
    return words


def fold(text: str) -> str:
    """Lower case without accents and apostrophes; everything else stays."""
    if text.isascii():  # as most names are: there is nothing to take apart
        return _APOSTROPHES.sub("", text.lower())
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return _APOSTROPHES.sub("", plain).translate(_LETTERS)


@lru_cache(maxsize=2048)  # the names of a catalogue have few words, again and again
def stem(word: str) -> str:
    """The singular of an English plural, or at least one form for both: "cookie" and "cookies" are "cooky"."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 3:
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith("ie") and len(word) > 3:
        return f"{word[:-2]}y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes", "oes")) and len(word) > 4:
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(_KEEP_S) else word
