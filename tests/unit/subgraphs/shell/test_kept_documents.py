"""What the cache of documents holds is bounded by what it weighs, and weighs about what it is said to."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import strawberry
from graphql import DocumentNode, GraphQLSyntaxError, parse

from subgraphs.shell.compiled_operation import FIELD_BYTES, PreparedDocument
from subgraphs.shell.graphql_schema import MOST_TOKENS, SubgraphSchema
from subgraphs.shell.kept_documents import MOST_BYTES, MOST_DOCUMENTS, KeptDocuments

MEGABYTE = 1_000_000


@strawberry.type
class Box:
    name: str = "a box"


@strawberry.type
class Query:
    @strawberry.field
    def box(self) -> Box:
        return Box()


schema = SubgraphSchema(query=Query)
prepare = schema._new_document


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """How many bytes more there are than at the begin, without what nobody has any more."""

    def grown() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - begin

    gc.collect()
    tracemalloc.start()
    try:
        begin = tracemalloc.get_traced_memory()[0]
        yield grown
    finally:
        tracemalloc.stop()


def _long(number: int, fields: int = 500) -> str:
    return f"query Q{number} {{ {' '.join(f'a{each}: __typename' for each in range(fields))} }}"


def test_large_documents_that_are_sent_once_each_leave_no_more_than_the_bound() -> None:
    documents = KeptDocuments(prepare, most_bytes=3 * MEGABYTE)
    with traced() as grown:
        for number in range(9):
            documents.prepared(_long(number))
        assert MEGABYTE < grown() < 3 * MEGABYTE
    assert documents.bytes <= 3 * MEGABYTE
    assert len(documents) == 3


def test_the_heaviest_document_that_is_parsed_is_within_the_bound() -> None:
    heaviest = parse("{" + " a" * (MOST_TOKENS - 4) + "}", max_tokens=MOST_TOKENS)
    assert PreparedDocument(schema._schema, {}, heaviest, []).bytes < MOST_BYTES / 3
    with pytest.raises(GraphQLSyntaxError):
        prepare("{" + " a" * MOST_TOKENS + "}")


def test_documents_that_weigh_little_are_bounded_by_their_number() -> None:
    documents = KeptDocuments(prepare)
    for number in range(MOST_DOCUMENTS + 5):
        documents.prepared(f"query Q{number} {{ __typename }}")
    assert len(documents) == MOST_DOCUMENTS
    assert documents.bytes < MOST_DOCUMENTS * 10_000


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{" + "a " * 800 + "}", id="names that are wrong"),
        pytest.param("{ box(a: [" + "{a: 1} " * 400 + "]) }", id="objects"),
        pytest.param("".join(f"query Q{each} {{ __typename }} " for each in range(300)), id="operations"),
        pytest.param("".join(f"fragment F{each} on Box {{ name }} " for each in range(300)), id="fragments"),
        pytest.param("query(" + "".join(f"$v{each}: [Int!] " for each in range(400)) + "){ box }", id="variables"),
        pytest.param("{ box" + "@skip(if: true)" * 300 + " { name } }", id="directives"),
        pytest.param('{ box(a: "' + "\N{GRINNING FACE}" * 50_000 + '") }', id="a long text"),
        pytest.param(f"{{ {' '.join('x' * 1_000 for _ in range(60))} }}", id="long names"),
    ],
)
def test_a_document_takes_no_more_than_it_weighs(text: str) -> None:
    with traced() as grown:
        document = prepare(text)
        assert grown() < 1.2 * document.bytes


async def test_what_is_kept_of_selections_counts_as_soon_as_it_is_kept() -> None:
    fields = " ".join(f"a{each}: name" for each in range(150))
    spread = (
        "{ "
        + " ".join(f"p{each}: box {{ ...Long }}" for each in range(80))
        + f" }} fragment Long on Box {{ {fields} }}"
    )
    first = await _executed(spread)
    assert first.bytes > 80 * 150 * FIELD_BYTES
    assert schema.documents.bytes >= first.bytes


async def test_a_field_that_is_written_down_many_times_counts_as_often() -> None:
    spread = (
        "{ "
        + " ".join(f"p{each}: box {{ ...Long }}" for each in range(60))
        + f" }} fragment Long on Box {{ {'name ' * 200} }}"
    )
    plain = prepare(spread).bytes
    with traced() as grown:
        document = await _executed(spread)
        assert document.bytes - plain >= 60 * 200 * FIELD_BYTES
        assert grown() < document.bytes


async def test_documents_whose_selections_grow_drive_others_out() -> None:
    documents = KeptDocuments(prepare, most_bytes=4 * MEGABYTE)
    schema.documents, before = documents, schema.documents
    try:
        for number in range(4):
            fields = " ".join(f"a{each}: name" for each in range(100))
            assert (
                await _executed(
                    f"query Q{number} {{ {' '.join(f'p{each}: box {{ {fields} }}' for each in range(9))} }}"
                )
            ).bytes
            assert documents.bytes < 4 * MEGABYTE
    finally:
        schema.documents = before
    assert len(documents) == 1


def test_a_text_that_comes_again_finds_its_document() -> None:
    documents = KeptDocuments(prepare)
    assert documents.prepared("{ box { name } }") is documents.prepared("{ box { name } }")


def test_a_document_that_went_and_grows_yet_is_not_counted() -> None:
    documents = KeptDocuments(prepare, most_bytes=MEGABYTE)
    gone = documents.prepared(_long(1))
    documents.prepared(_long(2))
    before = documents.bytes
    gone.operation(None)
    assert documents.bytes == before


def test_a_document_that_nobody_keeps_goes_without_the_collector() -> None:
    documents = KeptDocuments(prepare, most_bytes=1_300_000)
    documents.prepared(_long(1))
    gc.collect()  # what the validation has left
    gc.disable()
    try:
        before = _trees()
        documents.prepared("{ box { name } }")
        documents.prepared(_long(2))
        assert _trees() - before == 1  # the short one; the first has gone, the last came
    finally:
        gc.enable()


def _trees() -> int:
    return sum(type(each) is DocumentNode for each in gc.get_objects())


async def _executed(text: str) -> PreparedDocument:
    result: Any = await schema.execute(text)
    assert result.errors is None
    return schema.documents.prepared(text)
