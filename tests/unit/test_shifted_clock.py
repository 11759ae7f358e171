"""A shifted clock is that of a process and of those that it starts, and leaves what is waited for alone."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.testkit.shifted_clock import shifted
from tests.testkit.tools import tool

_TELL = """import datetime, subprocess, sys, time
began = time.monotonic()
time.sleep(0.01)
print(datetime.datetime.now(datetime.UTC).isoformat(), time.monotonic() - began < 60)
if len(sys.argv) < 2:
    subprocess.run([sys.executable, "-c", sys.orig_argv[2], "child"], check=True)
"""


def test_the_clock_of_a_process_and_of_its_children_begins_at_the_moment(tmp_path: Path) -> None:
    tool("cc")
    leap_day = datetime(2028, 2, 29, 23, 30, tzinfo=UTC)
    told = subprocess.run(
        [sys.executable, "-c", _TELL], env=os.environ | shifted(leap_day, tmp_path), capture_output=True, text=True, check=True
    ).stdout.split()  # fmt: skip
    moments = [datetime.fromisoformat(each) for each in told[::2]]
    assert len(moments) == 2
    assert all(timedelta(seconds=-2) <= each - leap_day < timedelta(minutes=5) for each in moments)
    assert told[1::2] == ["True", "True"]
