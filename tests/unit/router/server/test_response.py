import pytest

from router.errors import DocumentInvalidError, PlanningTimeoutError, RouterError
from router.server.errors import HttpError
from router.server.response import (
    GRAPHQL_RESPONSE,
    JSON,
    Accepted,
    Stream,
    coding_for,
    coding_of,
    error_answer,
    negotiate,
)


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
        ("application/json;q=nan, application/graphql-response+json;q=0.1", Accepted(GRAPHQL_RESPONSE)),
        ("application/json;q=inf", Accepted(None)),
        (" , ,", Accepted(JSON)),
        ("application/json;q=0, */*", Accepted(GRAPHQL_RESPONSE)),
        ("application/*;q=0, */*", Accepted(None)),
        ("*/*;q=0", Accepted(None)),
        ("*/*;q=0.9, application/*;q=0.1, application/graphql-response+json;q=0.5", Accepted(GRAPHQL_RESPONSE)),
        ('application/json;profile="a,b;q=0", image/png', Accepted(JSON)),
        ('multipart/mixed;boundary="-,-";deferSpec=20220824, */*', Accepted(JSON, (Stream.INCREMENTAL_FORMER,))),
        ("text/event-stream;q=0.5, multipart/mixed", Accepted(None, (Stream.INCREMENTAL, Stream.EVENTS))),
        ("text/html;q=0, application/json", Accepted(JSON)),
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
    assert coding_for(1_000, "gzip", 100) == "gzip"
    assert coding_for(1_000, "gzip", 1_001) is None
    assert coding_for(1_000, "gzip", 0) is None


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("br;q=1.0, gzip;q=0.8", "br"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("zstd;q=0.1, gzip;q=0.9", "gzip"),
        ("gzip;q=0", None),
        ("*", "zstd"),
        ("*;q=0.5, zstd;q=0", "br"),
        ("*;q=0", None),
        ("identity, gzip;q=0.5", None),
        ("deflate, compress", None),
        ("gzip;q=nonsense", None),
    ],
)
def test_the_coding_is_the_clients_choice(accept_encoding: str, coding: str | None) -> None:
    assert coding_of(accept_encoding) == coding
