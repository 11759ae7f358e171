"""The graph of (type, subgraph) nodes that the planner walks."""

from router.query_graph.graph import EntityTarget, QueryGraph, provided_selection

__all__ = ["EntityTarget", "QueryGraph", "provided_selection"]
