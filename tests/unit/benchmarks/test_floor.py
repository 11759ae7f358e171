"""What the floor of a workload is: the calls that the router's plan makes, stage by stage, and the bytes of the answer."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from benchmarks import floor
from benchmarks.compare import WORKLOADS, compose_graph
from benchmarks.floor import FLOORS, measurable, script_of


def test_the_script_of_a_workload_is_its_calls_by_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor, "STAGE_SECONDS", 0.5)
    errors = FLOORS["errors"]
    script = asyncio.run(script_of(errors, compose_graph(errors.graph, 1)))
    assert [[call.subgraph for call in stage] for stage in script.stages] == [["items"], ["prices"]]
    assert len(orjson.loads(script.stages[1][0].body)["variables"]["representations"]) == 600
    assert len(orjson.loads(script.answer)["errors"]) == 200


def test_what_one_run_answers_for_many_has_no_floor() -> None:
    by_name = {each.name: each for each in WORKLOADS}
    assert measurable(by_name["heavy"]) is None
    assert measurable(by_name["heavy-distinct"]) == by_name["heavy-distinct"]
    assert not {"light-signed-in", "light-reloading", "heavy-deferred"} & FLOORS.keys()


def test_of_many_operations_the_first_is_sent_with_variables_of_its_own() -> None:
    one = FLOORS["many-plans"]
    assert (one.more, one.is_distinct) == ((), True)
    assert FLOORS["many-plans-cold"].more == ()
    assert "COUNTER" in FLOORS["many-plans-cold"].operation
