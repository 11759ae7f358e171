"""Metrics of what every request does several times: plain numbers of one event loop, put into Prometheus' shape when scraped.

prometheus_client's own metrics take a lock for each value and up to eight calls for an observation, which is a twentieth of
a small request. `telemetry` declares these beside the others.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Durations:
    """What was observed under one set of labels: how many up to each bound, and all seconds together."""

    __slots__ = ("_bounds", "counts", "seconds")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)  # the last: over all bounds
        self.seconds = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(self._bounds, seconds)] += 1
        self.seconds += seconds


class DurationHistogram(Collector):
    """A histogram of seconds by labels, as `prometheus_client.Histogram` would tell it."""

    def __init__(
        self,
        name: str,
        documentation: str,
        labelnames: Sequence[str],
        *,
        buckets: Sequence[float],
        registry: CollectorRegistry,
    ) -> None:
        """`buckets` are the upper bounds in ascending order, without infinity."""
        self._name = name
        self._documentation = documentation
        self._labelnames = tuple(labelnames)
        self._bounds = tuple(buckets)
        self._bound_names = [
            floatToGoString(bound)  # type: ignore[no-untyped-call]
            for bound in (*self._bounds, math.inf)
        ]
        self._children: dict[tuple[str, ...], Durations] = {}
        registry.register(self)

    def labels(self, *values: str) -> Durations:
        """Raises ValueError where there are not as many values as labels."""
        if len(values) != len(self._labelnames):
            raise ValueError(f"{self._name} has the labels {', '.join(self._labelnames)}.")
        return self._children.setdefault(values, Durations(self._bounds))

    def describe(self) -> Iterator[HistogramMetricFamily]:
        yield HistogramMetricFamily(self._name, self._documentation, labels=self._labelnames)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        family = HistogramMetricFamily(self._name, self._documentation, labels=self._labelnames)
        for values, durations in list(self._children.items()):
            buckets = list(zip(self._bound_names, map(float, accumulate(durations.counts)), strict=True))
            family.add_metric(values, buckets, durations.seconds)
        yield family


class Count:
    """How often something happened under one set of labels."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def inc(self) -> None:
        self.value += 1


class LabelledCounts(Collector):
    """A counter with labels, as `prometheus_client.Counter` would tell it."""

    def __init__(
        self, name: str, documentation: str, labelnames: Sequence[str], *, registry: CollectorRegistry
    ) -> None:
        self._name = name
        self._documentation = documentation
        self._labelnames = tuple(labelnames)
        self._children: dict[tuple[str, ...], Count] = {}
        registry.register(self)

    def labels(self, *values: str) -> Count:
        """Raises ValueError where there are not as many values as labels."""
        if len(values) != len(self._labelnames):
            raise ValueError(f"{self._name} has the labels {', '.join(self._labelnames)}.")
        return self._children.setdefault(values, Count())

    def describe(self) -> Iterator[CounterMetricFamily]:
        yield CounterMetricFamily(self._name, self._documentation, labels=self._labelnames)

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(self._name, self._documentation, labels=self._labelnames)
        for values, count in list(self._children.items()):
            family.add_metric(values, float(count.value))
        yield family


class Level:
    """A number that goes up and down, told as a gauge without labels."""

    __slots__ = ("value",)

    def __init__(self, name: str, documentation: str, *, registry: CollectorRegistry) -> None:
        self.value = 0
        Gauge(name, documentation, registry=registry).set_function(lambda: self.value)
