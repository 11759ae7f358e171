"""python -m subgraphs.users serve | migrate | sdl | relay | consume"""

from subgraphs.shell.command_line import run
from subgraphs.users.app import SUBGRAPH

run(SUBGRAPH, default_port=8081)
