"""Ctrl-C while modules load, and in processes that somebody else ends: real signals to real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("interrupts_are_heard")

ROOT = Path(__file__).parents[3]
LOADING = """
from router.interrupts import ended_by_interrupt
with ended_by_interrupt():
    print("loading", flush=True)
    input()
try:
    print("loaded", flush=True)
    input()
except KeyboardInterrupt:
    print("told", flush=True)
"""
PARENT = """
import subprocess, sys, time
from router.interrupts import deaf_to_interrupts
try:
    with deaf_to_interrupts():
        child = subprocess.Popen([sys.executable, "-c", "print('child is there', flush=True); input(); print('child goes on', flush=True)"], stdin=subprocess.PIPE)
    while True:
        time.sleep(60)
except KeyboardInterrupt:
    print("parent is told", flush=True)
    child.communicate(b"\\n")
"""


@contextmanager
def _started(code: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()  # otherwise one that was deaf would be waited for without end


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip()


def test_while_modules_load_it_ends_the_process_without_a_word() -> None:
    with _started(LOADING) as process:
        assert _line(process) == "loading"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == ("", "")
        assert process.returncode == -signal.SIGINT


def test_afterwards_the_command_is_told() -> None:
    with _started(LOADING) as process:
        assert _line(process) == "loading"
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert _line(process) == "loaded"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == ("told\n", "")
        assert process.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="a process there has no mask of signals")
def test_a_child_that_is_deaf_goes_on_and_its_parent_is_told() -> None:
    with _started(PARENT) as process:
        assert _line(process) == "child is there"
        os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert (output, errors, process.returncode) == ("parent is told\nchild goes on\n", "", 0)
