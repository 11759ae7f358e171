"""How the time to the first right answer is taken."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from benchmarks import first_answer
from benchmarks.compare import compose_shop, running_subgraphs
from benchmarks.first_answer import Start, medians, run, start_once
from benchmarks.gateways import our_gateway
from benchmarks.processes import free_port
from benchmarks.shop.workloads import WORKLOADS


def test_figures_are_medians() -> None:
    starts = [Start(seconds, seconds / 2, 100.0) for seconds in (1.0, 9.0, 2.0)]
    assert medians({"ours": starts}) == {"ours": {"seconds": 2.0, "cpu_seconds": 1.0, "memory_mib": 100.0}}


def test_a_gateway_that_never_answers_is_left_out_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_answer, "GATEWAY_CORE", None)
    monkeypatch.setattr(first_answer, "running_subgraphs", partial(running_subgraphs, core=None))
    light = next(each for each in WORKLOADS if each.name == "light")
    begun = tmp_path / "begun"
    command = f"echo once >> {begun}; echo no such graph; exit 1"
    ending = replace(our_gateway(), start=lambda *_: ["sh", "-c", command])
    left_out: dict[str, str] = {}
    assert run(light, [ending], left_out, rounds=2) == {}
    assert left_out == {"ours": "ours did not start:\nno such graph\n"}
    assert begun.read_text() == "once\n"


def test_a_router_that_ends_before_it_answers_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_answer, "GATEWAY_CORE", None)
    supergraph = tmp_path / "supergraph.graphql"
    supergraph.write_text(compose_shop(free_port()))
    ending = replace(our_gateway(), start=lambda *_: ["sh", "-c", "echo no such graph; exit 1"])
    with pytest.raises(RuntimeError, match="ours did not start:\nno such graph"):
        start_once(ending, supergraph, WORKLOADS[0])
