"""What text may hold: one Unicode form, no control characters, nothing that turns the reading direction of what follows.

Used by `inputs` for every text of a mutation and by `domain` rules for names.
"""

import unicodedata

from subgraphs.shell.errors import Checks

_LINE_BREAKS = frozenset("\t\n\r")
# Embeddings, overrides and isolates reach past the text that holds them. Marks (U+200E, U+200F) act on the spot.
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# What joins letters of Persian and parts of emoji; the other format characters cannot be seen at all.
_JOINERS = frozenset("\u200c\u200d")
_NEVER_IN_A_LINE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def normal_text(text: str) -> str:
    """In Unicode's composed form (NFC), so that equal texts are equal however they were typed."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def has_control_characters(text: str) -> bool:
    """Whether a text of several lines holds what no keyboard types: controls, halves of pairs, directions."""
    if text.isprintable():
        return any(character in _DIRECTIONS for character in text) if not text.isascii() else False
    return any(
        character not in _LINE_BREAKS and (character in _DIRECTIONS or unicodedata.category(character) in {"Cc", "Cs"})
        for character in text
    )


def is_line(text: str) -> bool:
    """Whether a text is one line of visible characters: a name, a label."""
    return all(character in _JOINERS or unicodedata.category(character) not in _NEVER_IN_A_LINE for character in text)


def check_line(checks: Checks, text: str, field: str, *, shortest: int = 1, longest: int) -> None:
    """A name or label of `shortest` to `longest` characters, spaces around it not counted."""
    length = len(text.strip())
    if checks.require(shortest <= length <= longest, field, f"must have {shortest} to {longest} characters"):
        checks.require(is_line(text), field, "must be one line without control or direction characters")
