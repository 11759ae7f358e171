"""Webhooks: what is told, how a message is written and signed, and when it is tried again. Pure, but for chance.

Messages are those of the Standard Webhooks specification 1.0.0: the headers `webhook-id`, `webhook-timestamp` and
`webhook-signature`, HMAC-SHA256 over id, timestamp and body.
"""

import base64
import hmac
import random
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import orjson

from subgraphs.shell.errors import Checks
from subgraphs.shell.grant_area import GrantArea
from subgraphs.shell.public_address import Reach, may_be_sent_to
from subgraphs.shell.text import check_line
from subgraphs.users.domain.notification import NewNotification, NotificationKind

MOST_ENDPOINTS = 10
LONGEST_URL = 1_000
LONGEST_NAME = 100
#: The ports of the internet that an endpoint may be at.
PORTS = (443, 8443)
#: Of one endpoint: at most one message a second, and one at a time.
PAUSE_BETWEEN = timedelta(seconds=1)
MOST_WAITING = 5_000
#: How long the log of deliveries has one. Longer than news are told (OLDEST_NEWS), so no cause is told twice.
KEPT_DAYS = 10
#: How long the secret before a new one signs too.
BOTH_SECRETS_FOR = timedelta(hours=24)
SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with
TEST_TYPE = "ping"

#: From one attempt to the next of a message that was not taken: after the last, some 28 hours after the first, none is made.
_DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
MOST_ATTEMPTS = len(_DELAYS) + 1
#: An endpoint that took nothing for so long, and failed as often as a message is tried, is disabled.
PATIENCE = timedelta(hours=28)
LONGEST_REST = timedelta(hours=1)


class WebhookEventKind(StrEnum):
    """What an endpoint can be told. The type of its messages is the name in small letters, with a dot before the last word."""

    DIARY_DAY_CHANGED = "DIARY_DAY_CHANGED"
    DAILY_SUMMARY_CHANGED = "DAILY_SUMMARY_CHANGED"
    WEIGHT_CHANGED = "WEIGHT_CHANGED"
    WORKOUT_COMPLETED = "WORKOUT_COMPLETED"
    PERSONAL_RECORD_SET = "PERSONAL_RECORD_SET"
    GOAL_COMPLETED = "GOAL_COMPLETED"
    ACHIEVEMENT_UNLOCKED = "ACHIEVEMENT_UNLOCKED"
    WEEKLY_REPORT_READY = "WEEKLY_REPORT_READY"

    @property
    def message_type(self) -> str:
        return ".".join(self.value.lower().rsplit("_", 1))

    @property
    def area(self) -> GrantArea:
        """What an API key has to be allowed to read to be told of it."""
        return _AREAS[self]


_AREAS = {
    WebhookEventKind.DIARY_DAY_CHANGED: GrantArea.DIARY,
    WebhookEventKind.DAILY_SUMMARY_CHANGED: GrantArea.PROGRESS,
    WebhookEventKind.WEIGHT_CHANGED: GrantArea.BODY,
    WebhookEventKind.WORKOUT_COMPLETED: GrantArea.TRAINING,
    WebhookEventKind.PERSONAL_RECORD_SET: GrantArea.TRAINING,
    WebhookEventKind.GOAL_COMPLETED: GrantArea.PROGRESS,
    WebhookEventKind.ACHIEVEMENT_UNLOCKED: GrantArea.PROGRESS,
    WebhookEventKind.WEEKLY_REPORT_READY: GrantArea.PROGRESS,
}


class DeliveryStatus(StrEnum):
    WAITING = "WAITING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


class DeliveryFailure(StrEnum):
    RESPONSE = "RESPONSE"
    TIMEOUT = "TIMEOUT"
    CONNECTION = "CONNECTION"
    TLS = "TLS"
    ADDRESS = "ADDRESS"
    SECRET = "SECRET"  # noqa: S105 - a kind of failure


