"""Where the benchmarks' servers listen."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from benchmarks.processes import free_port


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_free_port_is_none_that_an_outgoing_connection_can_get() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = {free_port() for _ in range(20)}
    assert len(ports) > 1
    assert max(ports) < first
    with socket.socket() as own:
        own.bind(("127.0.0.1", ports.pop()))
