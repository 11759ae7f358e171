"""Documents by their text, as many as weigh little enough together. Made for each schema by `graphql_schema`.

A document weighs what its text, its tree and its errors take, and what is kept of its selections, which grows as it is asked for.
"""

from collections.abc import Callable
from functools import partial

from router.bounded_cache import BoundedCache
from subgraphs.shell.compiled_operation import PreparedDocument

MOST_DOCUMENTS = 1_000
#: Some three of the heaviest documents that are parsed at all, and thousands of those that a router sends.
MOST_BYTES = 96 * 1024 * 1024


class KeptDocuments:
    """The least recently asked for go first."""

    def __init__(self, prepare: Callable[[str], PreparedDocument], most_bytes: int = MOST_BYTES) -> None:
        """`prepare` makes a document of its text, or raises."""
        self._prepare = prepare
        self._documents: BoundedCache[str, PreparedDocument] = BoundedCache(
            MOST_DOCUMENTS, max_bytes=most_bytes, weigh=lambda _, document: document.bytes
        )

    @property
    def bytes(self) -> int:
        """About what all of them take in memory."""
        return self._documents.bytes

    def __len__(self) -> int:
        return len(self._documents)

    def prepared(self, text: str) -> PreparedDocument:
        """Raises what `prepare` raises; of such a text nothing is kept."""
        found = self._documents.get(text)
        if found is None:
            found = self._prepare(text)
            found.when_grown = partial(self._weigh_anew, text)
            self._documents.put(text, found)
        return found

    def _weigh_anew(self, text: str, document: PreparedDocument) -> None:
        if self._documents.get(text) is document:  # or it went, and only a request that still runs has it
            self._documents.put(text, document)
