"""Events of the users subgraph turned into rows of our own."""
