"""Which instance is asked next: chance, load, weight, warmth, zone, ejection."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from pydantic import ValidationError

from router.instance_settings import Balancing, Hedging, InstanceAddress, Outliers
from router.settings import Subgraph
from router.transport.budget import CAPACITY, Budget
from router.transport.instances import Instance, InstancePool, InstanceStatus


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def address(name: str, **facts: Any) -> InstanceAddress:
    return InstanceAddress(url=f"http://{name}/graphql", **facts)


def pool_of(*names: str | InstanceAddress, clock: Clock | None = None, **options: Any) -> InstancePool:
    balancing = options.pop("balancing", Balancing())
    pool = InstancePool(balancing, now=clock or Clock(), chance=random.Random(7), **options)
    pool.replace(each if isinstance(each, InstanceAddress) else address(each) for each in names)
    return pool


def picks(pool: InstancePool, times: int = 1_000, avoided: tuple[str, ...] = ()) -> Counter[str]:
    return Counter(picked(pool, avoided).url[len("http://") : -len("/graphql")] for _ in range(times))


def picked(pool: InstancePool, avoided: tuple[str, ...] = ()) -> Instance:
    instance = pool.pick(avoided)
    assert instance is not None
    return instance


def fail(pool: InstancePool, name: str, times: int) -> None:
    for _ in range(times):
        pool.note(of(pool, name), "SUBREQUEST_HTTP_ERROR", 0.1)


def of(pool: InstancePool, name: str) -> Instance:
    return next(each for each in pool.instances if each.url == f"http://{name}/graphql")


def test_idle_instances_are_asked_alike_and_by_weight() -> None:
    alike = picks(pool_of("a", "b", "c"), 3_000)
    assert all(900 < count < 1_100 for count in alike.values())
    weighted = picks(pool_of(address("a", weight=3), "b"), 4_000)
    assert 2_850 < weighted["a"] < 3_150


def test_of_two_the_one_with_fewer_requests_under_way_is_asked() -> None:
    pool = pool_of("a", "b")
    for _ in range(5):
        pool.begin(of(pool, "a"))
    assert picks(pool) == {"b": 1_000}


def test_an_empty_pool_has_none_and_one_instance_is_always_asked() -> None:
    assert pool_of().pick() is None
    alone = pool_of("a")
    fail(alone, "a", 50)
    assert picks(alone, 3, avoided=("http://a/graphql",)) == {"a": 3}


def test_what_failed_with_a_query_is_the_last_resort_for_it() -> None:
    pool = pool_of("a", "b", "c")
    assert set(picks(pool, avoided=("http://a/graphql", "http://b/graphql"))) == {"c"}
    every = tuple(each.url for each in pool.instances)
    assert set(picks(pool, avoided=every)) == {"a", "b", "c"}


def test_an_instance_that_fails_in_a_row_is_left_alone_and_comes_back_slowly() -> None:
    clock = Clock()
    pool = pool_of("a", "b", clock=clock)
    fail(pool, "a", 4)
    assert of(pool, "a").status is InstanceStatus.DOWN
    assert "a" in picks(pool)
    fail(pool, "a", 1)
    assert of(pool, "a").status is InstanceStatus.EJECTED
    assert set(picks(pool)) == {"b"}
    clock.seconds += 5.1
    back = picks(pool)
    assert 0 < back["a"] < 200, "it begins slowly"
    fail(pool, "a", 1)
    assert set(picks(pool)) == {"b"}, "one more failure is enough"
    clock.seconds += 5.1
    assert set(picks(pool)) == {"b"}, "and it takes longer each time"


def test_no_more_than_a_share_is_ejected_and_when_all_fail_all_are_asked() -> None:
    pool = pool_of("a", "b", "c", "d")
    for name in "abcd":
        fail(pool, name, 10)
    ejected = [each for each in pool.instances if each.status is InstanceStatus.EJECTED]
    assert len(ejected) == 2
    two = pool_of("a", "b", balancing=Balancing(outliers=Outliers(max_ejected_percent=0)))
    fail(two, "a", 10)
    assert of(two, "a").status is InstanceStatus.EJECTED, "one of several always may be"


def test_a_new_instance_begins_slowly_beside_others_and_at_once_where_all_are_new() -> None:
    clock = Clock()
    pool = pool_of("a", clock=clock)
    pool.replace([address("a"), address("b")])
    assert 40 < picks(pool)["b"] < 160
    clock.seconds += 5
    assert 250 < picks(pool)["b"] < 420
    clock.seconds += 5
    assert 430 < picks(pool)["b"] < 570


def test_an_instance_that_is_gone_is_let_go_when_its_last_request_ends() -> None:
    left: list[str] = []
    pool = pool_of("a", "b", on_left=left.append)
    leaving = of(pool, "a")
    pool.begin(leaving)
    pool.replace([address("b")])
    assert set(picks(pool)) == {"b"}
    assert not left
    pool.end(leaving, None, 0.1)
    assert left == ["http://a/graphql"]


def test_an_instance_that_comes_back_while_it_leaves_is_the_same_one() -> None:
    left: list[str] = []
    pool = pool_of("a", "b", on_left=left.append)
    leaving = of(pool, "a")
    pool.begin(leaving)
    pool.replace([address("b")])
    pool.replace([address("a"), address("b")])
    assert of(pool, "a") is leaving
    pool.end(leaving, None, 0.1)
    assert not left


def test_the_own_zone_is_preferred_while_enough_of_it_can_be_asked() -> None:
    names = [address(name, zone="near") for name in "abcd"] + [address("e", zone="far")]
    pool = pool_of(*names, zone="near")
    assert set(picks(pool)) == {"a", "b", "c", "d"}
    fail(pool, "a", 5)
    assert set(picks(pool)) == {"b", "c", "d"}
    fail(pool, "b", 5)
    assert set(picks(pool)) == {"c", "d", "e"}, "half of the zone is too little"
    assert set(picks(pool, avoided=tuple(f"http://{name}/graphql" for name in "abcd"))) == {"e"}


def test_what_a_check_says_goes_before_what_requests_say() -> None:
    pool = pool_of("a", "b", "c", is_checked=True)
    of(pool, "a").check = True
    assert set(picks(pool)) == {"a"}, "the others have not said that they are ready"
    of(pool, "b").check = True
    of(pool, "a").check = InstanceStatus.OUT_OF_SERVICE
    assert set(picks(pool)) == {"b"}
    of(pool, "b").check = False
    assert set(picks(pool)) == {"a", "b", "c"}, "when none is well, each may still answer"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"urls": ["ftp://a"]}, "should match pattern"),
        ({"urls": ["http://a"], "discovery": {"file": "x"}}, "either listed in `urls` or found by `discovery`"),
        ({"discovery": {}}, "one of `file`, `dns` and `http`"),
        ({"discovery": {"dns": {"name": "a.internal"}}}, "have no port"),
        ({"health_check": {"path": "/ready"}}, "needs several instances"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Subgraph.model_validate(wrong)


def test_a_budget_gives_a_share_of_what_it_earned_and_a_few_at_first() -> None:
    budget = Budget(Hedging().budget_percent)
    assert sum(budget.spend() for _ in range(100)) == CAPACITY
    for _ in range(100):
        budget.earn()
    assert sum(budget.spend() for _ in range(100)) in (4, 5)
