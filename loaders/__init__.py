"""Batches instead of N+1 queries, for every subgraph."""
