"""Requests to subgraphs as values."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from router.transport.protocol import SubgraphAnswer, SubgraphRequest
from router.uploaded_file import UploadedFile, UploadSpool


def test_a_request_with_other_headers_is_otherwise_the_same() -> None:
    request = SubgraphRequest(
        "a",
        "http://a",
        b"{}",
        (("x", "1"),),
        False,
        (("f", UploadedFile("n", "text/plain", UploadSpool())),),
        "q=1",
        2,
        ("http://b",),
    )
    unset = SubgraphRequest("", "", b"")
    assert all(getattr(request, each.name) != getattr(unset, each.name) for each in fields(SubgraphRequest))
    assert request.with_headers((("y", "2"),)) == replace(request, headers=(("y", "2"),))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each)), replace])
def test_extensions_may_copy_requests_and_answers_in_every_way(copied: Callable[[Any], Any]) -> None:
    request = SubgraphRequest("a", "http://a", b"{}", (("x", "1"),), False, (), "q=1", 2, ("http://b",))
    answer = SubgraphAnswer(500, b"{}", "text/plain", "no-store", (("x", "1"),))
    for original in (request, answer):
        made = copied(original)
        assert made == original
        assert made is not original
