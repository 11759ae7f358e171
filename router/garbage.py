"""How often the garbage collector looks for objects that only refer to each other, and how long it stops everything then.

Every process that answers requests calls `collect_in_short_pauses` before it does: the router's, the subgraphs', and the
server that benchmarks compare them with.
"""

from __future__ import annotations

import gc

#: Containers made, less those that went, between two looks at the new ones; how many such looks between two at those that
#: survived one; and how many of these between two full collections. Python's own 700 would have it look all the time, while
#: an answer's thousands of dicts go without it. A pause is as long as what it looks through: 5,000 containers take less
#: than 1 ms, 20,000 some 4 ms. What 50,000 and 20 let pile up, a thousand open subscriptions, took up to 190 ms.
THRESHOLDS = (5_000, 3, 100)


def collect_in_short_pauses() -> None:
    """What there is now, which is code, stays: the collector need not look through it again.

    To be called before anything is loaded that may be replaced, or where reference counts alone free what is.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
