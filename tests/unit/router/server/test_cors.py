"""Which origins may call: named ones, every port of a host, any."""

import pytest

from router.server.cors import CorsPolicy
from router.server.header_values import HeaderFields
from router.settings import Cors


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:5173", True),
        ("http://localhost:1", True),
        ("http://localhost", False),
        ("https://localhost:5173", False),
        ("http://localhost:5173.evil.example", False),
        ("http://evil.localhost:5173", False),
        ("https://app.example", True),
        ("https://app.example:8443", False),
    ],
)
def test_a_star_stands_for_every_port_of_its_host_and_nothing_else(origin: str, allowed: bool) -> None:
    policy = CorsPolicy(Cors(origins=("http://localhost:*", "https://app.example"), credentials=True))
    assert policy.allows(origin) is allowed
    names = {name for name, _ in policy.headers_for(HeaderFields([(b"origin", origin.encode())]))}
    assert (b"access-control-allow-origin" in names) is allowed


@pytest.mark.parametrize("origin", ["http://*.example.com", "http://*", "*:8080", "http://a:*/x"])
def test_other_patterns_are_refused_at_start(origin: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        Cors(origins=(origin,))
