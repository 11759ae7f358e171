"""The processes of the subgraphs under `fittracker up`: more or fewer of one, and each replaced by a fresh one in turn.

`stack` owns it. The router learns of instances from a file that the fleet keeps; it is told before a process comes or goes.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import yaml

from deploy.child import ChildSpec
from deploy.data_directory import write_whole
from deploy.embedded import HOST
from deploy.errors import FriendlyError
from deploy.local_http import json_of
from deploy.supervisor import Supervisor

MOST_INSTANCES = 9  # of one subgraph, on one machine
ROUTER = "router"
ROUTER_PATIENCE_SECONDS = 15.0

Tell = Callable[[str], None]


class MakeSpec(Protocol):
    def __call__(self, child: str, subgraph: str, listener: socket.socket) -> ChildSpec: ...


class Fleet:
    """Each subgraph's first process is called as the subgraph, the others NAME-2, NAME-3, with ports of their own."""

    def __init__(self, supervisor: Supervisor, file: Path, make_spec: MakeSpec) -> None:
        self._supervisor = supervisor
        self._file = file
        self._make_spec = make_spec
        self._listeners: dict[str, socket.socket] = {}
        self._children: dict[str, list[str]] = {}
        self.router_port = 0

    def add_first(self, subgraph: str, listener: socket.socket) -> None:
        self._children[subgraph] = [subgraph]
        self._listeners[subgraph] = listener

    def first_specs(self) -> list[ChildSpec]:
        return [self._spec(name, name) for name in self._children]

    def children_of(self, subgraphs: Iterable[str]) -> list[str]:
        """The names of their processes. Raises FriendlyError for a subgraph that there is not."""
        return [child for name in subgraphs for child in self._known(name)]

    def write(self) -> None:
        """What the router reads: every subgraph's addresses."""
        addresses = {name: [self._url(child) for child in children] for name, children in self._children.items()}
        write_whole(self._file, yaml.safe_dump(addresses, sort_keys=False))

    def close(self) -> None:
        for listener in self._listeners.values():
            listener.close()
        self._listeners.clear()
        self._children.clear()

    async def scale(self, wanted: Mapping[str, int], tell: Tell) -> None:
        """So many processes of each subgraph. Raises FriendlyError, ChildError; what was done by then stays."""
        for name, count in wanted.items():
            self._known(name)
            if not 1 <= count <= MOST_INSTANCES:
                raise FriendlyError(f"{name}={count}: between 1 and {MOST_INSTANCES} instances can run here")
        for name, count in wanted.items():
            await self._grow(name, count)
            await self._shrink(name, count)
            tell(f"{name.upper()}-SERVICE: {count} instance{'' if count == 1 else 's'}")

    async def roll(self, names: Sequence[str], tell: Tell) -> None:
        """A fresh process in the place of each, one after the other: subgraphs, then the router; all where none is named.

        A successor must be ready before its predecessor is asked to leave. Raises FriendlyError, ChildError: then the
        predecessor goes on.
        """
        subgraphs = [name for name in names or self._children if name != ROUTER]
        children = self.children_of(subgraphs)
        if not names or ROUTER in names:
            children.append(ROUTER)
        for child in children:
            before = self._supervisor.pids.get(child)
            await self._supervisor.replace([child])
            tell(f"{child}: process {self._supervisor.pids[child]} in the place of {before}")

    async def _grow(self, name: str, count: int) -> None:
        children = self._children[name]
        new = [_numbered(name, number) for number in range(len(children) + 1, count + 1)]
        for child in new:
            self._listeners[child] = socket.create_server((HOST, 0))
        try:
            await self._supervisor.start_together([self._spec(child, name) for child in new])
        except BaseException:
            await self._end(new)
            raise
        children += new
        self.write()
        await self._router_knows(name)

    async def _shrink(self, name: str, count: int) -> None:
        leaving = self._children[name][count:]
        if leaving:
            del self._children[name][count:]
            self.write()
            await self._router_knows(name)  # and asks them nothing any more
            await self._end(leaving)

    async def _end(self, children: Sequence[str]) -> None:
        for child in children:
            await self._supervisor.end(child)
            self._listeners.pop(child).close()

    async def _router_knows(self, name: str) -> None:
        """Wait until the router's registry has just our instances; a router that is down reads the file when it is back."""
        wanted = {self._url(child) for child in self._children[name]}
        end = asyncio.get_running_loop().time() + ROUTER_PATIENCE_SECONDS
        while asyncio.get_running_loop().time() < end:
            known = await asyncio.to_thread(_registered, self.router_port, name)
            if known is None or known == wanted:
                return
            await asyncio.sleep(0.1)

    def _known(self, name: str) -> list[str]:
        if name not in self._children:
            raise FriendlyError(f"there is no subgraph '{name}'", f"one of {', '.join(self._children)}")
        return self._children[name]

    def _spec(self, child: str, subgraph: str) -> ChildSpec:
        return self._make_spec(child, subgraph, self._listeners[child])

    def _url(self, child: str) -> str:
        return f"http://{HOST}:{self._listeners[child].getsockname()[1]}/graphql"


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def _registered(port: int, name: str) -> set[str] | None:
    """The addresses that the router asks; None where it does not answer."""
    try:
        rows: list[dict[str, Any]] = json_of(port, "/actuator/registry")["subgraphs"]
    except (OSError, ValueError, KeyError):
        return None
    return {each["url"] for row in rows if row["name"] == name for each in row["instances"]}
