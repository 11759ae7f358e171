"""What clients of Kafka leave behind."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

NOBODY_LISTENS = "127.0.0.1:1"


@contextmanager
def every_client_is_stopped() -> Iterator[None]:
    """Raises AssertionError where a producer or consumer of the block was let go without being stopped.

    Its tasks and connections would stay until the collector comes by, and a loop that tries again makes new ones each time.
    """
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        yield
        gc.collect()
    left = [str(warning.message) for warning in told if "Unclosed AIOKafka" in str(warning.message)]
    assert not left
