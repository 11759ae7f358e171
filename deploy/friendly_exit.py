"""A program's end where something is wrong: an error that a person can act on is a sentence, not a traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.errors import friendly


@contextmanager
def friendly_exit() -> Iterator[None]:
    """Ends the process with what `friendly` says of an error; what is a bug goes on as it is."""
    try:
        yield
    except Exception as error:
        told = friendly(error)
        if told is None:
            raise
        from deploy.terminal import Terminal

        Terminal().fail(told.message, told.hint)
        sys.exit(told.exit_code)
