"""Requests to subgraphs as values."""

from dataclasses import fields, replace

from router.transport.protocol import SubgraphRequest
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
