"""The instances of one subgraph: which of them is asked next, and what came of it. Pure: time and chance are given.

`balanced_transport` has a pool for each subgraph with instances; `discovery` says which there are, `instance_checks` how
they are.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from router.instance_settings import Balancing, InstanceAddress

LEAST_WARMTH = 0.1  # how often, at its first moment, an instance is chosen compared with one that is warm
PENALTY_SHARE = 0.1  # of a new time in the mean


class InstanceStatus(StrEnum):
    """What is known of an instance."""

    UP = "UP"
    UNKNOWN = "UNKNOWN"
    DOWN = "DOWN"
    EJECTED = "EJECTED"  # it failed too often and is left alone for a while
    OUT_OF_SERVICE = "OUT_OF_SERVICE"  # it says that it is stopping, or not ready yet


@dataclass(eq=False, slots=True)
class Instance:
    """One address, and what this process has seen of it."""

    address: InstanceAddress
    warm_since: float  # of the pool's clock: when its slow start began
    outstanding: int = 0
    requests: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    ejections_in_a_row: int = 0
    ejected_until: float | None = None
    last_answer_at: float | None = None  # seconds since the epoch
    last_error: str | None = None
    mean_seconds: float = 0.0  # exponentially weighted
    #: what the last check said: True, False (it does not answer), or OUT_OF_SERVICE; None before the first
    check: bool | InstanceStatus | None = field(default=None)

    @property
    def url(self) -> str:
        return self.address.url

    @property
    def status(self) -> InstanceStatus:
        if isinstance(self.check, InstanceStatus):
            return self.check
        if self.check is False:
            return InstanceStatus.DOWN
        if self.ejected_until is not None:
            return InstanceStatus.EJECTED
        if self.failures_in_a_row:
            return InstanceStatus.DOWN
        return InstanceStatus.UP if self.check or self.last_answer_at is not None else InstanceStatus.UNKNOWN


class InstancePool:
    """Empty until `replace` says where the instances are."""

    def __init__(
        self,
        balancing: Balancing,
        *,
        zone: str = "",
        is_checked: bool = False,
        on_left: Callable[[str], None] = lambda _: None,
        on_ejected: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.monotonic,
        chance: random.Random | None = None,
    ) -> None:
        """`is_checked`: what no check has found good is only asked where nothing else is. `on_left` is called with the
        address of an instance that is gone, once nothing is under way to it.
        """
        self._balancing = balancing
        self._zone = zone
        self._is_checked = is_checked
        self._on_left = on_left
        self._on_ejected = on_ejected
        self._now = now
        self._chance = chance or random.Random()  # noqa: S311 - spreads load, hides nothing
        self._instances: dict[str, Instance] = {}
        self._leaving: dict[str, Instance] = {}

    def __len__(self) -> int:
        return len(self._instances)

    @property
    def instances(self) -> tuple[Instance, ...]:
        return tuple(self._instances.values())

    def replace(self, addresses: Iterable[InstanceAddress]) -> None:
        """These are all there are. Who stays keeps what is known of it; who is new begins slowly, unless all are new."""
        now = self._now()
        before = self._instances
        warm_since = now if before else now - self._balancing.slow_start_seconds
        self._instances = {}
        for address in addresses:
            known = before.pop(address.url, None) or self._leaving.pop(address.url, None)
            if known is None:
                known = Instance(address, warm_since)
            known.address = address
            self._instances[address.url] = known
        for gone in before.values():
            self._leaving[gone.url] = gone
            self._let_go(gone)

    def pick(self, avoided: Collection[str] = ()) -> Instance | None:
        """The instance to ask next, or None where none is known. One that is `avoided` or in trouble is the last resort."""
        candidates = self._candidates(avoided)
        if len(candidates) < 2:
            return candidates[0] if candidates else None
        one = self._draw(candidates, None)
        other = self._draw(candidates, one)
        return other if self._load(other) < self._load(one) else one

    def begin(self, instance: Instance) -> None:
        """A request goes out to it."""
        instance.outstanding += 1
        instance.requests += 1

    def end(self, instance: Instance, failure: str | None, seconds: float, *, is_known: bool = True) -> None:
        """What came of a request: `failure` is its name; not `is_known` where the request was broken off."""
        instance.outstanding -= 1
        if is_known:
            self.note(instance, failure, seconds)
        if instance.url in self._leaving:
            self._let_go(instance)

    def note(self, instance: Instance, failure: str | None, seconds: float) -> None:
        if failure is None:
            instance.failures_in_a_row = instance.ejections_in_a_row = 0
            instance.last_answer_at = time.time()
            mean = instance.mean_seconds
            instance.mean_seconds = mean + PENALTY_SHARE * (seconds - mean) if mean else seconds
            return
        instance.failures += 1
        instance.failures_in_a_row += 1
        instance.last_error = failure
        outliers = self._balancing.outliers
        if instance.failures_in_a_row >= outliers.failures_in_a_row and self._may_eject(instance):
            instance.ejections_in_a_row += 1
            pause = min(outliers.eject_seconds * instance.ejections_in_a_row, outliers.max_eject_seconds)
            instance.ejected_until = self._now() + pause
            self._on_ejected()

    def _let_go(self, instance: Instance) -> None:
        if not instance.outstanding:
            del self._leaving[instance.url]
            self._on_left(instance.url)

    def _may_eject(self, instance: Instance) -> bool:
        if instance.ejected_until is not None or len(self._instances) < 2:
            return False
        ejected = sum(each.ejected_until is not None for each in self._instances.values())
        return ejected < max(1, len(self._instances) * self._balancing.outliers.max_ejected_percent / 100)

    def _candidates(self, avoided: Collection[str]) -> list[Instance]:
        now = self._now()
        every = list(self._instances.values())
        for instance in every:
            if instance.ejected_until is not None and instance.ejected_until <= now:
                instance.ejected_until = None
                instance.failures_in_a_row = self._balancing.outliers.failures_in_a_row - 1  # one more is enough
                instance.warm_since = now
        usable = self._near([each for each in every if self._is_usable(each)])
        fresh = [each for each in usable if each.url not in avoided]
        if fresh:
            return fresh
        return [each for each in every if each.url not in avoided and self._is_usable(each)] or usable or every

    def _is_usable(self, instance: Instance) -> bool:
        if instance.ejected_until is not None:
            return False
        return instance.check is True or (instance.check is None and not self._is_checked)

    def _near(self, usable: list[Instance]) -> list[Instance]:
        """Those of the router's zone, where enough of them can be asked."""
        if not self._zone:
            return usable
        near = [each for each in usable if each.address.zone == self._zone]
        there = sum(each.address.zone == self._zone for each in self._instances.values())
        return near if near and len(near) * 100 >= there * self._balancing.min_zone_percent else usable

    def _draw(self, candidates: list[Instance], besides: Instance | None) -> Instance:
        """By chance, in proportion to weight and warmth."""
        left = [each for each in candidates if each is not besides]
        weights = [each.address.weight * self._warmth(each) for each in left]
        return self._chance.choices(left, weights)[0]

    def _warmth(self, instance: Instance) -> float:
        seconds = self._balancing.slow_start_seconds
        age = self._now() - instance.warm_since
        return 1.0 if age >= seconds else max(LEAST_WARMTH, age / seconds)

    def _load(self, instance: Instance) -> float:
        return instance.outstanding / (instance.address.weight * self._warmth(instance))
