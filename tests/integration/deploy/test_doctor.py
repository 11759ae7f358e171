"""`fittracker doctor` looks and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.doctor import examine
from deploy.terminal import Terminal


def test_nothing_is_written_where_no_stack_ran_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("REDIS_URL", "KAFKA_BOOTSTRAP_SERVERS"):
        monkeypatch.delenv(name, raising=False)
    examine(tmp_path / "data", unused_tcp_port, Terminal())
    told = capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    for server in ("Postgres", "Valkey", "broker"):
        assert f"✓ {server}: embedded" in told
    assert "· no stack runs here" in told
