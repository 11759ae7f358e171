"""The analytics subgraph: what the others' events add up to, day by day, and how goals stand."""
