"""Where the embedded servers listen: beside the router's port, or anywhere where somebody else is there."""

from __future__ import annotations

import socket
from contextlib import closing

from deploy.embedded import HOST, EmbeddedPorts


def two_neighbours() -> tuple[socket.socket, int]:
    """A socket that listens, and the next port, which is free."""
    for _ in range(100):
        listener, next_one = socket.socket(), socket.socket()
        listener.bind((HOST, 0))
        port = listener.getsockname()[1] + 1
        with closing(next_one):
            try:
                next_one.bind((HOST, port))
            except OSError:
                listener.close()
                continue
        listener.listen()
        return listener, port
    raise AssertionError("no two free ports beside each other")


def test_they_are_beside_the_router_and_elsewhere_where_somebody_listens() -> None:
    listener, free = two_neighbours()
    with closing(listener):
        ports = EmbeddedPorts.beside(free - 11)
    assert ports.valkey == free
    assert ports.postgres != free - 1
    assert len({ports.postgres, ports.valkey, ports.broker, ports.cache}) == 4


def test_no_port_of_the_routers_leaves_all_free_and_none_privileged_or_beyond_the_highest_is_taken() -> None:
    for port in (0, 80, 65_530):
        ports = EmbeddedPorts.beside(port)
        assert all(1024 < each <= 65_535 for each in (ports.postgres, ports.valkey, ports.broker, ports.cache))
