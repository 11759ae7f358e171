"""How subgraphs are called inside a supergraph: the values of `join__Graph`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from schema.subgraph import Subgraph


def graph_names(subgraphs: Iterable[Subgraph]) -> dict[str, str]:
    """The value of `join__Graph` for each subgraph: its name in capitals, made valid; `_1`, `_2` where several are alike."""
    alike: dict[str, list[str]] = {}
    for subgraph in sorted(subgraphs, key=lambda each: each.name):
        name = re.sub(r"[^A-Z0-9_]", "_", subgraph.name.upper())
        if re.match(r"[0-9]", name):
            name = f"_{name}"
        # A trailing _<digits> could be the mark of one of several.
        if re.search(r"_\d+$", name):
            name = f"{name}_"
        alike.setdefault(name, []).append(subgraph.name)
    return {
        subgraph: name if len(same) == 1 else f"{name}_{number}"
        for name, same in alike.items()
        for number, subgraph in enumerate(same, 1)
    }
