"""`python -m subgraphs.analytics serve|migrate|sdl|relay|consume`."""

from subgraphs.command_line import run
from subgraphs.analytics.app import SUBGRAPH

DEFAULT_PORT = 8084

if __name__ == "__main__":
    run(SUBGRAPH, DEFAULT_PORT)
