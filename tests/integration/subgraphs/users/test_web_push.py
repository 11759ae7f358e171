"""Notifications to browsers: over HTTP to a push service that checks who sends, to browsers that decrypt."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text
from sqlmodel import col

from events.retention import forget_in_batches
from subgraphs.shell.settings import SettingsError, read_settings
from subgraphs.users.commands.ended_session import end_sessions
from subgraphs.users.commands.notification import notify
from subgraphs.users.commands.push_delivery import (
    CLAIMED_FOR,
    KEPT_FOR,
    PushSender,
    deliver_pushes,
    forget_pushes,
)
from subgraphs.users.domain.notification import NewNotification, NotificationKind
from subgraphs.users.domain.web_push import MOST_SUBSCRIPTIONS, decoded
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from subgraphs.users.tables import SessionRow
from tests.testkit.accounts import an_account
from tests.testkit.push_service import Browser, PushService, push_service
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SECRET, SubgraphUnderTest, subgraph_under_test

_numbers = count(1)
KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
REGISTER = """mutation ($input: RegisterPushSubscriptionInput!) { registerPushSubscription(input: $input) {
  pushSubscription { id service isCurrent } userErrors { code field } } }"""
REMOVE = "mutation ($id: ID!) { removePushSubscription(input: { id: $id }) { removedId userErrors { code } } }"
LIST = "{ webPushKey me { pushSubscriptions { id service } notifications { nodes { id } } } }"
MARK = "mutation { markNotificationsRead(input: {}) { userErrors { code } } }"
DELETE = "mutation ($id: ID!) { deleteNotification(input: { id: $id }) { userErrors { code } } }"
CHOOSE = """mutation ($input: UpdateNotificationPreferencesInput!) { updateNotificationPreferences(input: $input) {
  userErrors { code } } }"""
NOON = datetime(2026, 3, 23, 11, tzinfo=UTC)
GOAL, RECORD = NotificationKind.GOAL_COMPLETED, NotificationKind.PERSONAL_RECORD


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("users_web_push")
    async with subgraph_under_test("users", url, schema, UsersLoaders) as subgraph:
        yield subgraph


@pytest.fixture
async def service(users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PushService]:
    """The only push service that is trusted; nothing of an earlier test waits for it."""
    async with push_service() as service, users.database.transaction() as transaction:
        await transaction.execute(text("DELETE FROM push_subscription"))
        await transaction.commit()
        settings = replace(users.resources.settings, web_push_key=KEY, web_push_trusted=(service.origin,))
        monkeypatch.setattr(users.resources, "settings", settings)
        monkeypatch.setattr(users.resources, "now", lambda: NOON)
        yield service


@pytest.fixture
def clock(users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    return lambda moment: monkeypatch.setattr(users.resources, "now", lambda: moment)


@pytest.fixture
async def person(users: SubgraphUnderTest) -> str:
    return await an_account(users)


async def register(users: SubgraphUnderTest, person: str, service: PushService, browser: Browser) -> str:
    given = {"endpoint": f"{service.origin}/{browser.name}", "p256dh": browser.p256dh, "auth": browser.secret}
    answer = await users.data(REGISTER, person, {"input": given})
    return str(answer["registerPushSubscription"]["pushSubscription"]["id"])


async def tell(users: SubgraphUnderTest, person: str, *kinds: NotificationKind, detail: str | None = None) -> None:
    news = [
        NewNotification(user_id=person, kind=kind, cause=f"cause:{next(_numbers)}", subject_id="subject", detail=detail)
        for kind in kinds
    ]
    async with users.database.transaction() as transaction:
        await notify(transaction, news, users.resources.now())


async def deliver(users: SubgraphUnderTest) -> int:
    async with PushSender(users.resources) as sender:
        return await sender.deliver_some()


async def counted(users: SubgraphUnderTest, table: str) -> int:
    async with users.database.reading() as connection:
        return int(await connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


async def test_a_notification_reaches_a_browser_that_decrypts_it(
    users: SubgraphUnderTest, service: PushService, person: str
) -> None:
    browser, other = Browser(), Browser()
    await register(users, person, service, browser)
    await register(users, await an_account(users), service, other)
    await tell(users, person, RECORD, detail="Bench press")
    assert await deliver(users) == 1
    ((path, headers, body),) = service.posted
    assert path == f"/{browser.name}"
    told = json.loads(browser.decrypted(body))
    (listed,) = (await users.data(LIST, person))["me"]["notifications"]["nodes"]
    assert told == {
        "id": listed["id"],
        "kind": "PERSONAL_RECORD",
        "title": "A personal record",
        "body": "More than ever before: Bench press",
        "subjectId": "subject",
    }
    assert b"Bench" not in body
    assert (headers["Content-Encoding"], headers["TTL"]) == ("aes128gcm", "86400")
    scheme, _, parameters = headers["Authorization"].partition(" ")
    shown = dict(each.strip().split("=", 1) for each in parameters.split(","))
    assert (scheme, shown["k"]) == ("vapid", (await users.data(LIST, person))["webPushKey"])
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(shown["k"]))
    claims = jwt.decode(shown["t"], key, algorithms=["ES256"], audience=service.origin, options={"verify_exp": False})
    assert 0 < claims["exp"] - NOON.timestamp() <= 24 * 3600
    assert claims["sub"].startswith("mailto:")
    assert (await deliver(users), await counted(users, "pending_push")) == (0, 0)


@pytest.mark.parametrize(
    ("status", "headers", "waits", "stays"),
    [
        (200, {}, None, True),
        (404, {}, None, False),
        (410, {}, None, False),
        (429, {"Retry-After": "600"}, 600, True),
        (503, {}, 10, True),
        (500, {"Retry-After": "Mon, 23 Mar 2026 12:00:00 GMT"}, 10, True),
        (301, {"Location": "http://127.0.0.1:1/"}, None, True),  # is not followed, and nobody's push service
        (413, {}, None, True),
    ],
)
async def test_what_a_push_service_answers_is_heeded(
    users: SubgraphUnderTest,
    service: PushService,
    person: str,
    clock: Callable[[datetime], None],
    status: int,
    headers: dict[str, str],
    waits: int | None,
    stays: bool,
) -> None:
    await register(users, person, service, Browser())
    await tell(users, person, GOAL)
    service.status, service.headers = status, headers
    assert await deliver(users) == 1
    assert (await counted(users, "pending_push"), await counted(users, "push_subscription")) == (
        waits is not None,
        stays,
    )
    if waits is not None:
        clock(NOON + timedelta(seconds=waits - 1))
        assert await deliver(users) == 0
        clock(NOON + timedelta(seconds=waits))
        service.status = 201
        assert (await deliver(users), len(service.posted), await counted(users, "pending_push")) == (1, 2, 0)


async def test_a_service_that_is_away_is_tried_for_a_day_and_not_longer(
    users: SubgraphUnderTest, service: PushService, person: str, clock: Callable[[datetime], None]
) -> None:
    given = {"endpoint": "http://127.0.0.1:1/x", "p256dh": Browser().p256dh, "auth": Browser().secret}
    trusted = replace(users.resources.settings, web_push_trusted=("http://127.0.0.1:1",))
    users.resources.settings = trusted
    await users.data(REGISTER, person, {"input": given})
    await tell(users, person, GOAL)
    assert (await deliver(users), await counted(users, "pending_push")) == (1, 1)
    clock(NOON + KEPT_FOR)
    assert (await deliver(users), await counted(users, "pending_push")) == (1, 0)
    await tell(users, person, GOAL)
    async with users.database.transaction() as transaction:
        await transaction.execute(text("UPDATE pending_push SET created_at = now() - interval '3 days'"))
    assert await forget_in_batches(users.database.transaction, forget_pushes) == 1


async def test_two_processes_send_once_and_one_that_dies_sends_again(
    users: SubgraphUnderTest, service: PushService, person: str, clock: Callable[[datetime], None]
) -> None:
    for _ in range(5):
        await register(users, person, service, Browser())
    await tell(users, person, GOAL)
    handled = await asyncio.gather(*(deliver(users) for _ in range(3)))
    assert (sum(handled), len(service.posted)) == (5, 5)
    await tell(users, person, GOAL)
    async with PushSender(users.resources) as sender, users.database.transaction() as transaction:
        await transaction.execute(  # of a process that died after its claim
            text("UPDATE pending_push SET due_at = :until, attempts = 1"), {"until": NOON + CLAIMED_FOR}
        )
        await transaction.commit()
        assert await sender.deliver_some() == 0
    clock(NOON + CLAIMED_FOR)
    assert (await deliver(users), len(service.posted)) == (5, 10)
    topics = [headers["Topic"] for _, headers, _ in service.posted]
    assert len(set(topics)) == 2
    assert all(len(topic) <= 32 for topic in topics)


async def test_what_is_read_deleted_or_not_wanted_is_not_sent_and_quiet_holds_it_back(
    users: SubgraphUnderTest, service: PushService, person: str, clock: Callable[[datetime], None]
) -> None:
    await register(users, person, service, Browser())
    await tell(users, person, GOAL)
    await users.data(MARK, person)
    await deliver(users)
    await tell(users, person, GOAL)
    newest = (await users.data(LIST, person))["me"]["notifications"]["nodes"][0]["id"]
    await users.data(DELETE, person, {"id": newest})
    assert (await deliver(users), service.posted) == (0, [])
    await users.data(
        CHOOSE, person, {"input": {"choices": [{"kind": "GOAL_COMPLETED", "channel": "PUSH", "isOn": False}]}}
    )
    await tell(users, person, GOAL)
    assert (await deliver(users), service.posted) == (0, [])
    await users.data(CHOOSE, person, {"input": {"quietStart": "10:00", "quietEnd": "12:30"}})
    await tell(users, person, RECORD)
    assert await deliver(users) == 0
    clock(NOON + timedelta(minutes=90))
    assert (await deliver(users), len(service.posted)) == (1, 1)


async def test_a_browser_is_registered_once_and_forgotten_with_its_session(
    users: SubgraphUnderTest, service: PushService, person: str
) -> None:
    browser = Browser()
    first = await register(users, person, service, browser)
    assert await register(users, person, service, browser) == first
    other = await an_account(users)
    assert await register(users, other, service, browser) == first  # whoever signs in there next has it
    assert (await users.data(LIST, person))["me"]["pushSubscriptions"] == []
    assert (await users.data(LIST, other))["me"]["pushSubscriptions"] == [{"id": first, "service": "127.0.0.1"}]
    assert await users.codes(REMOVE, person, {"id": first}) == ["NOT_FOUND"]
    async with users.database.transaction() as transaction:
        await transaction.execute(
            text("INSERT INTO session (id, user_id, created_at, expires_at) VALUES ('s', :id, now(), now())"),
            {"id": other},
        )
        await transaction.execute(text("UPDATE push_subscription SET session_id = 's'"))
        await end_sessions(transaction, col(SessionRow.id) == "s", NOON)
    assert await counted(users, "push_subscription") == 0
    again = await register(users, person, service, browser)
    assert (await users.data(REMOVE, person, {"id": again}))["removePushSubscription"]["removedId"] == again


async def test_what_is_no_browsers_is_refused_with_its_place_and_without_a_key_everything(
    users: SubgraphUnderTest, service: PushService, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(**given: str) -> list[tuple[str, str]]:
        browser = Browser()
        whole = {"endpoint": f"{service.origin}/x", "p256dh": browser.p256dh, "auth": browser.secret} | given
        answer = (await users.run(REGISTER, person, {"input": whole})).data or {}
        return [(each["code"], each["field"]) for each in answer["registerPushSubscription"]["userErrors"]]

    assert await refused(endpoint="https://169.254.169.254/") == [("VALIDATION_ERROR", "endpoint")]
    assert await refused(endpoint="http://push.example.org/x") == [("VALIDATION_ERROR", "endpoint")]
    assert await refused(p256dh="x", auth="x") == [("VALIDATION_ERROR", "p256dh"), ("VALIDATION_ERROR", "auth")]
    for _ in range(MOST_SUBSCRIPTIONS):
        await register(users, person, service, Browser())
    assert await refused() == [("CONFLICT", None)]
    monkeypatch.setattr(users.resources, "settings", replace(users.resources.settings, web_push_key=None))
    assert (await refused(), (await users.data(LIST, person))["webPushKey"]) == ([("CONFLICT", None)], None)


async def test_a_subscription_that_was_trusted_once_is_not_posted_to_any_more(
    users: SubgraphUnderTest, service: PushService, person: str
) -> None:
    await register(users, person, service, Browser())
    await tell(users, person, GOAL)
    users.resources.settings = replace(users.resources.settings, web_push_trusted=())
    assert (await deliver(users), service.posted, await counted(users, "push_subscription")) == (1, [], 0)


async def test_the_loop_goes_on_and_is_seen_in_health(
    users: SubgraphUnderTest, service: PushService, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subgraphs.users.commands.due.LOOK_EVERY_SECONDS", 0.02)
    await register(users, person, service, Browser())
    await tell(users, person, GOAL)
    running = asyncio.create_task(deliver_pushes(users.resources))
    try:
        async with asyncio.timeout(60):
            while not service.posted:
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.wait([running])  # it gives its connection back before the pool is closed
    (loop,) = [each for each in users.resources.loops if each.name == "web-push"]
    assert loop.is_well


def test_a_key_that_is_none_is_told_at_the_start() -> None:
    environment = {"DATABASE_URL_USERS": "postgresql://x", "JWT_SECRET": SECRET, "WEB_PUSH_KEY": "too short"}
    with pytest.raises(SettingsError, match="WEB_PUSH_KEY must be 32 bytes"):
        read_settings("users", environment)
    assert read_settings("users", environment | {"WEB_PUSH_KEY": KEY}).web_push_key == KEY
