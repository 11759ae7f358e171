"""One round of faults while people write and watch: every part is killed, stopped and restarted, and every other kind of
fault comes once. `tests.testkit.campaign` runs longer ones.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.testkit.campaign import run
from tests.testkit.campaign_faults import KINDS, PARTS, planned
from tests.testkit.campaign_servers import fillable

ROUND = 38


def test_a_round_is_every_end_of_every_part_and_every_other_kind_once() -> None:
    faults = [str(fault) for fault in planned(ROUND, seed=7)]
    assert {f"{kind} {part}" for kind in ("kill", "stop", "restart") for part in PARTS} <= set(faults)
    assert sorted({fault.partition(" ")[0] for fault in faults}) == sorted(KINDS)
    assert len(set(faults)) == ROUND
    assert faults == [str(fault) for fault in planned(ROUND, seed=7)]


def test_a_kind_comes_to_every_part_that_it_can_befall() -> None:
    faults = planned(8, 1, kinds=["black-hole"])
    assert {fault.part for fault in faults} == set(KINDS["black-hole"])


def test_faults_can_be_of_one_part() -> None:
    assert {str(fault) for fault in planned(10, 1, ["analytics"], ["kill", "connections"])} == {"kill analytics"}
    with pytest.raises(ValueError, match="no half-close of router"):
        next(planned(1, 1, ["router"], ["half-close"]))


def test_a_disk_is_filled_where_it_is_a_small_one_and_valkey_everywhere() -> None:
    assert {fault.part for fault in planned(4, 1, kinds=["fill"])} == {"valkey"}
    assert {fault.part for fault in planned(4, 1, kinds=["fill"], disks=["postgres"])} == {"valkey", "postgres"}


@pytest.mark.timeout(420)
async def test_nothing_is_lost_doubled_or_wrong_after_a_round_of_faults(tmp_path: Path) -> None:
    faults = list(planned(ROUND, seed=7, disks=fillable(real=False)))
    result = await run(tmp_path / "data", faults, seed=7, stop_seconds=2.0)
    assert result.findings == []
    assert result.acknowledged > 100
