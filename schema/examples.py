"""For each code the smallest subgraphs that give it: `examples.graphql` beside this module."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_suffix(".graphql")


def example_of(code: str) -> dict[str, str]:
    """SDL by the subgraph's name. Raises KeyError for a code that composition does not give."""
    return dict(_examples()[code])


@cache
def _examples() -> dict[str, dict[str, str]]:
    """Read at first need: only who asks what a code means has to wait for it."""
    examples = {}
    for text in _FILE.read_text(encoding="utf-8").split("# code: ")[1:]:
        code, *parts = text.split("# subgraph: ")
        split = (part.partition("\n") for part in parts)
        examples[code.strip()] = {name.strip(): sdl.strip() + "\n" for name, _, sdl in split}
    return examples
