"""Which names the router answers to. A page whose own name leads to this machine (DNS rebinding) is of no other origin to its
browser, so no rule about origins keeps it out: the name does, which the browser tells.
"""

from __future__ import annotations

from collections.abc import Sequence

from router.server.header_values import HeaderFields


class HostNames:
    """Of the settings' `allowed_hosts`; none admits every name."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._names = frozenset(allowed)
        self._endings = tuple(each[1:] for each in allowed if each.startswith("*."))

    def admits(self, headers: HeaderFields) -> bool:
        """Whether `Host` is one of the names; the port is not looked at."""
        if not self._names:
            return True
        name = _without_port(headers.text(b"host")).lower().removesuffix(".")
        return name in self._names or name.endswith(self._endings)


def _without_port(host: str) -> str:
    """IPv6 addresses keep their brackets."""
    before, colon, port = host.rpartition(":")
    return before if colon and port.isdecimal() else host
