"""`fittracker`, the console script; `python -m deploy` is the same, also where that is not installed."""

from __future__ import annotations

from router.interrupts import ended_by_interrupt


def run() -> None:
    with ended_by_interrupt():
        from deploy.cli import whole_command

        command = whole_command()
    command()


if __name__ == "__main__":
    run()
