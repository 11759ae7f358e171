"""What the benchmark of worker processes reads from the system, and what it makes of its runs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace

import pytest

from benchmarks.processes import children, listeners
from benchmarks.workers import Run, summarise

RUN = Run(
    requests_per_second=1_000.0,
    p50_ms=5.0,
    p99_ms=9.0,
    cpu_ms_per_request=0.5,
    router_cores=1.0,
    other_cores=0.4,
    busiest_share=1.0,
    failed=0,
)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_sockets_that_share_a_port_are_each_counted_once_they_listen() -> None:
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        first.bind(("127.0.0.1", 0))
        port = first.getsockname()[1]
        second.bind(("127.0.0.1", port))
        assert listeners(port) == 0
        first.listen()
        assert listeners(port) == 1
        second.listen()
        assert listeners(port) == 2
    assert listeners(port) == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_process_has_those_children_that_have_not_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in children(os.getpid())
        child.communicate(b"\n")
    assert child.pid not in children(os.getpid())


def test_rates_are_medians_and_multiples_of_the_first() -> None:
    two = [replace(RUN, requests_per_second=rate) for rate in (1_400.0, 1_600.0, 9_000.0)]
    summary = summarise({1: [RUN, RUN, RUN], 2: two})
    assert summary["1"]["times_the_first"] == 1.0
    assert summary["2"]["requests_per_second"] == 1_600.0
    assert summary["2"]["times_the_first"] == 1.6
