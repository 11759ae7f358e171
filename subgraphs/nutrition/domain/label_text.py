"""What the ingredients of a label tell of allergens: text, as FoodData Central's branded foods have it. Pure.

Labels of the USA name nine allergens (21 USC 343(w)), those of the EU fourteen (1169/2011, annex II), either in a statement, "CONTAINS: MILK,
SOY", or by the names of the ingredients; both are read, the statement with the words for whole groups ("tree nuts", "shellfish").
"MAY CONTAIN" and "made in a facility that processes" tell of traces. Nothing is taken for absent: neither what no word names, nor what
a label says the food is free of, since who reads ingredients cannot tell a claim from a name.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from subgraphs.nutrition.domain.declaration import NOTHING_TOLD, Allergen, Declaration, declare

LONGEST_TEXT = 20_000


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


def _named(words: Mapping[Allergen, str]) -> dict[str, Allergen]:
    """By the word, in the singular and in the plural."""
    found: dict[str, Allergen] = {}
    for allergen, listed in words.items():
        for word in listed.split():
            plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
            found |= {word: allergen, plural: allergen}
    return found


#: Names of ingredients. Oats are cereals with gluten by EU law; oils that are highly refined are dealt with below.
_NAMES = _named(
    {
        Allergen.GLUTEN: "wheat gluten barley rye oat oatmeal spelt kamut durum semolina farina triticale einkorn emmer bulgur"
        " couscous seitan malt malted graham",
        Allergen.CRUSTACEANS: "crustacean shellfish shrimp prawn crab lobster crayfish crawfish krill langoustine",
        Allergen.EGGS: "egg albumen ovalbumin meringue mayonnaise eggnog",
        Allergen.FISH: "fish anchovy cod tuna salmon tilapia pollock haddock sardine mackerel trout herring halibut surimi caviar",
        Allergen.PEANUTS: "peanut groundnut",
        Allergen.SOYBEANS: "soy soya soybean soja tofu tempeh edamame miso tamari",
        Allergen.MILK: "milk butter buttermilk butterfat cream cheese whey casein caseinate lactose lactalbumin yogurt yoghurt ghee kefir",
        Allergen.NUTS: "almond cashew walnut pecan hazelnut filbert pistachio macadamia marzipan praline",
        Allergen.CELERY: "celery celeriac",
        Allergen.MUSTARD: "mustard",
        Allergen.SESAME: "sesame tahini",
        Allergen.SULPHITES: "sulfite sulphite bisulfite bisulphite metabisulfite metabisulphite sulfur sulphur",
        Allergen.LUPIN: "lupin lupine lupini",
        Allergen.MOLLUSCS: "mollusc mollusk clam oyster mussel scallop squid octopus calamari abalone",
    }
)
#: Words that name a group in a statement, and something else among ingredients: "nut" may be a peanut or a nutmeg's.
_OF_STATEMENTS = _NAMES | _named({Allergen.MILK: "dairy", Allergen.NUTS: "nut treenut"})
_OF_PLANTS = _words("almond cashew coconut hemp macadamia nut oat pea peanut plant rice soy soya vegan walnut")
#: A word that follows one of these names something else: cocoa butter, coconut milk.
_UNLESS_AFTER: Mapping[str, frozenset[str]] = {
    "milk": _OF_PLANTS,
    "cream": _OF_PLANTS,
    "cheese": _OF_PLANTS,
    "yogurt": _OF_PLANTS,
    "yoghurt": _OF_PLANTS,
    "butter": _OF_PLANTS | _words("apple cocoa fruit mango seed shea sunflower"),
    "egg": frozenset({"vegan"}),
    "mayonnaise": frozenset({"vegan"}),
    "crab": frozenset({"imitation"}),
    "dairy": frozenset({"non"}),
    "nut": _words("coco cola doughnut grape kola pea soy tiger"),
}
#: A word before one of these names something else, or, of highly refined oil, nothing that labels have to name.
_UNLESS_BEFORE: Mapping[str, frozenset[str]] = {
    "soy": frozenset({"oil"}),
    "soya": frozenset({"oil"}),
    "soybean": frozenset({"oil"}),
    "milk": frozenset({"thistle"}),
    "butter": _words("bean flavor flavoring flavour lettuce"),
    "cream": frozenset({"tartar"}),
    "egg": _words("replacer plant"),
    "crab": frozenset({"apple"}),
    "oyster": _words("cracker mushroom"),
    "graham": frozenset({"masala"}),
}
#: Words that name an allergen before one of these alone.
_ONLY_BEFORE: Mapping[str, frozenset[str]] = {"sulfur": _words("dioxide"), "sulphur": _words("dioxide")}
# What stands between words parts them: in "peanuts, milk" the milk is no peanut milk.
_WORD = re.compile(r"[a-z]+|[^a-z\s]")
_PLACE = r"(?:facilit(?:y|ies)|plants?|equipment|lines?|machinery|machines|baker(?:y|ies)|kitchens?|premises)"
# What begins a statement. What goes on as a list of small amounts is no statement: "contains 2% or less of: salt, whey".
_BEGINS = re.compile(
    r"(?P<absent>\b(?:does not contain|do not contain|contains? no|free (?:of|from)|no added|without)\b"
    r"|\bno (?=[a-z]))"
    r"|(?P<traces>\bmay (?:also )?contain\b(?! (?:one or more|\d|up to|less))|\btraces? of\b"
    rf"|\b(?:made|manufactured|produced|processed|prepared|packed|packaged|baked) (?:in|on|with) (?:[a-z]+ ){{0,4}}{_PLACE}\b)"
    r"|(?P<statement>\bcontains?\b:?+(?! *(?:one or more|\d|less than|two percent|up to)))"
    r"|(?P<ingredients>\bingredients?:)"
)
_ENDS = re.compile(r";|\.(?!\d)")
# Of a claim within a list of other things: "no peanuts".
_ENDS_OF_CLAIMS = re.compile(r"[,;.()\[\]]")
_CLAIMS = ("no ", "no added", "without")


def declared_by(text: str) -> Declaration:
    """What a label's ingredients say is in a food, or may be in it in traces; nothing where no word of them names an allergen."""
    contains: set[Allergen] = set()
    traces: set[Allergen] = set()
    for kind, part in _parts(" ".join(text[:LONGEST_TEXT].casefold().replace("-", " ").split())):
        if kind == "traces":
            traces.update(_named_in(part, _OF_STATEMENTS))
        elif kind == "statement":
            contains.update(_named_in(part, _OF_STATEMENTS))
        elif kind == "ingredients":
            contains.update(_named_in(part, _NAMES))
    return declare(contains=contains, traces=traces) if contains or traces else NOTHING_TOLD


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """The text in parts: ingredients, statements, traces, and what is told to be absent.

    A statement goes to the end of its sentence, to the bracket that closes around it, or to where the next one begins.
    """
    begins = list(_BEGINS.finditer(text))
    yield "ingredients", text[: begins[0].start() if begins else len(text)]
    for number, begin in enumerate(begins):
        kind = str(begin.lastgroup)
        last = begins[number + 1].start() if number + 1 < len(begins) else len(text)
        end = last if kind == "ingredients" else _end_of(text, begin.end(), last, is_claim=begin.group() in _CLAIMS)
        yield kind, text[begin.end() : end]
        yield "ingredients", text[end:last]


