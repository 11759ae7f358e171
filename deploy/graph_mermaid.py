"""A supergraph as a Mermaid flowchart, for documentation: subgraphs, entities, and who has what of them.

`cli` prints it for `fittracker schema picture`; the README shows that of the committed graph, and a test compares the two.
"""

from __future__ import annotations

from router.server.graph_picture import graph_picture
from router.supergraph import Supergraph


def mermaid_of(supergraph: Supergraph) -> str:
    """A thick line leads from an entity to the subgraph that has most of it, a thin one to one that adds fields to it.

    Who only refers to an entity by its key has no line.
    """
    picture = graph_picture(supergraph)
    lines = ["flowchart LR"]
    for entity in picture["entities"]:
        parts = [part for part in entity["parts"] if not part["isReference"]]
        lines += [
            f"  {entity['name']}([{entity['name']}]) {'===' if rank == 0 else '---'} {part['subgraph']}[{part['subgraph']}]"
            for rank, part in enumerate(parts)
        ]
    return "\n".join(lines) + "\n"
