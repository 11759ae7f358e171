import gzip

import pytest

from router.errors import DocumentInvalidError, PlanningTimeoutError, RouterError
from router.server.errors import HttpError
from router.server.response import GRAPHQL_RESPONSE, JSON, Accepted, Stream, compress, error_answer, negotiate


@pytest.mark.parametrize(
    ("accept", "accepted"),
    [
        ("", Accepted(JSON)),
        ("*/*", Accepted(JSON)),
        ("application/json", Accepted(JSON)),
        ("application/graphql-response+json", Accepted(GRAPHQL_RESPONSE)),
        ("application/graphql-response+json, application/json;q=0.9", Accepted(GRAPHQL_RESPONSE)),
        ("application/graphql-response+json;q=0.5, application/json", Accepted(JSON)),
        ("application/graphql-response+json;q=0, application/json", Accepted(JSON)),
        ("APPLICATION/JSON ; charset=utf-8", Accepted(JSON)),
        ("image/png", Accepted(None)),
        ("text/event-stream", Accepted(None, (Stream.EVENTS,))),
        ("application/json, multipart/mixed", Accepted(JSON, (Stream.INCREMENTAL,))),
        (
            "multipart/mixed;boundary=graphql;subscriptionSpec=1.0, application/json",
            Accepted(JSON, (Stream.MULTIPART_SUBSCRIPTION,)),
        ),
        ("multipart/mixed; incrementalSpec=v0.2, application/json", Accepted(JSON, (Stream.INCREMENTAL,))),
        ("multipart/mixed; incrementalSpec=v9, application/json", Accepted(JSON)),
        ("multipart/mixed; deferSpec=20990101", Accepted(None)),
        ('multipart/mixed;deferSpec="20220824", */*', Accepted(JSON, (Stream.INCREMENTAL_FORMER,))),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Accepted(JSON, html=True)),
        ("application/json, text/html;q=0.1", Accepted(JSON)),
        ("application/json;q=nonsense", Accepted(None)),
    ],
)
def test_the_media_type_is_the_clients_choice(accept: str, accepted: Accepted) -> None:
    assert negotiate(accept) == accepted


@pytest.mark.parametrize(
    ("error", "old", "new"),
    [
        (DocumentInvalidError([("no", [])]), 200, 400),
        (PlanningTimeoutError("slow"), 503, 503),
        (HttpError(413, "REQUEST_TOO_LARGE", "big"), 413, 413),
        (RouterError("?"), 500, 500),
    ],
)
def test_only_a_well_formed_request_that_cannot_run_has_two_statuses(error: RouterError, old: int, new: int) -> None:
    assert error_answer(error, Accepted(JSON)).status == old
    assert error_answer(error, Accepted(GRAPHQL_RESPONSE)).status == new


def test_compression_needs_a_long_body_and_a_client_that_wants_it() -> None:
    body = b"a" * 1000
    packed = compress(body, "br;q=1.0, gzip;q=0.8", 100)
    assert packed is not None
    assert gzip.decompress(packed) == body
    assert compress(body, "gzip", 1001) is None
    assert compress(body, "gzip", 0) is None
    assert compress(body, "gzip;q=0", 100) is None
    assert compress(body, "br", 100) is None
