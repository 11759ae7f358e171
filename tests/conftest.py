"""For all tests: in CI a test that lacks a tool fails, where it would be skipped on a plain machine."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Generator
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings

from router import garbage, log_lines

# How quickly a machine draws and runs examples says nothing about the code: no test of ours is a timed one.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    if report.skipped and os.environ.get("CI") and isinstance(report.longrepr, tuple):
        reason = str(report.longrepr[2])
        if "needs " in reason:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} must run in CI. {reason}"
    return report


@pytest.fixture(autouse=True)
def process_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Applications and commands that a test runs in this process set up its logs and its garbage collector for good, which the
    next test must not see: its log would go where the last one's went, and the collector would hide objects from Hypothesis.
    """
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    configure = structlog.configure
    # a logger that is cached keeps its stream for ever
    monkeypatch.setattr(
        structlog, "configure", lambda **given: configure(**{**given, "cache_logger_on_first_use": False})
    )
    yield
    if structlog.is_configured():
        structlog.reset_defaults()
        log_lines.forget()
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
        logging.captureWarnings(capture=False)
    if garbage.is_set_up():
        garbage.forget()


@pytest.fixture
def interrupts_are_heard() -> Generator[None]:
    """Processes that a shell starts in the background ignore SIGINT, and so do their children: the tests themselves may run so."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
