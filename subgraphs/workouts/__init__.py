"""The workouts subgraph: exercises, training sessions set by set, records and the energy they cost."""
