"""Every alert against its histories, by promtool; some ten seconds of CPU, so not among the unit tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.testkit.tools import tool

DEPLOY = Path(__file__).parents[3] / "deploy"


def test_promtool_runs_them() -> None:
    command = [tool("promtool"), "test", "rules", str(DEPLOY / "prometheus" / "tests" / "alerts.yml")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    check = [tool("promtool"), "check", "config", str(DEPLOY / "prometheus" / "prometheus.yml")]
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0


def test_promtool_would_have_complained(tmp_path: Path) -> None:
    """An alert whose threshold was changed does not pass its tests."""
    shutil.copytree(DEPLOY / "prometheus", tmp_path / "prometheus")
    changed = tmp_path / "prometheus" / "rules" / "alerts.yml"
    changed.write_text(changed.read_text().replace("consumer_lag_messages) > 1000", "consumer_lag_messages) > 9000"))
    command = [tool("promtool"), "test", "rules", str(tmp_path / "prometheus" / "tests" / "alerts.yml")]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
