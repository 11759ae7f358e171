"""Other people's command-line tools, from the environment's own folder or the PATH."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest


def tool(name: str) -> str:
    """The path of the tool. Skips the test where there is none, which continuous integration does not allow."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}")
    return found
