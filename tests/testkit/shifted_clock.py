"""Tests at another moment: `python -m tests.testkit.shifted_clock "2027-03-28 00:40" [PYTEST'S ARGUMENTS]`, in UTC.

The time of day begins there and goes on from it, for pytest and for every process that it starts: Postgres, a running stack, browsers.
Sleeps and timeouts are not touched, nor are programs that bring their own C library. Needs a C compiler, on Linux.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

_SOURCE = Path(__file__).with_suffix(".c")


def shifted(moment: datetime, folder: Path) -> dict[str, str]:
    """What a process has to have in its environment for its clock to show `moment` now; `folder` gets a library.

    Raises CalledProcessError.
    """
    library = folder / "shifted_clock.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(_SOURCE), "-ldl"], check=True)
    for readable in (folder, library):  # Postgres runs as another user where this one is root
        readable.chmod(0o755)
    return {"LD_PRELOAD": str(library), "SHIFTED_CLOCK_SECONDS": str(round(moment.timestamp() - time.time()))}


def main(arguments: list[str]) -> int:
    moment = datetime.fromisoformat(arguments[0]).replace(tzinfo=UTC)
    with TemporaryDirectory(prefix="shifted-clock-") as folder:
        environment = os.environ | shifted(moment, Path(folder))
        return subprocess.run([sys.executable, "-m", "pytest", *arguments[1:]], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