class DisabledReason(StrEnum):
    OWNER = "OWNER"
    FAILING = "FAILING"
    GONE = "GONE"
    TOO_MANY_WAITING = "TOO_MANY_WAITING"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """Something to tell a person's endpoints, each once for its `cause`.

    `data` names what it is about: ids, days, versions, and no figures. What has a `subject` is told by a message about the
    same subject that waits and was not tried yet, so a day that changes ten times in a moment is one message.
    """

    user_id: str
    kind: WebhookEventKind
    cause: str
    occurred_at: datetime
    data: Mapping[str, str | int | None]
    subject: str | None = None

    @property
    def whole_data(self) -> dict[str, str | int | None]:
        """With whose it is: an endpoint may be that of a program of many people."""
        return {"userId": self.user_id, **self.data}


def event_of_notification(told: NewNotification, now: datetime) -> WebhookEvent | None:
    """What endpoints are told of something that its person is notified of; None for what is theirs alone."""
    match told.kind:
        case NotificationKind.GOAL_COMPLETED:
            kind, data = WebhookEventKind.GOAL_COMPLETED, {"id": told.subject_id}
        case NotificationKind.ACHIEVEMENT_UNLOCKED:
            kind, data = WebhookEventKind.ACHIEVEMENT_UNLOCKED, {"achievement": told.detail}
        case NotificationKind.PERSONAL_RECORD:
            kind, data = WebhookEventKind.PERSONAL_RECORD_SET, {"id": told.subject_id}
        case NotificationKind.WEEKLY_REPORT_READY:
            kind, data = WebhookEventKind.WEEKLY_REPORT_READY, {"week": told.detail}
        case _:
            return None
    return WebhookEvent(user_id=told.user_id, kind=kind, cause=told.cause, occurred_at=now, data=data)


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def shown_secret(secret: bytes) -> str:
    """As the specification writes secrets, and its libraries take them."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def body_of(message_type: str, occurred_at: datetime, data: bytes | str) -> bytes:
    """The message: always the same bytes for the same delivery. `data` is a JSON object."""
    told = {"type": message_type, "timestamp": occurred_at.astimezone(UTC), "data": orjson.Fragment(data)}
    return orjson.dumps(told, option=orjson.OPT_UTC_Z)


def signature(message_id: str, timestamp: int, body: bytes, signing: Iterable[bytes]) -> str:
    """The value of the header `webhook-signature`: one signature for each secret that holds, with spaces between."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{base64.b64encode(hmac.digest(each, signed, 'sha256')).decode()}" for each in signing)


def next_attempt(attempts: int, now: datetime) -> datetime | None:
    """When a message that was tried so often is tried again; None: not any more."""
    return None if attempts >= MOST_ATTEMPTS else now + _spread(_DELAYS[attempts - 1])


def rest_of_endpoint(failures: int) -> timedelta:
    """How long an endpoint is left alone after so many failures in a row, whichever messages they were of."""
    return _spread(min(timedelta(seconds=5 * 2 ** min(failures - 1, 12)), LONGEST_REST))


def is_given_up(failures: int, failing_since: datetime, now: datetime) -> bool:
    return failures >= MOST_ATTEMPTS and now - failing_since >= PATIENCE


def _spread(delay: timedelta) -> timedelta:
    """So that what failed together is not tried again together."""
    return delay * random.uniform(0.8, 1.2)  # noqa: S311 - jitter


def check_webhook(checks: Checks, *, url: str, name: str, kinds: Collection[WebhookEventKind], reach: Reach) -> None:
    """What is said of an endpoint, whoever says it."""
    checks.require(len(url) <= LONGEST_URL, "url", f"may have up to {LONGEST_URL} characters")
    ports = " or ".join(str(port) for port in PORTS)
    checks.require(may_be_sent_to(url, reach), "url", f"must be an https address of a public host, at port {ports}")
    check_line(checks, name, "name", longest=LONGEST_NAME)
    checks.require(bool(kinds), "kinds", "must name at least one")
