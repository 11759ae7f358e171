"""Parsing of an SDL that may have megabytes, such that nothing of it is left for the garbage collector.

Called by the reader, and by `access` and `cache_policy`, which look for directives in the same text.
"""

from __future__ import annotations

from graphql import DocumentNode, Lexer, Source, Token
from graphql.language.parser import Parser

from router.supergraph.plain_sdl import plain_sdl


def parse_sdl(sdl: str) -> DocumentNode:
    """Nodes without locations, of which one may stand in several places. Raises GraphQLSyntaxError."""
    document = plain_sdl(sdl)
    if document is not None:
        return document
    source = Source(sdl)
    lexer = Lexer(source)
    try:
        return Parser(source, no_location=True, lexer=lexer).parse_document()
    finally:
        _unlink(lexer.token)


def _unlink(last: Token) -> None:
    """Tokens hold one another in both directions: some 200 bytes for every word, until a full collection, which would
    stop the event loop for as long as it takes.
    """
    token: Token | None = last
    while token is not None:
        before = token.prev
        token.prev = token.next = None
        token = before
