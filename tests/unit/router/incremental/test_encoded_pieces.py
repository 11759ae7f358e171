"""Which parts are sent without a look at what is in them, and what is encoded once for several pieces."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from graphql import build_schema

from router.executor.execute import CompiledPlan, compile_plan
from router.executor.fetch import Execution
from router.incremental.encoded_pieces import EncodedPieces, sent_whole
from router.incremental.split import SplitOperation, split_incremental
from router.operation import normalize, parse_document
from router.query_plan import QueryPlan
from router.transport.in_process import InProcessTransport

SCHEMA = build_schema(
    """
    type Query { shop: Shop shops: [Shop!] }
    type Shop { name: String! price: Int owner: Owner things: [Thing] }
    type Owner { name: String city: String }
    union Thing = Owner | Shop
    """
)


def split(text: str) -> SplitOperation:
    operation = normalize(parse_document(text), None, SCHEMA, keep_incremental=True)
    found = split_incremental(operation, SCHEMA, {}, frozenset({"Shop", "Owner"}))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "whole", "whole_where_fields_are_repeated"),
    [
        ('{ shop { name ... @defer(label: "a") { price } } }', {"a"}, {"a"}),
        ('{ shop { name ... @defer(label: "a") { name price } } }', {"a"}, {"a"}),  # a leaf is asked for once
        ('{ shop { owner { name } ... @defer(label: "a") { owner { city } } } }', set(), {"a"}),
        (
            '{ shop { name ... @defer(label: "a") { price } ... @defer(label: "b") { owner { city } } } }',
            *[{"a", "b"}] * 2,
        ),
        ('{ shop { name ... @defer(label: "a") { price } ... @defer(label: "b") { price } } }', set(), set()),
        ('{ shop { ... @defer(label: "a") { price ... @defer(label: "b") { name } } } }', {"b"}, {"b"}),
        ('{ shop { name } ... @defer(label: "a") { shop { price } } }', set(), {"a"}),
        (
            '{ shop { owner { name ... @defer(label: "a") { city } } ... @defer(label: "b") { owner { city } } } }',
            set(),
            set(),
        ),
        (
            '{ shop { owner { name ... @defer(label: "a") { city } } ... @defer(label: "b") { price } } }',
            {"a", "b"},
            {"a", "b"},
        ),
        ('{ shops @stream(label: "s") { name } shop { name ... @defer(label: "a") { price } } }', *[{"s", "a"}] * 2),
    ],
)
def test_parts_are_sent_whole_where_no_field_of_theirs_is_told_elsewhere(
    text: str, whole: set[str], whole_where_fields_are_repeated: set[str]
) -> None:
    parts = split(text)
    assert {part.label for part in sent_whole(parts, repeats_fields=False)} == whole
    assert {part.label for part in sent_whole(parts, repeats_fields=True)} == whole_where_fields_are_repeated


def pieces(plan: CompiledPlan, parts: SplitOperation, tree: dict[str, Any]) -> EncodedPieces:
    part = (*parts.deferred, *parts.streams)[0]
    return EncodedPieces(part, plan, Execution(InProcessTransport(functions={}), {}, tree))


def compiled(parts: SplitOperation) -> CompiledPlan:
    operation = parts.deferred[0].operation if parts.deferred else parts.primary
    return compile_plan(QueryPlan("query", None), operation, SCHEMA, {})


def test_an_object_is_encoded_once_for_all_its_pieces_and_left_to_the_plain_projection_at_first() -> None:
    parts = split("{ shops { name ... @defer { price owner { city } } } }")
    plan, shop = compiled(parts), {"price": 3, "owner": {"city": "Bern"}}

    assert pieces(plan, parts, {}).of_object(shop) is None
    encoded = pieces(plan, parts, {})
    made = encoded.of_object(shop)
    assert made is not None
    assert orjson.dumps(made) == b'{"price":3,"owner":{"city":"Bern"}}'
    assert encoded.of_object(shop) is made


@pytest.mark.parametrize("shop", [None, [], {"price": "3"}, {"price": 2**31}, {"owner": "Ann"}])
def test_what_is_not_as_the_schema_says_is_left_to_the_plain_projection(shop: Any) -> None:
    parts = split("{ shops { name ... @defer { price owner { city } } } }")
    plan = compiled(parts)
    pieces(plan, parts, {})
    assert pieces(plan, parts, {}).of_object(shop) is None


def test_items_of_several_types_are_encoded_and_null_is_one_of_them_where_it_may_be() -> None:
    parts = split("{ shop { things @stream { ... on Owner { city } ... on Shop { name } } } }")
    plan = compiled(parts)
    pieces(plan, parts, {})
    encoded = pieces(plan, parts, {})
    made = encoded.of_items([{"__typename": "Owner", "city": "Bern"}, None, {"__typename": "Shop", "name": "x"}])
    assert made is not None
    assert orjson.dumps(made) == b'[{"city":"Bern"},null,{"name":"x"}]'
    assert pieces(plan, parts, {}).of_items([{"__typename": "Nobody"}]) is None

    of_shops = split("{ shops @stream { name } }")
    plan = compiled(of_shops)
    pieces(plan, of_shops, {})
    assert pieces(plan, of_shops, {}).of_items([{"name": "x"}, None]) is None
