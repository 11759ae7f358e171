"""python -m subgraphs.nutrition serve | migrate | sdl | relay | consume"""

from subgraphs.nutrition.app import SUBGRAPH
from subgraphs.shell.command_line import run

run(SUBGRAPH, default_port=8082)
