"""What tools read of the graph that is served: where scalars are specified, descriptions, defaults that mean something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import get_introspection_query, specified_scalar_types

from tests.testkit.running_stack import RunningStack

RFC_3339 = "https://scalars.graphql.org/andimarek/date-time.html"
OF_NO_SPECIFICATION = {"IdempotencyKey", "LocalTime"}  # ours alone; their descriptions say it all


@pytest.fixture
async def types(stack: RunningStack) -> list[dict[str, Any]]:
    """As code generators ask for them."""
    query = get_introspection_query(specified_by_url=True, input_value_deprecation=True)
    _, answer = await stack.post({"query": query})
    told: list[dict[str, Any]] = answer["data"]["__schema"]["types"]
    return [each for each in told if not each["name"].startswith("__")]


def inputs(types: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Arguments and input fields by their coordinates."""
    for each in types:
        for field in each["fields"] or ():
            yield from ((f"{each['name']}.{field['name']}({given['name']}:)", given) for given in field["args"])
        yield from ((f"{each['name']}.{field['name']}", field) for field in each["inputFields"] or ())


async def test_scalars_say_where_they_are_specified(types: list[dict[str, Any]]) -> None:
    own = {
        each["name"]: each for each in types if each["kind"] == "SCALAR" and each["name"] not in specified_scalar_types
    }
    assert own["DateTime"]["specifiedByURL"] == RFC_3339
    assert {name for name, each in own.items() if not each["specifiedByURL"]} == OF_NO_SPECIFICATION
    assert all(each["description"] for each in own.values())


async def test_no_default_says_null(types: list[dict[str, Any]]) -> None:
    """What may be left out has no default, and a default is a value: a client can rely on what it reads."""
    defaults = {coordinate: given["defaultValue"] for coordinate, given in inputs(types) if given["defaultValue"]}
    assert defaults
    assert {coordinate for coordinate, value in defaults.items() if "null" in value} == set()
