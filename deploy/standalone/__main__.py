"""`fittracker-router`, the console script; `python -m fittracker_router` is the same."""

from __future__ import annotations

import sys

from router.interrupts import ended_by_interrupt


def run() -> None:
    with ended_by_interrupt():
        from deploy.standalone.command import main
    sys.exit(main())


if __name__ == "__main__":
    run()
