"""Where the instances of a subgraph are: listed, read from a file that is watched, or asked of DNS or a registry.

`instance_directory` runs `find` once before the router is ready and `follow` from then on; both tell an `InstancePool`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import dns.asyncresolver
import dns.exception
import dns.inet
import dns.nameserver
import orjson
import structlog
import yaml
from pydantic import ValidationError

from router.bounded_body import BodyTooLargeError, read_at_most
from router.file_changes import changes_of
from router.instance_settings import DnsNames, InstanceAddress, Registry
from router.settings import Subgraph

log = structlog.get_logger(__name__)

LARGEST_FILE_BYTES = 1024 * 1024
MOST_INSTANCES = 1_000
SHORTEST_REFRESH_SECONDS = 0.5

Addresses = tuple[InstanceAddress, ...]
Tell = Callable[[Addresses], None]


class DiscoveryError(Exception):
    """The instances could not be found; the message says why."""


class InstanceDiscovery:
    """Of one subgraph. `tell` gets all instances at first and after each change, never none."""

    def __init__(self, subgraph: str, settings: Subgraph, tell: Tell) -> None:
        self._subgraph = subgraph
        self._settings = settings
        self._tell = tell
        self._told: Addresses = ()
        self._pause = 0.0

    async def find(self) -> None:
        """Once. What cannot be found is logged, and what was known stays."""
        try:
            addresses = await self._addresses()
        except DiscoveryError as error:
            log.warning("instances_not_found", subgraph=self._subgraph, reason=str(error))
            return
        if not addresses:
            log.warning("no_instances", subgraph=self._subgraph)
        elif addresses != self._told:
            self._told = addresses
            self._tell(addresses)
            log.info("instances", subgraph=self._subgraph, instances=[each.url for each in addresses])

    async def follow(self) -> None:
        """Until cancelled."""
        discovery = self._settings.discovery
        if discovery is None:
            return
        if discovery.file is not None:
            async for _ in changes_of(discovery.file):
                await self.find()
        while True:
            await asyncio.sleep(self._pause)
            await self.find()

    async def _addresses(self) -> Addresses:
        discovery = self._settings.discovery
        if discovery is None:
            return self._settings.urls
        if discovery.file is not None:
            return await asyncio.to_thread(read_instances, discovery.file, self._subgraph)
        if discovery.http is not None:
            self._pause = discovery.http.refresh_seconds
            return await ask_registry(discovery.http, self._subgraph)
        assert discovery.dns is not None
        self._pause = discovery.dns.refresh_seconds
        addresses, self._pause = await resolve(discovery.dns)
        return addresses


def read_instances(file: Path, subgraph: str) -> Addresses:
    """What the file says of one subgraph: a list of addresses, or of mappings with url, zone and weight.

    Raises DiscoveryError.
    """
    try:
        if file.stat().st_size > LARGEST_FILE_BYTES:
            raise DiscoveryError(f"{file} is larger than {LARGEST_FILE_BYTES} bytes")
        listed: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DiscoveryError(f"{file} cannot be read: {error}") from None
    return _instances_in(listed, subgraph, str(file))


async def ask_registry(registry: Registry, subgraph: str) -> Addresses:
    """What the registry's answer says of one subgraph, in the form of a file. Raises DiscoveryError."""
    timeout = aiohttp.ClientTimeout(total=registry.timeout_seconds)
    headers = {name: value.get_secret_value() for name, value in registry.headers.items()}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(registry.url, headers=headers, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise DiscoveryError(f"{registry.url} answers {response.status}")
            body = await read_at_most(response, LARGEST_FILE_BYTES)
        listed = orjson.loads(body)
    except BodyTooLargeError as error:
        raise DiscoveryError(f"{registry.url} answers with {error}") from None
    except (aiohttp.ClientError, OSError, TimeoutError, orjson.JSONDecodeError) as error:
        raise DiscoveryError(f"{registry.url}: {error!r}") from None
    return _instances_in(listed, subgraph, registry.url)


def _instances_in(listed: Any, subgraph: str, place: str) -> Addresses:
    """Raises DiscoveryError."""
    if not isinstance(listed, Mapping):
        raise DiscoveryError(f"{place} must be a mapping of subgraph names to lists")
    of_subgraph = listed.get(subgraph) or []
    if not isinstance(of_subgraph, list) or len(of_subgraph) > MOST_INSTANCES:
        raise DiscoveryError(f"{place}: '{subgraph}' must be a list of at most {MOST_INSTANCES} instances")
    try:
        return tuple(InstanceAddress.model_validate(each) for each in of_subgraph)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise DiscoveryError(f"{place}: an instance of '{subgraph}': {first['msg']}") from None


async def resolve(names: DnsNames) -> tuple[Addresses, float]:
    """The instances in a fixed order, and how many seconds they may be believed. Raises DiscoveryError.

    An address in the place of the name is its own only instance.
    """
    if names.record == "A" and dns.inet.is_address(names.name):
        return (InstanceAddress(url=_host_url(names, names.name)),), names.refresh_seconds
    resolver = _resolver(names)
    try:
        if names.record == "SRV":
            return await _services(resolver, names)
        return await _hosts(resolver, names)
    except (dns.exception.DNSException, OSError) as error:
        raise DiscoveryError(f"{names.name}: {error}") from None


def _resolver(names: DnsNames) -> dns.asyncresolver.Resolver:
    resolver = dns.asyncresolver.Resolver(configure=not names.nameservers)
    resolver.lifetime = 5.0
    if names.nameservers:
        resolver.nameservers = []
        for server in names.nameservers:
            host, _, port = server.rpartition(":") if server.count(":") == 1 else (server, "", "")
            resolver.nameservers.append(dns.nameserver.Do53Nameserver(host, int(port or 53)))
    return resolver


async def _services(resolver: dns.asyncresolver.Resolver, names: DnsNames) -> tuple[Addresses, float]:
    """Of the records with the best priority, as RFC 2782 wants it."""
    answer = await resolver.resolve(names.name, "SRV", search=True)
    best = min(record.priority for record in answer)
    found = {
        f"{names.scheme}://{record.target.to_text(omit_final_dot=True)}:{record.port}{names.path}": record.weight
        for record in answer
        if record.priority == best
    }
    return _in_order(found), _seconds(answer.rrset.ttl if answer.rrset else 0, names)


async def _hosts(resolver: dns.asyncresolver.Resolver, names: DnsNames) -> tuple[Addresses, float]:
    asked = (resolver.resolve(names.name, kind, search=True) for kind in ("A", "AAAA"))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    good = [answer for answer in answers if not isinstance(answer, BaseException)]
    if not good:
        raise next(answer for answer in answers if isinstance(answer, BaseException))
    hosts = [record.address for answer in good for record in answer]
    found = {_host_url(names, host): 1 for host in hosts[:MOST_INSTANCES]}
    return _in_order(found), _seconds(min(answer.rrset.ttl for answer in good if answer.rrset), names)


def _host_url(names: DnsNames, host: str) -> str:
    return f"{names.scheme}://{f'[{host}]' if ':' in host else host}:{names.port}{names.path}"


def _in_order(weights: Mapping[str, int]) -> Addresses:
    """SRV weights go to 65,535 and ours to 100; 0 is as little as there is."""
    largest = max(weights.values(), default=1)
    scale = 1 if largest <= 100 else 100 / largest
    return tuple(InstanceAddress(url=url, weight=max(1, round(weights[url] * scale))) for url in sorted(weights))


def _seconds(time_to_live: int, names: DnsNames) -> float:
    return max(SHORTEST_REFRESH_SECONDS, min(float(time_to_live), names.refresh_seconds))
