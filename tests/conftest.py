"""For all tests: in CI a test that lacks a tool fails, where it would be skipped on a plain machine."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

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