def _end_of(text: str, start: int, last: int, *, is_claim: bool) -> int:
    """Where a statement, or a claim, ends that begins at `start`, before `last`."""
    found = (_ENDS_OF_CLAIMS if is_claim else _ENDS).search(text, start, last)
    end = last if found is None else found.start()
    depth = 0
    for place in range(start, end):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(text[place], 0)
        if depth < 0:
            return place
    return end


def _named_in(text: str, names: Mapping[str, Allergen]) -> Iterator[Allergen]:
    words = ["", *_WORD.findall(text), "", ""]
    for place, word in enumerate(words):
        if word in names and not _is_something_else(words, place):
            yield names[word]


def _is_something_else(words: Sequence[str], place: int) -> bool:
    """Whether the words around a name make it another one, or a claim: "cocoa butter", "dairy free", "gluten free oats"."""
    before, word, after = (_singular(each) for each in words[place - 1 : place + 2])
    if word == "cream" and after == "of":
        after = words[place + 2]
    if after == "free" or (before == "free" and words[place - 2] == "gluten"):
        return True
    if word in _ONLY_BEFORE:
        return after not in _ONLY_BEFORE[word]
    return before in _UNLESS_AFTER.get(word, ()) or after in _UNLESS_BEFORE.get(word, ())


def _singular(word: str) -> str:
    """Of the words above; of others a form that names nothing."""
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us")) else word
