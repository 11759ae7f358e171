"""`python -m subgraphs.analytics serve|migrate|sdl|relay|consume`."""

from subgraphs.analytics.app import SUBGRAPH
from subgraphs.shell.command_line import run

DEFAULT_PORT = 8084

if __name__ == "__main__":
    run(SUBGRAPH, DEFAULT_PORT)
