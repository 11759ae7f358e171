"""python -m subgraphs.nutrition serve | migrate | sdl | relay | consume"""

from subgraphs.command_line import run
from subgraphs.nutrition.app import SUBGRAPH

run(SUBGRAPH, default_port=8082)
