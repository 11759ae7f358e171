"""A supergraph's SDL as data: subgraphs, their views of every type, and the API schema."""

from router.supergraph.field_set import parse_field_set, print_field_set
from router.supergraph.links import check_served, links_of
from router.supergraph.model import (
    ContextArgument,
    Key,
    SubgraphField,
    SubgraphType,
    Supergraph,
    TypeKind,
)
from router.supergraph.plain_sdl import plain_sdl
from router.supergraph.reader import read_supergraph
from router.supergraph.sdl import parse_sdl

__all__ = [
    "ContextArgument",
    "Key",
    "SubgraphField",
    "SubgraphType",
    "Supergraph",
    "TypeKind",
    "check_served",
    "links_of",
    "parse_field_set",
    "parse_sdl",
    "plain_sdl",
    "print_field_set",
    "read_supergraph",
]
