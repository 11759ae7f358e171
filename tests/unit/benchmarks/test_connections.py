"""The clients and the subgraph of the benchmark of many connections, without a router between them."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks import connections
from benchmarks.connections import Clients, Ticker, WrongConnectionError, fan_out


async def _subscribed(ticker: Ticker, count: int) -> tuple[asyncio.Server, Clients]:
    subgraph = await asyncio.start_server(ticker.serve, "127.0.0.1", 0)
    clients = Clients(subgraph.sockets[0].getsockname()[1])
    await clients.open_idle(2)
    await clients.subscribe(count)
    return subgraph, clients


async def test_each_subscriber_is_timed_once_for_each_event() -> None:
    ticker = Ticker()
    subgraph, clients = await _subscribed(ticker, 3)
    try:
        for number in (1, 2):
            times = await fan_out(ticker, clients, 3, number)
            assert len(times) == 3
            assert 0 < times[0] <= times[-1]
    finally:
        await clients.close()
        subgraph.close()


async def test_a_subscriber_that_gets_another_event_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    ticker = Ticker()
    subgraph, clients = await _subscribed(ticker, 2)
    lost = ticker.streams.pop()
    try:
        telling = asyncio.create_task(fan_out(ticker, clients, 2, 7))
        while not clients.came:
            await asyncio.sleep(0.005)
        monkeypatch.setattr(connections, "PATIENCE_SECONDS", 0.0)
        with pytest.raises(WrongConnectionError, match="only 1 of 2 subscribers were told"):
            await telling
    finally:
        lost.close()
        await clients.close()
        subgraph.close()
