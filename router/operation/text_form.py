"""The form of an operation's text: what is left of it when its layout and the names of its aliases are taken away.

`loaded_graph` prepares and plans a form once for all texts that have it. The two texts `{ a: me { id } }` and
`{ mine: me { id } } # John's` have the form `{ _0 : me { id } }`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# Tokens as the grammar has them, but for block strings, which texts of operations hardly have. A number takes every
# letter, digit and sign that follows it, so that what the parser must refuse stays in one piece.
_BETWEEN = r"(?:[\ufeff\t\n\r ,]|#[^\n\r\ud800-\udfff]*)*+"
_LEXEME = (
    r"[A-Za-z_][0-9A-Za-z_]*+|[!$&():=@\[\]{|}]|\.\.\.|-?[0-9][0-9A-Za-z_.+-]*+"
    r'|"(?:[^"\\\n\r]|\\[^\n\r])*+"'
)
_LEXEMES = re.compile(f"(?:{_BETWEEN}(?:{_LEXEME}))*+")
_NEXT_LEXEME = re.compile(f"{_BETWEEN}({_LEXEME})")
_REST = re.compile(_BETWEEN)


@dataclass(frozen=True, slots=True)
class TextForm:
    """`names` has the text's own alias for each alias of the form; none where they are the same."""

    text: str
    names: Mapping[str, str]


def form_of(text: str, max_tokens: int) -> TextForm | None:
    """None where the text has no form: it is long, has block strings, or is not made of tokens at all.

    Where the form is a valid document, so is the text, and both mean the same but for the response keys: equal aliases get
    equal names and different ones different names, and an alias that is also some other name in the text stays, as it may
    be the key of a field without an alias. An alias is a name before a colon that stands in no parentheses: those of
    arguments, variables and input objects do.
    """
    lexed = _LEXEMES.match(text)
    if lexed is None or '"""' in text or _REST.fullmatch(text, lexed.end()) is None:
        return None
    tokens = _NEXT_LEXEME.findall(text, 0, lexed.end())
    if len(tokens) + text.count("#") > max_tokens:  # the parser counts comments too
        return None
    aliases = {index: tokens[index] for index in _places_of_aliases(tokens)}
    for index in aliases:
        tokens[index] = ""
    others = set(tokens)
    numbered: dict[str, str] = {}
    for index, alias in aliases.items():
        if alias in others:
            tokens[index] = alias
            continue
        name = numbered.setdefault(alias, f"_{len(numbered)}")
        if name in others or alias.startswith("__") or not alias.isidentifier():
            return None
        tokens[index] = name
    names = {name: alias for alias, name in numbered.items()}
    is_named_so = all(name == alias for name, alias in names.items())
    return TextForm(" ".join(tokens), {} if is_named_so else names)


def _places_of_aliases(tokens: list[str]) -> list[int]:
    depth = 0
    places = []
    for index, lexeme in enumerate(tokens):
        if lexeme == ":":
            if depth == 0 and index > 0:
                places.append(index - 1)
        elif lexeme == "(":
            depth += 1
        elif lexeme == ")":
            depth -= 1
    return places
