"""Federation 2 composition: subgraph SDL in, supergraph out; checks of what changed in between."""

from schema.codes import Finding
from schema.compose import Composition, compose
from schema.subgraph import SubgraphSource

__all__ = ["Composition", "Finding", "SubgraphSource", "compose"]
