"""`fittracker`, the console script; `python -m deploy` is the same, also where that is not installed.

Ctrl-C while the modules load, half a second, ends the process as the signal does, without a traceback. After that the command
itself says how it ends.
"""

from __future__ import annotations

import signal


def run() -> None:
    heard = signal.getsignal(signal.SIGINT)
    if heard is signal.default_int_handler:  # otherwise it is ignored, as behind nohup, and stays so
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from deploy.cli import whole_command

    command = whole_command()
    signal.signal(signal.SIGINT, heard)
    command()


if __name__ == "__main__":
    run()
