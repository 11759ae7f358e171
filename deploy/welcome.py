"""The panel that `fittracker up` and `fittracker router` show when they accept: what is where, and what to do next.

`up` and `serve` call `show`; what a router alone has to tell is made here.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.terminal import Terminal

if TYPE_CHECKING:
    from router.settings import Settings, Subgraph

Row = tuple[str, str | Text]

CONNECT_SECONDS = 1.0


def show(terminal: Terminal, title: str, rows: Iterable[Row]) -> None:
    table = Table.grid(padding=(0, 2))
    for name, what in rows:
        table.add_row(name, what)
    terminal.console.print(Panel(table, title=title, subtitle="Ctrl-C stops it", expand=False))


def of_router(settings: Settings, subgraphs: Mapping[str, str]) -> list[Row]:
    """Of a router whose graph has these subgraphs, names to URLs. With `dev` each is connected to, which takes
    CONNECT_SECONDS at most, and the panel says of those that cannot be reached why.
    """
    scheme = "http" if settings.tls is None else "https"
    origin = f"{scheme}://{_linked(settings.host)}:{settings.port}"
    rows: list[Row] = [("GraphQL, GraphiQL" if settings.serves_graphiql else "GraphQL", f"{origin}{settings.path}")]
    if not settings.serves_graphiql:
        needs = "`introspection: true`" if settings.dev and not settings.introspection else "--dev, or `graphiql: true`"
        rows.append(("GraphiQL", f"needs {needs}"))
    if settings.serves_console:
        rows.append(("console", f"{origin}/"))
    if settings.management.port is None:
        rows.append(("health, metrics", f"{origin}/ready, {origin}/actuator/prometheus"))
    addresses = {name: _addresses(settings.subgraphs.get(name), url) for name, url in subgraphs.items()}
    complaints = _unreachable(addresses) if settings.dev else {}
    for name, found in addresses.items():
        rows += [(name, complaints.get(each, each)) for each in found] or [(name, "found by discovery or by events")]
    rows.append(("changes", "are followed" if settings.watch else "need a new start, or --watch"))
    return rows


def _linked(host: str) -> str:
    """As a link names it: where a server listens at every address, this machine's own."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return f"[{address}]" if address.version == 6 else host


def _addresses(settings: Subgraph | None, url: str) -> list[str]:
    """None for a subgraph whose instances are discovered, and for one that is a schema only."""
    if settings is not None and settings.discovery is not None:
        return []
    if settings is not None and settings.urls:
        return [each.url for each in settings.urls]
    found = settings.url if settings is not None and settings.url is not None else url
    return [found] if found else []


def _unreachable(addresses: Mapping[str, list[str]]) -> dict[str, Text]:
    """By address: the address and why nobody accepts a connection there."""
    every = [each for found in addresses.values() for each in found]
    with ThreadPoolExecutor(max(1, len(every))) as threads:
        complaints = dict(zip(every, threads.map(_complaint, every), strict=True))
    return {
        address: Text.assemble(address, (f"  cannot be reached: {complaint}", "bold red"))
        for address, complaint in complaints.items()
        if complaint is not None
    }


def _complaint(address: str) -> str | None:
    """Why there is no connection, or None."""
    try:
        parts = urlsplit(address)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with socket.create_connection((parts.hostname or "", port), CONNECT_SECONDS):
            return None
    except TimeoutError:
        return f"nobody accepted within {CONNECT_SECONDS:g} s"
    except (OSError, ValueError) as error:
        return (getattr(error, "strerror", None) or str(error)).lower()
