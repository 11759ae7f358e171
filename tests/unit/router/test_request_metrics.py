"""The router's own metrics tell what prometheus_client's would."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from router.request_metrics import DurationHistogram, LabelledCounts, Level

BOUNDS = (0.001, 0.5, 1.0, 10.0)
SECONDS = (0.0, 0.001, 0.0011, 0.5, 1.0, 7.25, 10.0, 10.5, 1e6)


def test_a_histogram_is_scraped_as_prometheus_clients_own() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    own = DurationHistogram("a_seconds", "What it is.", ["x", "y"], buckets=BOUNDS, registry=ours)
    reference = Histogram("a_seconds", "What it is.", ["x", "y"], buckets=BOUNDS, registry=theirs)
    assert generate_latest(ours) == generate_latest(theirs)  # before anything was observed
    for number, seconds in enumerate(SECONDS):
        for histogram in (own, reference):
            histogram.labels("1", "odd" if number % 2 else "even").observe(seconds)
    assert generate_latest(ours) == generate_latest(theirs)


def test_counts_are_scraped_as_prometheus_clients_own() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    own = LabelledCounts("a_total", "What it is.", ["x"], registry=ours)
    reference = Counter("a_total", "What it is.", ["x"], registry=theirs)
    assert generate_latest(ours) == generate_latest(theirs)  # before anything was counted
    for counts in (own, reference):
        for _ in range(3):
            counts.labels("one").inc()
        counts.labels('an"other\n').inc()
    assert generate_latest(ours) == generate_latest(theirs)
    with pytest.raises(ValueError, match="labels x"):
        own.labels("1", "2")


def test_a_histogram_has_the_labels_that_it_was_declared_with() -> None:
    histogram = DurationHistogram("a", "What it is.", ["x"], buckets=BOUNDS, registry=CollectorRegistry())
    with pytest.raises(ValueError, match="labels x"):
        histogram.labels("1", "2")


def test_two_metrics_of_one_name_are_refused() -> None:
    registry = CollectorRegistry()
    Gauge("a", "What it is.", registry=registry)
    with pytest.raises(ValueError, match="Duplicated"):
        DurationHistogram("a", "What it is.", [], buckets=BOUNDS, registry=registry)


def test_a_level_is_scraped_as_it_stands() -> None:
    registry = CollectorRegistry()
    level = Level("a", "What it is.", registry=registry)
    level.value += 3
    level.value -= 1
    assert b"\na 2.0\n" in generate_latest(registry)
