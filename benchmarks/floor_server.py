"""The least that a Python gateway could do: the same subgraph requests with the router's own client, then fixed bytes.

Started by `floor` as `python -m benchmarks.floor_server --script FILE --port N`: it parses nothing and merges nothing.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from router.garbage import collect_in_short_pauses
from router.transport.protocol import SubgraphRequest
from router.transport.shared_requests import SharedRequests
from router.transport.subgraph_client import SubgraphClient


class Call(msgspec.Struct, frozen=True):
    subgraph: str
    url: str
    body: bytes


class Script(msgspec.Struct, frozen=True):
    """`stages` follow each other; the calls of one stage are made at once. No stages: an echo of the answer."""

    stages: tuple[tuple[Call, ...], ...]
    answer: bytes


class FloorApp:
    def __init__(self, script: Script) -> None:
        self._stages = [
            [SubgraphRequest(call.subgraph, call.url, call.body) for call in stage] for stage in script.stages
        ]
        self._answer = script.answer
        self._headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(script.answer)).encode()),
        ]
        self._transport = SharedRequests(SubgraphClient())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            more = (await receive()).get("more_body", False)
        if scope["method"] == "POST":
            for stage in self._stages:
                for pending in [self._transport.send(request) for request in stage]:
                    await pending
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._answer})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    script = msgspec.json.decode(options.script.read_bytes(), type=Script)
    collect_in_short_pauses()  # as the router does; the protocol is uvicorn's own, without the router's bounds
    config = uvicorn.Config(
        FloorApp(script), port=options.port, loop="uvloop", http="httptools", ws="none", lifespan="off",
        log_config=None, access_log=False, server_header=False, proxy_headers=False, timeout_keep_alive=75,
    )  # fmt: skip
    asyncio.Runner(loop_factory=config.get_loop_factory()).run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main()
