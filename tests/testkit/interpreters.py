"""Other Pythons of this machine, for tests of what runs on several."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

#: All that the project's metadata promise.
VERSIONS = ("3.11", "3.12", "3.13", "3.14")


def interpreter(version: str) -> Path | None:
    """Of that version, such as "3.12": the running one, one on the path or one of pyenv; None where there is none."""
    for candidate in _candidates(version):
        script = "import sys; print('{}.{}'.format(*sys.version_info))"
        told = subprocess.run([candidate, "-c", script], capture_output=True, text=True, check=False)
        if (
            told.stdout.strip() == version
        ):  # pyenv's stand-ins are on the path for versions that are switched off, and fail
            return candidate
    return None


def _candidates(version: str) -> Iterator[Path]:
    yield Path(sys.executable)
    if found := shutil.which(f"python{version}"):
        yield Path(found)
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(root.glob(f"versions/{version}.*/bin/python"))
