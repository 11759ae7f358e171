"""What is asked for, and for whom: the quick ways of `RepresentationCollector` against what is said of it in words."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import orjson
import pytest
from graphql import build_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from router.executor.representations import Collected, KnownObjects, RepresentationCollector
from router.executor.sharing import Sharing
from router.query_plan import EntityLookup, Path, RepresentationRule
from router.selection_set import Field, SelectionSet

SCHEMA = build_schema("scalar Any type Query { users: [User] } type User { id: Any name: String best: User }")
USERS: Path = ("users", "@")
BEST: Path = ("users", "@", "best")
NAME = SelectionSet((Field("name", "name"),))


def collector_of(
    *paths: Path, shared: frozenset[Path] = frozenset(), key: tuple[str, ...] = ("id",)
) -> RepresentationCollector:
    rule = RepresentationRule(frozenset(), "User", SelectionSet(tuple(Field(name, name) for name in key)))
    lookup = EntityLookup(paths, (rule,), NAME)
    sharing = Sharing(shared, {(id(lookup), path): number for number, path in enumerate(paths)})
    return RepresentationCollector(lookup, sharing, SCHEMA, lambda name: frozenset([name]))


def collected_from(tree: Any, *paths: Path, **how: Any) -> Collected:
    return collector_of(*paths, **how).collect(tree, {}, {})


def objects_at(tree: Any, path: Path) -> list[Any]:
    """All, as often as they stand there."""
    users = tree["users"]
    found = users if path == USERS else [user.get("best") for user in users if user.__class__ is dict]
    return [each for each in found if each.__class__ is dict]


identities = st.sampled_from(
    ["1", "2", "3", "4", "é", 'a "quoted" one', "\n", "", 1, 1.0, True, None, {"deep": "1"}, ["1"]]
)
users = st.fixed_dictionaries({"name": st.sampled_from(["a", "b"])}, optional={"id": identities})
lists = st.lists(st.fixed_dictionaries({"id": identities, "best": users | st.none()}) | users | st.none(), max_size=8)
texts = st.sampled_from(["1", "2", "3", "é", '"'])
plain_lists = st.lists(st.fixed_dictionaries({"id": texts, "best": st.fixed_dictionaries({"id": texts})}), max_size=6)


@settings(max_examples=400, deadline=None)
@given(lists | plain_lists, st.sampled_from([(USERS,), (BEST,), (USERS, BEST)]), st.booleans(), st.booleans())
def test_each_entity_is_asked_for_once_and_goes_to_all_objects_that_are_it(
    found: list[Any], paths: tuple[Path, ...], is_shared: bool, has_texts_only: bool
) -> None:
    if has_texts_only:
        found = [
            each
            for each in found
            if each is not None and all(at.get("id").__class__ is str for at in (each, each.get("best") or each))
        ]
    tree: dict[str, Any] = {"users": found}
    before = orjson.dumps(tree)
    collected = collected_from(tree, *paths, shared=frozenset(paths if is_shared else ()))

    wanted: dict[bytes, Any] = {}
    for path in paths:
        for item in objects_at(tree, path):
            if item.get("id") is not None:
                wanted.setdefault(orjson.dumps(item["id"]), item["id"])
    assert orjson.loads(collected.written()) == [{"__typename": "User", "id": each} for each in wanted.values()]
    assert collected.representations == [{"__typename": "User", "id": each} for each in wanted.values()]
    assert collected.count == len(wanted)
    waiting = dict(zip(wanted, collected.targets, strict=True))
    for path in paths:
        for item in objects_at(tree, path):
            if item.get("id") is not None:
                assert any(target is item for target, _ in waiting[orjson.dumps(item["id"])])
    for index, each in enumerate(collected.targets):
        assert len({id(target) for target, _ in each}) == len(each) or len(paths) > 1
        assert [id(target) for target in collected.targets_of(index)] == [id(target) for target, _ in each]
    assert orjson.dumps(tree) == before  # sharing never changes a response


@pytest.mark.parametrize("path", [USERS, BEST])
def test_equal_objects_at_a_shared_path_become_one_and_are_counted(path: Path) -> None:
    users: list[Any] = [{"id": number, "best": {"id": number}} for number in ("1", "2", "1", "1")]
    tree = {"users": [*users[:2], None, *users[2:]]}
    collected = collected_from(tree, path, shared=frozenset([path]))

    one, two, *same = objects_at(tree, path)
    assert [each is one for each in same] == [True, True]
    assert [[id(target) for target, _ in each] for each in collected.targets] == [[id(one)], [id(two)]]
    assert collected.shared == {"".join(f"{part}." for part in path if part != "@"): 3}


def test_objects_of_one_identity_that_say_something_else_stay_apart_and_wait_for_one_entity() -> None:
    first, other = {"id": "1", "name": "a"}, {"id": "1", "name": "b"}
    tree = {"users": [first, other, deepcopy(first), deepcopy(other)]}
    collected = collected_from(tree, USERS, shared=frozenset([USERS]))

    assert collected.representations == [{"__typename": "User", "id": "1"}]
    assert [target for target, _ in collected.targets[0]] == [first, other, other]
    assert collected.is_repeated
    assert collected.shared == {"users.": 2}


def test_what_a_lookup_has_shared_is_found_again_by_the_next() -> None:
    tree = {"users": [{"id": "1"}, {"id": "2"}, {"id": "1"}]}
    collector, known = collector_of(USERS, shared=frozenset([USERS])), KnownObjects()
    first = collector.collect(tree, known, {})
    tree["users"] = []  # it need not look there
    assert collector.collect(tree, known, {}).targets == first.targets


def test_several_keys_and_missing_ones() -> None:
    tree = {"users": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}, {"id": 1}, {"id": 1, "name": "a"}]}
    collected = collected_from(tree, USERS, shared=frozenset([USERS]), key=("id", "name"))
    assert collected.written() == b'[{"__typename":"User","id":1,"name":"a"},{"__typename":"User","id":1,"name":"b"}]'
    assert len(collected.targets) == 2
