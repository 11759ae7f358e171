"""Probes leave no spans of the database behind; requests do."""

from __future__ import annotations

import pytest
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from subgraphs.shell import telemetry


@pytest.mark.parametrize("traced", [True, False])
def test_the_database_is_not_traced_within_a_probe(monkeypatch: pytest.MonkeyPatch, traced: bool) -> None:
    monkeypatch.setattr(telemetry, "_traced", traced)

    with telemetry.untraced():
        within = is_instrumentation_enabled()

    assert within is not traced  # where nothing is traced, nothing has to be kept from it
    assert is_instrumentation_enabled()
