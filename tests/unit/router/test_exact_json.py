"""What the readers of JSON refuse is the text's fault, and what they cannot hold is not."""

from __future__ import annotations

import subprocess
import sys

import orjson
import pytest

from router.exact_json import loads, loads_rounded, parsed

# In a process of its own, which may take no more memory from here on; orjson wants a buffer of several times the text.
WITHOUT_MEMORY = """
import resource
from pathlib import Path
from router import exact_json
text = b'{"a":"' + b"a" * 100_000 + b'"}'
pages = int(Path("/proc/self/statm").read_text().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize(), resource.RLIM_INFINITY))
try:
    exact_json.READER(text)
except MemoryError:
    print("no memory")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("reader", ["parsed", "loads_rounded", "loads"])
def test_no_memory_for_a_text_is_no_fault_of_the_text(reader: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_MEMORY.replace("READER", reader)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("no memory\n", "")


@pytest.mark.parametrize("reader", [parsed, loads_rounded, loads])
def test_a_text_that_is_none_is_refused_by_each(reader: object) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        reader(b'{"a": 1')  # type: ignore[operator]
