"""Thirty faults while people write and watch: every kind at every part once. `tests.testkit.campaign` runs longer ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.testkit.campaign import run
from tests.testkit.campaign_faults import PARTS, planned


def test_thirty_faults_are_every_kind_at_every_part() -> None:
    faults = [str(fault) for fault in planned(30, seed=7)]
    assert {f"{kind} {part}" for kind in ("kill", "stop", "restart") for part in PARTS} <= set(faults)
    assert {"cut postgres", "cut valkey"} <= set(faults)
    assert faults == [str(fault) for fault in planned(30, seed=7)]


def test_faults_can_be_of_one_part() -> None:
    assert {str(fault) for fault in planned(10, 1, ["analytics"], ["kill", "cut"])} == {"kill analytics"}
    with pytest.raises(ValueError, match="no cut of router"):
        next(planned(1, 1, ["router"], ["cut"]))


@pytest.mark.timeout(420)
async def test_nothing_is_lost_doubled_or_wrong_after_thirty_faults(tmp_path: Path) -> None:
    result = await run(tmp_path / "data", list(planned(30, seed=7)), seed=7, stop_seconds=2.0)
    assert result.findings == []
    assert result.acknowledged > 100
