"""How often the garbage collector looks for objects that only refer to each other, and how long it stops everything then.

Every process that answers requests calls `collect_in_short_pauses` before it does: the router's, the subgraphs', and the
server that benchmarks compare them with.
"""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Mapping
from pathlib import Path

#: Containers made, less those that went, between two looks at the new ones; how many such looks between two at those that
#: survived one; and how many of these between two full collections. Python's own 700 would have it look all the time, while
#: an answer's thousands of dicts go without it. A pause is as long as what it looks through: 5,000 containers take less
#: than 1 ms, 20,000 some 4 ms. What 50,000 and 20 let pile up, a thousand open subscriptions, took up to 190 ms.
THRESHOLDS = (5_000, 3, 100)


#: A full collection that takes longer, in seconds of processor time, sets aside what it leaves.
LONG_SECONDS = 0.02
#: What is set aside is looked through again once the process has needed so many times the memory that it had then.
GROWTH = 1.25
#: Linux tells there how many pages a process has: its size, what of it is resident, and more.
_STATM = Path("/proc/self/statm")


class _SetAside:
    """What a long full collection has looked through is not garbage, and most of it stays: plans, prepared operations, kept
    answers, a million containers where clients send very many texts. It is set aside (frozen), so that the next full
    collection looks only at what was made since, and stops the event loop for milliseconds and not for half a second.

    Reference counts still free what is set aside. Circles of it they do not free; so once the process has grown by a
    quarter, a full collection takes everything back and looks through all of it.
    """

    def __init__(self) -> None:
        self._began = 0.0
        self._looks_through_all = False
        self._memory = _resident_memory()  # when all was looked through

    def __call__(self, phase: str, told: Mapping[str, int]) -> None:
        """To be called by the collector before and after each collection."""
        if told["generation"] < 2:
            return
        if phase == "start":
            self._looks_through_all = _resident_memory() > self._memory * GROWTH
            if self._looks_through_all:
                gc.unfreeze()
            self._began = time.thread_time()
        elif self._looks_through_all:
            self._memory = _resident_memory()
            gc.freeze()
        elif time.thread_time() - self._began > LONG_SECONDS:
            gc.freeze()


def _resident_memory() -> int:
    """Of this process, in bytes; where the system does not tell it, the most that ever was, in the platform's unit. The most would let
    circles grow by a quarter each time: what a look through everything frees does not lower it.
    """
    try:
        return int(_STATM.read_text().split()[1]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def collect_in_short_pauses() -> None:
    """What there is now, which is code, stays: the collector need not look through it again.

    To be called before anything is loaded that may be replaced, or where reference counts alone free what is.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    if not is_set_up():
        gc.callbacks.append(_SetAside())


def is_set_up() -> bool:
    """Whether `collect_in_short_pauses` was called in this process."""
    return any(isinstance(each, _SetAside) for each in gc.callbacks)


def forget() -> None:
    """Undoes `collect_in_short_pauses` but for the thresholds. For tests, of which many share a process."""
    gc.callbacks[:] = [each for each in gc.callbacks if not isinstance(each, _SetAside)]
    gc.unfreeze()
