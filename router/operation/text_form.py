"""The form of an operation's text: what is left of it without its layout, the names of its aliases and its literals.

`loaded_graph` prepares and plans a form once for all texts that have it. The two texts `{ a: user(id: 1) { id } }` and
`{ mine: user(id: 23) { id } } # John's` have the form `{ _0 : user ( id : 1467123000 ) { id } }`.
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

#: In every literal that stands in a form for those of the texts, and in no text that has a form.
MARK = "1467123"
MAX_LITERALS = 900
INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
PLAIN_STRING = re.compile(r'"[^"\\\x00-\x1f\x7f-\x9f\ud800-\udfff]*"')


@dataclass(frozen=True, slots=True)
class TextForm:
    """`names` has the text's own alias for each alias of the form; none where they are the same. `literals` has the text's
    own lexeme for each literal of the form, by the value of that: an integer, a float, or a string.
    """

    text: str
    names: Mapping[str, str]
    literals: Mapping[int | float | str, str]


def form_of(text: str, max_tokens: int, *, with_literals: bool = False) -> TextForm | None:
    """None where the text has no form: it is long, has block strings, or is not made of tokens at all. The literals of the
    text stay in the form where it is asked for `with_literals`.

    Where the form is a valid document, so is the text, and both mean the same but for the response keys and the values of
    literals: equal ones get equal names and values and different ones different, and an alias that is also some
    other name in the text stays, as it may be the key of a field without an alias. An alias is a name before a colon that
    stands in no parentheses: those of arguments, variables and input objects do. Whether a literal has the right type is
    for `literal_slots` to say.
    """
    tokens = lexemes_of(text) if MARK not in text else None
    if tokens is None or len(tokens) + text.count("#") > max_tokens:  # the parser counts comments too
        return None
    alias_places, literal_places = _places(tokens)
    literals = {} if with_literals else _take_literals(tokens, literal_places)
    names = _take_aliases(tokens, alias_places)
    if names is None or len(literals) > MAX_LITERALS:
        return None
    return TextForm(" ".join(tokens), names, literals)


def lexemes_of(text: str) -> list[str] | None:
    """What the text is made of, without what stands between. None where it has block strings, or something that is no token."""
    lexed = _LEXEMES.match(text)
    if lexed is None or '"""' in text or _REST.fullmatch(text, lexed.end()) is None:
        return None
    found: list[str] = _NEXT_LEXEME.findall(text, 0, lexed.end())
    return found


def _take_aliases(tokens: list[str], places: list[int]) -> dict[str, str] | None:
    """Puts numbered names in the aliases' places; gives back the aliases by these. None where they cannot be named so."""
    aliases = [tokens[index] for index in places]
    for index in places:
        tokens[index] = ""
    others = set(tokens)
    numbered: dict[str, str] = {}
    for index, alias in zip(places, aliases, strict=True):
        if alias in others:
            tokens[index] = alias
            continue
        name = numbered.setdefault(alias, f"_{len(numbered)}")
        if name in others or alias.startswith("__") or not alias.isidentifier():
            return None
        tokens[index] = name
    names = {name: alias for alias, name in numbered.items()}
    return {} if all(name == alias for name, alias in names.items()) else names


def _take_literals(tokens: list[str], places: list[int]) -> dict[int | float | str, str]:
    """Puts a numbered literal of the same kind in the place of each; gives back the lexemes by the values of these."""
    values: dict[str, int | float | str] = {}
    for index in places:
        lexeme = tokens[index]
        if lexeme not in values:
            number = len(values)
            if INTEGER.fullmatch(lexeme):
                values[lexeme] = int(f"{MARK}{number:03}")
            elif PLAIN_STRING.fullmatch(lexeme):
                values[lexeme] = f"{MARK} {number}"
            elif FLOAT.fullmatch(lexeme):
                values[lexeme] = float(f"{number}.{MARK}")
            else:
                continue
        value = values[lexeme]
        tokens[index] = f'"{value}"' if isinstance(value, str) else repr(value)
    return {value: lexeme for lexeme, value in values.items()}


def _places(tokens: list[str]) -> tuple[list[int], list[int]]:
    """Where aliases stand, and literals of arguments: not those of default values, which stay in the text."""
    depth = 0
    is_default = False
    aliases = []
    literals = []
    for index, lexeme in enumerate(tokens):
        if lexeme == ":":
            if depth == 0 and index > 0:
                aliases.append(index - 1)
        elif lexeme == "(":
            depth += 1
        elif lexeme == ")":
            depth -= 1
            is_default = False
        elif depth:
            if lexeme == "=":
                is_default = True
            elif lexeme == "$":
                is_default = False
            elif lexeme[0] in '"-0123456789' and not is_default:
                literals.append(index)
    return aliases, literals
