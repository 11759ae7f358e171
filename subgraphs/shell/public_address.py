"""Addresses that clients give and we send to: which of them are of the internet, and of nothing of our own. Pure.

Whoever sends judges again what a name leads to, and what is connected to: `public_http`.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

HTTPS_PORT = 443
# What the internet gives out of IPv6 (IANA); link-local, site-local, mapped and translated addresses are outside of it.
_GIVEN_OUT = IPv6Network("2000::/3")
# What an IPv4 address hides in: translation of the network (RFC 6052), 6to4.
_DISGUISES = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("2002::/16"))
# Of labels of at most 63 characters, as DNS has them (RFC 1035); of more, the resolver of Python makes no question.
_LABEL = r"[A-Za-z0-9_-]{1,63}"
_NAME = re.compile(rf"(?=.{{1,254}}\Z){_LABEL}(\.{_LABEL})+\.?")
# What may stand in the first line of a request (RFC 9112): a blank ends the address there.
_WRITTEN = re.compile(r"[!-~]+")
# Names that are of one machine or one net, wherever they are asked for (RFC 6761, 6762, 8375).
_NOT_OF_THE_INTERNET = ("localhost", "local", "internal", "home.arpa", "localdomain", "intranet", "lan")


@dataclass(frozen=True, slots=True)
class Reach:
    """Where requests may go besides https at the `ports` of the internet. `trusted` are origins that are taken as they are;
    `loopback` lets them to every port of this machine, over http too, which is for development alone.
    """

    ports: Collection[int] = (HTTPS_PORT,)
    trusted: frozenset[str] = frozenset()
    loopback: bool = False


def may_be_sent_to(address: str, reach: Reach) -> bool:
    """Whether it is an https address of a host with a name of the internet, or with an IP address of it, or within `reach`.

    What the name leads to is not known here.
    """
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError:
        return False
    if not url.hostname or url.username is not None or url.password is not None or not _WRITTEN.fullmatch(address):
        return False
    if origin_of(url) in reach.trusted:
        return True
    if reach.loopback and url.scheme in ("http", "https") and _is_this_machine(url.hostname):
        return True
    is_known_port = (HTTPS_PORT if port is None else port) in reach.ports
    return url.scheme == "https" and is_known_port and _is_of_the_internet(url.hostname)


def origin_of(url: SplitResult) -> str:
    return f"{url.scheme}://{url.netloc}"


def is_public_address(text: str) -> bool:
    """Whether an IP address is of the internet, and no other one in disguise. Raises ValueError for what is no address."""
    address: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address not in _GIVEN_OUT or any(address in network for network in _DISGUISES):
            return False
    return address.is_global and not address.is_multicast and not address.is_unspecified and not address.is_reserved


def is_loopback_address(text: str) -> bool:
    """Raises ValueError for what is no IP address."""
    return ip_address(text.partition("%")[0]).is_loopback


def _is_of_the_internet(host: str) -> bool:
    """A name is looked up when something is sent; here an address is judged, and what can only be a name of our own net."""
    try:
        return is_public_address(host)
    except ValueError:
        pass
    name = host.rstrip(".").lower()
    last = name.rpartition(".")[2]
    is_number = last.isdigit() or last.startswith("0x")  # which some resolvers read as an address
    is_ours = any(name == suffix or name.endswith(f".{suffix}") for suffix in _NOT_OF_THE_INTERNET)
    return _NAME.fullmatch(host) is not None and not is_number and not is_ours


def _is_this_machine(host: str) -> bool:
    try:
        return is_loopback_address(host)
    except ValueError:
        return host.lower() == "localhost"
