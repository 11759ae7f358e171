"""`python -m subgraphs.workouts serve|migrate|sdl|relay|consume`."""

from subgraphs.shell.command_line import run
from subgraphs.workouts.app import SUBGRAPH

DEFAULT_PORT = 8083

if __name__ == "__main__":
    run(SUBGRAPH, DEFAULT_PORT)
