"""The settings of subgraphs that run as several instances: where they are, which of them is asked, when none may be.

Part of `router.settings`, which names these sections.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, model_validator

from router.settings_section import Section

HTTP_ADDRESS = "^https?://."


class InstanceAddress(Section):
    """One instance. Among several, each gets requests in proportion to its `weight`."""

    url: str = Field(pattern=HTTP_ADDRESS)
    zone: str = ""
    weight: int = Field(default=1, ge=1, le=100)

    @model_validator(mode="before")
    @classmethod
    def _of_a_url(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value


class DnsNames(Section):
    """`A` asks for addresses (IPv4 and IPv6), which get `port`; `SRV` for hosts with their ports and weights.

    Asked again when the answer's time to live is over, at least every `refresh_seconds`. `nameservers` are `ADDRESS` or
    `ADDRESS:PORT`; none: the system's.
    """

    name: str = Field(min_length=1, max_length=253)
    record: Literal["A", "SRV"] = "A"
    port: int | None = Field(default=None, ge=1, le=65_535)
    scheme: Literal["http", "https"] = "http"
    path: str = Field(default="/graphql", pattern="^/")
    refresh_seconds: float = Field(default=15.0, gt=0)
    nameservers: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _port_where_no_record_has_it(self) -> DnsNames:
        if self.record == "A" and self.port is None:
            raise ValueError("records of kind A have no port; set `port`, or ask for SRV records")
        return self


class Registry(Section):
    """An endpoint of a registry: GET of `url` is answered with instances by subgraph name, as `file` has them, in JSON."""

    url: str = Field(pattern=HTTP_ADDRESS)
    headers: Mapping[str, SecretStr] = Field(default_factory=dict)
    refresh_seconds: float = Field(default=5.0, ge=0.5)
    timeout_seconds: float = Field(default=2.0, gt=0)


class Discovery(Section):
    """Where instances come and go: a `file` that is watched (instances by subgraph name, YAML or JSON), `dns`, or a registry
    over `http`.

    An answer without any instance changes nothing: losing the directory must not stop what it listed.
    """

    file: Path | None = None
    dns: DnsNames | None = None
    http: Registry | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Discovery:
        if sum(way is not None for way in (self.file, self.dns, self.http)) != 1:
            raise ValueError("discovery has one of `file`, `dns` and `http`")
        return self


class InstanceCheck(Section):
    """GET of `path` at each instance. 200 is good; 503 takes it out at once, anything else after `failures` in a row."""

    path: str = Field(default="/ready", pattern="^/")
    interval_seconds: float = Field(default=1.0, gt=0)
    timeout_seconds: float = Field(default=2.0, gt=0)
    failures: int = Field(default=2, ge=1)


class Outliers(Section):
    """An instance that fails `failures_in_a_row` times is left alone for `eject_seconds`, each time longer by as much.

    Never more than `max_ejected_percent` of a subgraph's instances at once, but one of several always may be.
    """

    failures_in_a_row: int = Field(default=5, ge=1)
    eject_seconds: float = Field(default=5.0, gt=0)
    max_eject_seconds: float = Field(default=60.0, gt=0)
    max_ejected_percent: float = Field(default=50.0, ge=0, le=100)


class Hedging(Section):
    """A query that is not answered after `after_seconds` is sent to a second instance; the first good answer counts.

    At most `budget_percent` of a subgraph's queries, and ten in a row after a quiet while, are asked twice.
    """

    enabled: bool = False
    after_seconds: float = Field(default=0.3, gt=0)
    budget_percent: float = Field(default=5.0, ge=0, le=100)


class Balancing(Section):
    """Of two instances chosen at random the one with fewer requests under way is asked.

    A new instance is chosen rarely at first, and like the others after `slow_start_seconds`. Instances of the router's
    `zone` are preferred while at least `min_zone_percent` of them can be asked.
    """

    slow_start_seconds: float = Field(default=10.0, ge=0)
    min_zone_percent: float = Field(default=70.0, ge=0, le=100)
    outliers: Outliers = Outliers()
    hedging: Hedging = Hedging()
