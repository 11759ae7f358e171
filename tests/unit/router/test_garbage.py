"""What the garbage collector looks through at one time is bounded, whatever is alive."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from router.garbage import THRESHOLDS, _resident_memory, collect_in_short_pauses

ALIVE = 300_000
#: A look at the young ones is at those made since the last, with those that survived three such looks.
MOST_LOOKED_THROUGH = 25_000


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds, callbacks = gc.get_threshold(), list(gc.callbacks)
    yield
    gc.set_threshold(*thresholds)
    gc.callbacks[:] = callbacks
    gc.unfreeze()


class Looks:
    """How many containers each collection looked through, by its generation."""

    def __init__(self) -> None:
        self.sizes: dict[int, list[int]] = {0: [], 1: [], 2: []}

    def __call__(self, phase: str, told: dict[str, Any]) -> None:
        if phase == "start":
            generation = told["generation"]
            looked_through = sum(len(gc.get_objects(generation=each)) for each in range(generation + 1))
            self.sizes[generation].append(looked_through)


def test_objects_that_stay_are_looked_through_few_at_a_time() -> None:
    collect_in_short_pauses()
    looks = Looks()
    gc.callbacks.append(looks)
    try:
        kept = [{"of": number} for number in range(ALIVE)]
    finally:
        gc.callbacks.remove(looks)
    assert len(kept) == ALIVE
    assert len(looks.sizes[0]) > 20
    assert len(looks.sizes[1]) > 5
    assert max(looks.sizes[0] + looks.sizes[1]) < MOST_LOOKED_THROUGH
    assert looks.sizes[2] == []


def test_what_was_there_before_is_not_looked_through_again() -> None:
    before = [{"of": number} for number in range(50_000)]
    collect_in_short_pauses()
    assert gc.get_freeze_count() >= len(before)
    assert sum(len(gc.get_objects(generation=each)) for each in range(3)) < len(before)


def test_circles_that_lived_long_go_before_there_are_three_million_of_them() -> None:
    """As those of a WebSocket that was open for an hour: nothing but a full collection finds them."""
    collect_in_short_pauses()
    full = 0

    def count(phase: str, told: dict[str, Any]) -> None:
        nonlocal full
        full += phase == "start" and told["generation"] == 2

    gc.callbacks.append(count)
    kept: list[list[Any]] = []
    try:
        for _ in range(3_000_000):
            circle: list[Any] = []
            circle.append(circle)
            kept.append(circle)
            if full:
                break
            if len(kept) == 100_000:  # in the oldest generation by now, all of them
                kept.clear()
    finally:
        gc.callbacks.remove(count)
    assert full == 1
    assert THRESHOLDS[0] * (THRESHOLDS[1] + 1) * (THRESHOLDS[2] + 1) < 3_000_000


def full_collections() -> list[int]:
    """How many containers each full collection looks through from here on, in a list that grows."""
    looks = Looks()
    gc.callbacks.append(looks)  # after what is tested, and so as the collector finds things
    return looks.sizes[2]


def test_what_a_long_collection_leaves_is_not_looked_through_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.garbage.LONG_SECONDS", 0.0)
    monkeypatch.setattr("router.garbage._resident_memory", lambda: 1_000)
    collect_in_short_pauses()
    kept = [[number] for number in range(ALIVE)]
    sizes = full_collections()
    gc.collect()
    gc.collect()
    assert len(kept) == ALIVE < sizes[0]
    assert sizes[1] < ALIVE / 100


def test_circles_that_were_set_aside_go_once_the_process_has_grown(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = 1_000
    monkeypatch.setattr("router.garbage.LONG_SECONDS", 0.0)
    monkeypatch.setattr("router.garbage._resident_memory", lambda: memory)
    collect_in_short_pauses()
    circle: set[Any] = set()

    class Member:
        pass

    member = Member()
    member.itself = member  # type: ignore[attr-defined]
    gone: list[bool] = []
    weakref.finalize(member, gone.append, True)
    circle.add(member)
    gc.collect()  # sets it aside
    del member
    circle.clear()
    memory = 1_200
    gc.collect()
    assert not gone
    memory = 1_300
    gc.collect()
    assert gone
    assert gc.get_freeze_count() > 0  # what is left is set aside again


def test_only_long_collections_set_anything_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.garbage.LONG_SECONDS", 3_600.0)
    collect_in_short_pauses()
    before = gc.get_freeze_count()
    gc.collect()
    assert gc.get_freeze_count() <= before


def test_memory_that_was_given_back_is_not_counted() -> None:
    before = _resident_memory()
    kept = bytearray(64 * 2**20)
    most = _resident_memory()
    del kept

    assert most > before + 48 * 2**20
    assert _resident_memory() < most - 48 * 2**20
