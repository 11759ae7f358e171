"""For all tests: in CI a test that lacks a tool fails, where it would be skipped on a plain machine."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    if report.skipped and os.environ.get("CI") and isinstance(report.longrepr, tuple):
        reason = str(report.longrepr[2])
        if "needs " in reason:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} must run in CI. {reason}"
    return report
