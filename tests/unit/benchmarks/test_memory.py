"""What the memory benchmark calls flat."""

from __future__ import annotations

import random

from benchmarks.memory import MIX, judge, mixed_requests


def _samples(last_mib: float, *, noise: float = 0.0) -> list[tuple[float, float]]:
    """A hundred sizes from 100 MiB on, in a line."""
    chance = random.Random(7)
    return [(n * 1000.0, 100 + (last_mib - 100) * n / 100 + chance.uniform(-noise, noise)) for n in range(101)]


def test_noise_around_one_size_is_flat() -> None:
    assert judge(_samples(100, noise=5), 100_000).is_flat


def test_a_small_leak_under_noise_is_not_flat() -> None:
    verdict = judge(_samples(110, noise=3), 100_000)
    assert not verdict.is_flat
    assert 7 < verdict.growth_mib < 11


def test_what_fills_up_before_the_measurement_does_not_count() -> None:
    samples = [(n * 1000.0, 60.0 if n < 10 else 100.0) for n in range(101)]
    verdict = judge(samples, 100_000)
    assert verdict.is_flat
    assert verdict.growth_per_million_mib == 0


def test_the_mix_is_a_hundred_requests() -> None:
    assert sum(MIX.values()) == len(mixed_requests()) == 100
