"""The nutrition subgraph: foods, meals, water, the diary day and its targets."""
