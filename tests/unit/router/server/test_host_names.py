"""Which names in `Host` a router with `allowed_hosts` answers to."""

import pytest

from router.server.header_values import HeaderFields
from router.server.host_names import HostNames

NAMES = ("api.example", "*.people.example", "[::1]", "127.0.0.1")


@pytest.mark.parametrize(
    ("host", "admitted"),
    [
        ("api.example", True),
        ("API.example:8080", True),
        ("api.example.", True),
        ("a.people.example", True),
        ("people.example", False),
        ("evilpeople.example", False),
        ("[::1]:8080", True),
        ("[::1]", True),
        ("127.0.0.1:80", True),
        ("api.example.evil.example", False),
        ("api.example:80@evil.example", False),
        ("evil.example:api.example", False),
        ("", False),
    ],
)
def test_a_name_is_admitted_with_any_port(host: str, admitted: bool) -> None:
    headers = HeaderFields([(b"host", host.encode())])
    assert HostNames(NAMES).admits(headers) is admitted
    assert HostNames(()).admits(headers)
