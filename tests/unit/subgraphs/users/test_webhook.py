"""Messages of webhooks: the test vector of the specification's libraries, what they hold, and when they are tried again."""

import base64
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from subgraphs.users.domain.notification import OLDEST_NEWS
from subgraphs.users.domain.webhook import (
    KEPT_DAYS,
    LONGEST_REST,
    MOST_ATTEMPTS,
    PATIENCE,
    WebhookEventKind,
    body_of,
    is_given_up,
    new_secret,
    next_attempt,
    rest_of_endpoint,
    shown_secret,
    signature,
)

NOON = datetime(2026, 3, 23, 11, tzinfo=UTC)


def test_a_message_is_signed_as_the_libraries_of_the_specification_do_it() -> None:
    secret = base64.b64decode("plJ3nmyCDGBKInavdOK15jsl")
    body = b'{"event_type":"ping","data":{"success":true}}'
    assert (
        signature("msg_loFOjxBNrRLzqYUf", 1731705121, body, [secret])
        == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
    )
    both = signature("msg_loFOjxBNrRLzqYUf", 1731705121, body, [secret, new_secret()]).split(" ")
    assert [each.partition(",")[0] for each in both] == ["v1", "v1"]
    assert both[0] != both[1]


def test_a_secret_is_shown_as_the_specification_wants_it() -> None:
    secret = new_secret()
    assert shown_secret(secret).startswith("whsec_")
    assert base64.b64decode(shown_secret(secret).removeprefix("whsec_")) == secret
    assert 24 <= len(secret) <= 64


def test_a_body_says_type_instant_and_data() -> None:
    body = body_of("weight.changed", NOON, '{"id":"weight_1"}')
    assert json.loads(body) == {
        "type": "weight.changed",
        "timestamp": "2026-03-23T11:00:00Z",
        "data": {"id": "weight_1"},
    }


@pytest.mark.parametrize(
    ("kind", "message_type"),
    [
        (WebhookEventKind.DIARY_DAY_CHANGED, "diary_day.changed"),
        (WebhookEventKind.WORKOUT_COMPLETED, "workout.completed"),
        (WebhookEventKind.PERSONAL_RECORD_SET, "personal_record.set"),
    ],
)
def test_a_kind_has_its_type(kind: WebhookEventKind, message_type: str) -> None:
    assert kind.message_type == message_type


def test_every_kind_names_an_area_and_a_type_of_two_words() -> None:
    for kind in WebhookEventKind:
        assert kind.area
        assert kind.message_type.count(".") == 1


def test_a_message_is_tried_with_growing_pauses_for_a_day_and_some_hours() -> None:
    moment, pauses = NOON, []
    for attempts in range(1, MOST_ATTEMPTS):
        due = next_attempt(attempts, moment)
        assert due is not None
        pauses.append(due - moment)
        moment = due
    assert next_attempt(MOST_ATTEMPTS, moment) is None
    assert pauses[0] <= timedelta(seconds=6)
    assert all(later > 0.6 * earlier for earlier, later in pairwise(pauses))
    assert timedelta(hours=21) < moment - NOON < timedelta(hours=35)
    assert len({next_attempt(1, NOON) for _ in range(20)}) > 1  # what failed together is not tried again together


def test_an_endpoint_rests_longer_and_longer_and_is_given_up_after_its_patience() -> None:
    assert rest_of_endpoint(1) <= timedelta(seconds=6)
    assert all(rest_of_endpoint(failures) <= 1.2 * LONGEST_REST for failures in (10, 100, 10_000))
    assert not is_given_up(MOST_ATTEMPTS - 1, NOON, NOON + PATIENCE)
    assert not is_given_up(MOST_ATTEMPTS, NOON, NOON + PATIENCE - timedelta(seconds=1))
    assert is_given_up(MOST_ATTEMPTS, NOON, NOON + PATIENCE)


def test_a_cause_is_remembered_for_longer_than_news_are_told() -> None:
    assert timedelta(days=KEPT_DAYS) > OLDEST_NEWS
