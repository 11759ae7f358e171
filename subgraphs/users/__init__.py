"""The users subgraph: accounts, sessions, settings, the body and its weight."""
