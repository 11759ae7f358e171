"""`fittracker up` with somebody's own settings, let in from other machines."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.testkit.running_stack import RunningStack, running_stack

SETTINGS = "cors:\n  origins: [https://app.example]\nbatching: {enabled: true, max_size: 2}\n"


def address_of_this_machine() -> str:
    """Its own address in a network; nothing is sent. In none: an address of its own that is not the usual one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.2"
        address: str = probe.getsockname()[0]
    return address


@pytest.mark.timeout(300)
async def test_own_settings_count_and_the_router_is_reached_from_outside(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(SETTINGS)
    options = ("--no-sample-data", "--host", "0.0.0.0", "--config", str(file))
    async with running_stack(tmp_path / "data", *options) as stack:
        url = stack.state.router_url.replace("127.0.0.1", address_of_this_machine())
        query = {"query": "{ __typename }"}
        async with stack.session.post(url, json=[query, query], headers={"origin": "https://app.example"}) as response:
            assert await response.json() == [{"data": {"__typename": "Query"}}] * 2
            assert response.headers["access-control-allow-origin"] == "https://app.example"
            assert response.headers["access-control-allow-credentials"] == "true"  # of the generated ones
        port = stack.state.ports["users"]
        with socket.socket() as probe:
            assert probe.connect_ex((address_of_this_machine(), port)) != 0
    assert file.read_text() == SETTINGS


async def test_a_page_on_any_port_of_this_machine_may_call_a_development_stack_and_no_other_page(
    stack: RunningStack,
) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    for origin, is_allowed in (
        ("http://localhost:5173", True),
        ("http://127.0.0.1:3000", True),
        ("https://app.example", False),
        ("http://localhost.example:3000", False),
    ):
        async with stack.session.options(stack.state.router_url, headers={"origin": origin, **asked}) as preflight:
            allowed = preflight.headers.get("access-control-allow-origin")
            assert allowed == (origin if is_allowed else None)
            if is_allowed:
                assert {"authorization", "content-type"} <= set(
                    preflight.headers["access-control-allow-headers"].lower().replace(" ", "").split(",")
                )
        query = {"query": "{ __typename }"}
        async with stack.session.post(stack.state.router_url, json=query, headers={"origin": origin}) as response:
            assert response.headers.get("access-control-allow-origin") == allowed
