"""Webhooks: rows once for each cause, signed messages over HTTP to endpoints that take them, refuse, stall or are gone."""

import asyncio
import json
import math
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.analytics import AchievementUnlocked, DailySummaryChanged, GoalCompleted
from events.contracts.nutrition import MealDeleted, MealLogged, MealUpdated, Nutrients, WaterLogged
from events.contracts.workouts import WorkoutCompleted, WorkoutEdited, WorkoutStarted
from events.envelope import Payload
from events.retention import forget_in_batches
from subgraphs.shell.auth import KeyRing
from subgraphs.shell.database import Database
from subgraphs.shell.sealing import SealingKeys
from subgraphs.shell.settings import SettingsError, read_settings
from subgraphs.users.commands import webhook_delivery
from subgraphs.users.commands.queue_age import QUEUE_AGE, measure_queues
from subgraphs.users.commands.webhook_delivery import (
    CLAIMED_FOR,
    WebhookSender,
    deliver_webhooks,
    forget_deliveries,
    seal_anew,
)
from subgraphs.users.domain.webhook import MOST_ATTEMPTS, MOST_ENDPOINTS, PATIENCE, WebhookEventKind
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.accounts import an_account, tell
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SECRET, SubgraphUnderTest, claims_of, codes_of, subgraph_under_test, user_errors
from tests.testkit.webhook_receiver import WebhookReceiver, webhook_receiver

KEY, OTHER_KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw", "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
EVERYTHING = [kind.value for kind in WebhookEventKind]
CREATE = """mutation ($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) {
  webhookEndpoint { id version apiKeyId } secret userErrors { code field } } }"""
UPDATE = """mutation ($input: UpdateWebhookEndpointInput!) { updateWebhookEndpoint(input: $input) {
  webhookEndpoint { isOn version name url kinds } userErrors { code field } } }"""
ROTATE = """mutation ($id: ID!) { rotateWebhookSecret(input: { id: $id }) { secret userErrors { code }
  webhookEndpoint { twoSecretsUntil } } }"""
TEST = "mutation ($id: ID!) { sendTestWebhook(input: { id: $id }) { webhookDelivery { id } userErrors { code } } }"
AGAIN = """mutation ($id: ID!) { redeliverWebhook(input: { id: $id }) { webhookDelivery { id status attempts }
  userErrors { code } } }"""
REMOVE = "mutation ($id: ID!) { deleteWebhookEndpoint(input: { id: $id }) { deletedId userErrors { code } } }"
LIST = """{ webhookEndpoints { id name isOn disabledReason failingSince deliveries { nodes { id type status attempts payload
  responseCode failure nextAttemptAt lastAttemptAt } } } me { notifications { nodes { kind detail subjectId } } } }"""
WEIGH = "mutation { logWeight(input: { weightKg: 81.5 }) { weightEntry { id version } userErrors { code } } }"
REWEIGH = """mutation ($id: ID!) { editWeight(input: { id: $id, weightKg: 80.5 }) { weightEntry { id } userErrors { code } } }"""
UNWEIGH = "mutation ($id: ID!) { deleteWeight(input: { id: $id }) { userErrors { code } } }"
NOON = datetime(2026, 3, 23, 11, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("users_webhooks")
    async with subgraph_under_test("users", url, schema, UsersLoaders) as subgraph:
        yield subgraph


@pytest.fixture(autouse=True)
async def prepared(users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """At noon, in development, and with nothing of an earlier test."""
    async with users.database.transaction() as transaction:
        await transaction.execute(text("DELETE FROM account"))
    settings = replace(users.resources.settings, webhook_key=KEY, webhook_loopback=True)
    monkeypatch.setattr(users.resources, "settings", settings)
    monkeypatch.setattr(users.resources, "now", lambda: NOON)


@pytest.fixture
def clock(users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    return lambda moment: monkeypatch.setattr(users.resources, "now", lambda: moment)


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with webhook_receiver() as receiver:
        yield receiver


@pytest.fixture
async def person(users: SubgraphUnderTest) -> str:
    return await an_account(users)


async def register(
    users: SubgraphUnderTest, person: str, url: str, kinds: list[str] | None = None, **more: str
) -> tuple[str, str]:
    """The id of an endpoint, and its secret."""
    given = {"url": url, "name": "Mine", "kinds": kinds or EVERYTHING, **more}
    made = (await users.data(CREATE, person, {"input": given}))["createWebhookEndpoint"]
    return str(made["webhookEndpoint"]["id"]), str(made["secret"])


async def deliver(users: SubgraphUnderTest) -> None:
    """Send what is due now, and settle it."""
    async with WebhookSender(users.resources) as sender:
        await sender.send_some()
        await sender.finish()


async def endpoints(users: SubgraphUnderTest, person: str) -> list[dict[str, Any]]:
    return list((await users.data(LIST, person))["webhookEndpoints"])


async def log(users: SubgraphUnderTest, person: str) -> list[dict[str, Any]]:
    """The deliveries of the person's only endpoint, the newest first."""
    (endpoint,) = await endpoints(users, person)
    return list(endpoint["deliveries"]["nodes"])


async def execute(users: SubgraphUnderTest, statement: str, **parameters: object) -> None:
    async with users.database.transaction() as transaction:
        await transaction.execute(text(statement), parameters)


def meal(
    day: int, kind: type[MealLogged | MealUpdated] = MealLogged, before: int | None = None
) -> MealLogged | MealUpdated:
    return kind(
        meal_id="m",
        slot="LUNCH",
        at=NOON,
        local_date=date(2026, 3, day),
        items=(),
        totals=Nutrients(energy_kcal=Decimal("777.25"), protein_g=1, carbs_g=1, fat_g=1),
        prev_local_date=None if before is None else date(2026, 3, before),
    )


def workout(kind: type[WorkoutStarted | WorkoutCompleted | WorkoutEdited], status: str, *records: str) -> Payload:
    return kind(
        workout_id="workout_1",
        name="Legs",
        status=status,
        local_date=date(2026, 3, 23),
        started_at=NOON,
        ended_at=NOON,
        new_records=records,
    )


async def test_everything_that_happens_is_told_once_with_ids_and_without_figures(
    users: SubgraphUnderTest, person: str, receiver: WebhookReceiver, clock: Callable[[datetime], None]
) -> None:
    await register(users, person, receiver.url)
    day = date(2026, 3, 23)
    for version in (1, 2, 1):
        await tell(users, person, workout(WorkoutCompleted, "COMPLETED", "Squat"), version=version)
    await tell(users, person, workout(WorkoutEdited, "COMPLETED"), version=3)
    await tell(users, person, GoalCompleted(goal_id="goal_1", status="COMPLETED", progress=1))
    await tell(users, person, AchievementUnlocked(kind="FIRST_MEAL", reached_on=day, unlocked_at=NOON))
    summary = DailySummaryChanged(
        date=day,
        revision=4,
        calories_consumed=Decimal("777.25"),
        calories_burned=1,
        meals_logged=1,
        workouts_completed=1,
        computed_at=NOON,
    )
    await tell(users, person, summary, version=4)
    weighing = (await users.data(WEIGH, person))["logWeight"]["weightEntry"]["id"]
    for second in range(8):
        clock(NOON + second * SECOND)
        await deliver(users)
    told = {body["type"]: body["data"] for each in receiver.received if (body := json.loads(each.body))}
    assert len(told) == len(receiver.received) == 6
    assert told == {
        "workout.completed": {"userId": person, "id": "workout_1", "version": 1},
        "personal_record.set": {"userId": person, "id": "workout_1"},
        "goal.completed": {"userId": person, "id": "goal_1"},
        "achievement.unlocked": {"userId": person, "achievement": "FIRST_MEAL"},
        "daily_summary.changed": {"userId": person, "id": f"summary_{person}:2026-03-23", "date": "2026-03-23"},
        "weight.changed": {"userId": person, "id": weighing},
    }
    assert not any(
        b"777.25" in each.body or b"81.5" in each.body or b"Squat" in each.body for each in receiver.received
    )
    assert {each["status"] for each in await log(users, person)} == {"DELIVERED"}


async def test_changes_of_a_day_that_waits_are_one_message_and_a_meal_that_moves_tells_both_days(
    users: SubgraphUnderTest, person: str, receiver: WebhookReceiver, clock: Callable[[datetime], None]
) -> None:
    await register(users, person, receiver.url, ["DIARY_DAY_CHANGED"])
    for version in range(1, 6):
        await tell(users, person, meal(23, MealUpdated), version=version)
    await tell(users, person, WaterLogged(entry_id="w", amount_ml=250, at=NOON, local_date=date(2026, 3, 23)))
    assert len(await log(users, person)) == 1
    await deliver(users)
    await tell(users, person, meal(24, MealUpdated, before=23), version=6)
    await tell(users, person, MealDeleted(meal_id="m", local_date=date(2026, 3, 24)), version=7)
    waiting = [
        json.loads(each["payload"])["data"]["date"] for each in await log(users, person) if each["status"] == "WAITING"
    ]
    assert sorted(waiting) == ["2026-03-23", "2026-03-24"]
    for second in range(1, 4):
        clock(NOON + second * SECOND)
        await deliver(users)
    assert len(receiver.received) == 3
    clock(NOON + timedelta(minutes=1))
    await tell(users, person, meal(24, MealUpdated), version=6)  # told already, and older than what is known
    await deliver(users)
    assert len(receiver.received) == 3


async def test_a_change_that_comes_while_its_day_is_being_told_is_told_after_it(
    users: SubgraphUnderTest, person: str, receiver: WebhookReceiver, clock: Callable[[datetime], None]
) -> None:
    await register(users, person, receiver.url, ["DIARY_DAY_CHANGED"])
    await tell(users, person, meal(23))
    receiver.seconds = 0.3
    sending = asyncio.create_task(deliver(users))
    while not receiver.received:
        await asyncio.sleep(0.01)
    await tell(users, person, meal(23, MealUpdated), version=2)
    await sending
    assert sorted(each["status"] for each in await log(users, person)) == ["DELIVERED", "WAITING"]


async def test_a_weighing_and_its_message_are_committed_together(
    users: SubgraphUnderTest, person: str, receiver: WebhookReceiver, clock: Callable[[datetime], None]
) -> None:
    await register(users, person, receiver.url, ["WEIGHT_CHANGED"])
    entry = (await users.data(WEIGH, person))["logWeight"]["weightEntry"]["id"]
    await deliver(users)
    await users.data(REWEIGH, person, {"id": entry})
    await users.data(UNWEIGH, person, {"id": entry})  # one message: it waits and was not tried
    clock(NOON + SECOND)
    await deliver(users)
    assert [json.loads(each.body)["data"]["id"] for each in receiver.received] == [entry, entry]
    assert await users.codes(UNWEIGH, person, {"id": entry}) == ["NOT_FOUND"]
    assert len(await log(users, person)) == 2


async def test_only_what_it_wants_of_its_own_person_and_only_while_it_is_on(
    users: SubgraphUnderTest, person: str, receiver: WebhookReceiver
) -> None:
    endpoint, _ = await register(users, person, receiver.url, ["GOAL_COMPLETED"])
    other = await an_account(users)
    await users.data(WEIGH, person)
    await tell(users, other, GoalCompleted(goal_id="goal_1", status="COMPLETED", progress=1))
    await tell(users, person, meal(23), workout(WorkoutStarted, "IN_PROGRESS"))
    assert await log(users, person) == []
    off = {"id": endpoint, "isOn": False, "kinds": ["WEIGHT_CHANGED"], "name": " Scale ", "url": receiver.url}
    changed = (await users.data(UPDATE, person, {"input": off}))["updateWebhookEndpoint"]["webhookEndpoint"]
    assert changed == {"isOn": False, "version": 2, "name": "Scale", "url": receiver.url, "kinds": ["WEIGHT_CHANGED"]}
    await users.data(WEIGH, person)
    assert await log(users, person) == []
    assert await users.codes(TEST, person, {"id": endpoint}) == ["CONFLICT"]
    stale = {"id": endpoint, "isOn": True, "expectedVersion": 1}
    assert await users.codes(UPDATE, person, {"input": stale}) == ["STALE_VERSION"]
    await users.data(UPDATE, person, {"input": stale | {"expectedVersion": 2}})
    await users.data(WEIGH, person)
    await deliver(users)
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("status", "headers", "waits"),
    [
        (500, {}, True),
        (404, {}, True),
        (301, {"Location": "http://127.0.0.1:1/"}, True),
        (307, {"Location": "/elsewhere"}, True),
        (429, {"Retry-After": "600"}, True),
        (410, {}, False),
    ],
)
async def test_what_an_endpoint_answers_is_heeded(
    users: SubgraphUnderTest,
    person: str,
    receiver: WebhookReceiver,
    clock: Callable[[datetime], None],
    status: int,
    headers: dict[str, str],
    waits: bool,
) -> None:
    endpoint, _ = await register(users, person, receiver.url)
    receiver.status, receiver.headers = status, headers
    message = (await users.data(TEST, person, {"id": endpoint}))["sendTestWebhook"]["webhookDelivery"]["id"]
    await deliver(users)
    (delivery,) = await log(users, person)
    assert (delivery["responseCode"], delivery["failure"], delivery["attempts"]) == (status, "RESPONSE", 1)
    assert (delivery["status"] == "WAITING", delivery["nextAttemptAt"] is not None) == (waits, waits)
    (shown,) = await endpoints(users, person)
    assert (shown["isOn"], shown["disabledReason"]) == (waits, None if waits else "GONE")
    told = (await users.data(LIST, person))["me"]["notifications"]["nodes"]
    assert told == ([] if waits else [{"kind": "WEBHOOK_DISABLED", "detail": "GONE", "subjectId": endpoint}])
    clock(NOON + timedelta(seconds=30))
    receiver.status = 204
    await deliver(users)
    if not waits or "Retry-After" in headers:
        assert len(receiver.received) == 1
        clock(NOON + timedelta(seconds=600))
        await deliver(users)
    assert [each.id for each in receiver.received] == [message] * (2 if waits else 1)
    assert len({each.headers["webhook-timestamp"] for each in receiver.received}) == len(receiver.received)


async def test_who_cannot_be_reached_is_told_apart(
    users: SubgraphUnderTest, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with webhook_receiver() as stalling:
        stalling.seconds = 0.6
        monkeypatch.setattr(webhook_delivery, "SEND_SECONDS", 0.3)
        await register(users, person, "http://127.0.0.1:1/x", ["WEIGHT_CHANGED"])
        await register(users, person, stalling.url, ["WEIGHT_CHANGED"])
        await register(users, person, stalling.url.replace("http:", "https:"), ["WEIGHT_CHANGED"])
        await register(users, person, "http://localhost:1/x", ["WEIGHT_CHANGED"])
        await users.data(WEIGH, person)
        # An address that was allowed once is judged again whenever it is sent to.
        await execute(
            users, "UPDATE webhook_endpoint SET url = 'https://10.0.0.1/x' WHERE url LIKE 'http://localhost%'"
        )
        await deliver(users)
        failures = [endpoint["deliveries"]["nodes"][0]["failure"] for endpoint in await endpoints(users, person)]
        assert failures == ["ADDRESS", "TLS", "TIMEOUT", "CONNECTION"]


async def test_a_message_is_tried_for_a_day_and_then_the_endpoint_is_off_until_it_is_switched_on(
    users: SubgraphUnderTest, person: str, receiver: WebhookReceiver, clock: Callable[[datetime], None]
) -> None:
    endpoint, _ = await register(users, person, receiver.url)
    receiver.status = 500
    await users.data(WEIGH, person)
    moment = NOON
    for _ in range(200):
        clock(moment)
        await deliver(users)
        (shown,) = await endpoints(users, person)
        if not shown["isOn"]:
            break
        if moment == NOON + timedelta(hours=20):
            await users.data(WEIGH, person)  # what comes later waits too
        moment += timedelta(minutes=30)
    assert (shown["isOn"], shown["disabledReason"]) == (False, "FAILING")
    assert PATIENCE <= moment - NOON < PATIENCE + timedelta(hours=8)
    assert MOST_ATTEMPTS <= len(receiver.received) < 40
    kinds = [each["kind"] for each in (await users.data(LIST, person))["me"]["notifications"]["nodes"]]
    assert kinds == ["WEBHOOK_DISABLED"]
    tried = len(receiver.received)
    clock(moment + timedelta(hours=2))
    await deliver(users)
    assert len(receiver.received) == tried
    receiver.status = 204
    await users.data(UPDATE, person, {"input": {"id": endpoint, "isOn": True}})
    for second in range(3):
        clock(moment + timedelta(hours=2, seconds=second))
        await deliver(users)
    newest = (await log(users, person))[0]
    assert (newest["status"], newest["failure"]) == ("DELIVERED", None)
    assert "WAITING" not in {each["status"] for each in await log(users, person)}


async def test_one_message_that_is_never_taken_holds_up_no_other_and_can_be_sent_again(
    users: SubgraphUnderTest, person: str, clock: Callable[[datetime], None], receiver: WebhookReceiver
) -> None:
    await register(users, person, receiver.url, ["WEIGHT_CHANGED"])
    await users.data(WEIGH, person)
    receiver.status = 500
    await deliver(users)
    poison = receiver.received[0].id
    moment = NOON
    for _ in range(MOST_ATTEMPTS - 1):
        moment += timedelta(hours=13)
        clock(moment)
        receiver.status = 204
        await users.data(WEIGH, person)
        await execute(
            users, "UPDATE webhook_delivery SET due_at = :at WHERE id <> :id AND status = 'WAITING'", at=NOON, id=poison
        )
        await deliver(users)
        receiver.status = 500
        clock(moment := moment + SECOND)
        await deliver(users)
    (shown,) = await endpoints(users, person)
    assert shown["isOn"]
    assert [(each["id"], each["status"], each["nextAttemptAt"]) for each in await log(users, person)][-1] == (
        poison, "FAILED", None,
    )  # fmt: skip
    assert sum(each.id == poison for each in receiver.received) == MOST_ATTEMPTS
    receiver.status = 204
    again = (await users.data(AGAIN, person, {"id": poison}))["redeliverWebhook"]["webhookDelivery"]
    assert again == {"id": poison, "status": "WAITING", "attempts": 0}
    await deliver(users)
    assert receiver.received[-1].id == poison
    assert (await log(users, person))[-1]["status"] == "DELIVERED"


async def test_a_new_message_does_not_wait_for_one_that_is_tried_again_in_hours(
    users: SubgraphUnderTest, person: str, receiver: WebhookReceiver, clock: Callable[[datetime], None]
) -> None:
    await register(users, person, receiver.url, ["WEIGHT_CHANGED"])
    await users.data(WEIGH, person)
    receiver.status = 500
    await deliver(users)
    await execute(users, "UPDATE webhook_delivery SET due_at = :at", at=NOON + timedelta(hours=10))
    await execute(users, "UPDATE webhook_endpoint SET next_at = :at", at=NOON + timedelta(hours=10))
    receiver.status = 204
    await users.data(WEIGH, person)
    await deliver(users)
    assert len(receiver.received) == 1  # the endpoint rests for some seconds
    clock(NOON + timedelta(seconds=7))
    await deliver(users)
    assert len(receiver.received) == 2


async def test_secrets_are_shown_once_rotate_with_both_and_stand_sealed(
    users: SubgraphUnderTest, person: str, receiver: WebhookReceiver, clock: Callable[[datetime], None]
) -> None:
    endpoint, first = await register(users, person, receiver.url, idempotencyKey="one")
    repeated = {"url": receiver.url, "name": "Mine", "kinds": EVERYTHING, "idempotencyKey": "one"}
    again = (await users.data(CREATE, person, {"input": repeated}))["createWebhookEndpoint"]
    assert (again["webhookEndpoint"]["id"], again["secret"]) == (endpoint, None)
    rotated = (await users.data(ROTATE, person, {"id": endpoint}))["rotateWebhookSecret"]
    assert rotated["secret"] != first
    assert await users.codes(ROTATE, person, {"id": endpoint}) == ["CONFLICT"]
    await users.data(TEST, person, {"id": endpoint})
    await deliver(users)
    assert len(receiver.received[-1].headers["webhook-signature"].split(" ")) == 2
    clock(NOON + timedelta(hours=25))
    await users.data(TEST, person, {"id": endpoint})
    await deliver(users)
    assert len(receiver.received[-1].headers["webhook-signature"].split(" ")) == 1
    async with users.database.reading() as connection:
        (row,) = (await connection.execute(text("SELECT secret, previous_secret FROM webhook_endpoint"))).all()
    opened = SealingKeys(KEY).open(row.secret, endpoint)
    assert opened not in row.secret
    # another key seals: what the one before it has sealed is sealed anew, and then that can go
    users.resources.settings = replace(users.resources.settings, webhook_key=OTHER_KEY, webhook_previous_keys=(KEY,))
    assert (await seal_anew(users.resources), await seal_anew(users.resources)) == (1, 0)
    users.resources.settings = replace(users.resources.settings, webhook_previous_keys=())
    clock(NOON + timedelta(hours=26))
    await users.data(TEST, person, {"id": endpoint})
    await deliver(users)
    assert len(receiver.received) == 3
    users.resources.settings = replace(users.resources.settings, webhook_key=KEY)
    clock(NOON + timedelta(hours=27))
    await users.data(TEST, person, {"id": endpoint})
    await deliver(users)
    assert (await log(users, person))[0]["failure"] == "SECRET"
    await users.data(ROTATE, person, {"id": endpoint})  # mends it
    clock(NOON + timedelta(hours=28))
    await deliver(users)
    assert len(receiver.received) == 4


async def test_what_is_no_endpoint_is_refused_with_its_place_and_without_a_key_everything(
    users: SubgraphUnderTest, person: str
) -> None:
    async def refused(**given: Any) -> list[tuple[str, str | None]]:
        whole = {"url": "https://hooks.example.org/x", "name": "Mine", "kinds": ["WEIGHT_CHANGED"]} | given
        return [
            (each["code"], each["field"]) for each in user_errors(await users.run(CREATE, person, {"input": whole}))
        ]

    assert await refused(url="https://169.254.169.254/") == [("VALIDATION_ERROR", "url")]
    assert await refused(url="http://hooks.example.org/x") == [("VALIDATION_ERROR", "url")]
    assert await refused(url="https://hooks.example.org:22/x", name=" ", kinds=[]) == [
        ("VALIDATION_ERROR", "url"),
        ("VALIDATION_ERROR", "name"),
        ("VALIDATION_ERROR", "kinds"),
    ]
    for _ in range(MOST_ENDPOINTS):
        await register(users, person, "https://hooks.example.org:8443/x")
    assert await refused() == [("CONFLICT", None)]
    other = await an_account(users)
    theirs = (await endpoints(users, person))[0]["id"]
    for operation in (TEST, ROTATE, REMOVE, AGAIN):
        assert await users.codes(operation, other, {"id": theirs}) == ["NOT_FOUND"]
    assert (await users.data(REMOVE, person, {"id": theirs}))["deleteWebhookEndpoint"]["deletedId"] == theirs
    users.resources.settings = replace(users.resources.settings, webhook_key=None)
    assert await refused() == [("CONFLICT", None)]


def as_key(person: str, key_id: str, *scopes: str) -> str:
    claims = claims_of(person) | {"sid": key_id, "scope": " ".join(("key", "manage:webhooks", *scopes)), "roles": []}
    return f"Bearer {KeyRing(SECRET).sign(claims)}"


async def test_a_key_has_endpoints_of_its_own_for_what_it_may_read_and_they_end_with_it(
    users: SubgraphUnderTest, person: str, receiver: WebhookReceiver, clock: Callable[[datetime], None]
) -> None:
    await execute(
        users,
        "INSERT INTO api_key (id, user_id, name, scopes, key_hash, hint, created_at, expires_at) VALUES"
        " ('k', :person, 'k', '{}', 'k', 'kkkk', now(), now() + interval '1 day')",
        person=person,
    )
    await register(users, person, receiver.url)
    bearer = as_key(person, "k", "read:body")
    given = {"url": receiver.url, "name": "Scale", "kinds": ["WEIGHT_CHANGED", "GOAL_COMPLETED"]}
    (refusal,) = user_errors(await users.run_with(bearer, CREATE, {"input": given}))
    assert (refusal["code"], refusal["field"]) == ("VALIDATION_ERROR", "kinds.1")
    made = await users.run_with(bearer, CREATE, {"input": given | {"kinds": ["WEIGHT_CHANGED"]}})
    assert made.data is not None
    assert made.data["createWebhookEndpoint"]["webhookEndpoint"]["apiKeyId"] == "k"
    seen = await users.run_with(bearer, "{ webhookEndpoints { name } }")
    assert seen.data == {"webhookEndpoints": [{"name": "Scale"}]}
    persons = next(each["id"] for each in await endpoints(users, person) if each["name"] == "Mine")
    for operation in (TEST, ROTATE, REMOVE):
        assert codes_of(await users.run_with(bearer, operation, {"id": persons})) == ["NOT_FOUND"]
    await users.data(REMOVE, person, {"id": persons})
    await users.data(WEIGH, person)
    await deliver(users)
    assert len(receiver.received) == 1
    clock(datetime.now(UTC) + timedelta(days=2))
    await users.data(WEIGH, person)
    await deliver(users)
    assert len(receiver.received) == 1
    await users.data('mutation { revokeApiKey(input: { id: "k" }) { revokedId } }', person)
    assert await endpoints(users, person) == []


async def test_a_suspended_account_is_sent_nothing_and_an_endpoint_that_is_deleted_while_it_answers_settles(
    users: SubgraphUnderTest, person: str, receiver: WebhookReceiver, clock: Callable[[datetime], None]
) -> None:
    endpoint, _ = await register(users, person, receiver.url)
    await users.data(WEIGH, person)
    await execute(users, "UPDATE account SET status = 'SUSPENDED'")
    await deliver(users)
    assert receiver.received == []
    await execute(users, "UPDATE account SET status = 'ACTIVE'")
    clock(NOON + timedelta(hours=1))
    receiver.seconds = 0.3
    sending = asyncio.create_task(deliver(users))
    while not receiver.received:
        await asyncio.sleep(0.01)
    await users.data(REMOVE, person, {"id": endpoint})
    await sending
    assert await endpoints(users, person) == []


async def test_too_many_that_wait_switch_the_endpoint_off_and_say_so(
    users: SubgraphUnderTest, person: str, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subgraphs.users.commands.webhook_events.MOST_WAITING", 5)
    monkeypatch.setattr(webhook_delivery, "MOST_WAITING", 5)
    await register(users, person, receiver.url, ["WEIGHT_CHANGED"])
    for _ in range(8):
        await users.data(WEIGH, person)
    assert len(await log(users, person)) == 5
    receiver.status = 500
    await deliver(users)
    (shown,) = await endpoints(users, person)
    assert (shown["isOn"], shown["disabledReason"]) == (False, "TOO_MANY_WAITING")


async def test_processes_side_by_side_send_each_once_one_at_a_time_and_one_a_second(
    users: SubgraphUnderTest, person: str, clock: Callable[[datetime], None]
) -> None:
    async with AsyncExitStack() as stack:
        receivers = [await stack.enter_async_context(webhook_receiver()) for _ in range(4)]
        for receiver in receivers:
            await register(users, person, receiver.url, ["WEIGHT_CHANGED"])
        for _ in range(3):
            await users.data(WEIGH, person)
        for second in range(4):
            clock(NOON + second * SECOND)
            await asyncio.gather(*(deliver(users) for _ in range(3)))
            assert [len(receiver.received) for receiver in receivers] == [min(second + 1, 3)] * 4
        assert all(len({each.id for each in receiver.received}) == 3 for receiver in receivers)


KILLED = """
import asyncio, sys
from dataclasses import replace
from datetime import UTC, datetime
from subgraphs.shell.app import open_resources
from subgraphs.shell.settings import Settings
from subgraphs.users.commands import due, webhook_delivery
due.LOOK_EVERY_SECONDS = 0.01
resources = open_resources(Settings(subgraph="users", database_url=sys.argv[1], jwt_secret=sys.argv[2],
                                    webhook_key=sys.argv[3], webhook_loopback=True))
print("begins", flush=True)
asyncio.run(webhook_delivery.deliver_webhooks(resources))
"""


async def test_a_process_that_is_killed_in_the_middle_loses_nothing(
    users: SubgraphUnderTest, person: str, clock: Callable[[datetime], None]
) -> None:
    """With the answers of some on their way; what was sent twice has one id."""
    clock(datetime.now(UTC))
    async with AsyncExitStack() as stack:
        receivers = [await stack.enter_async_context(webhook_receiver()) for _ in range(MOST_ENDPOINTS)]
        for receiver in receivers:
            receiver.seconds = 0.2
            await register(users, person, receiver.url, ["WEIGHT_CHANGED"])
        for _ in range(3):
            await users.data(WEIGH, person)
        url = users.resources.settings.database_url
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, url, SECRET, KEY)
        try:
            async with asyncio.timeout(60):
                while sum(len(receiver.received) for receiver in receivers) < MOST_ENDPOINTS // 2:
                    await asyncio.sleep(0.01)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
        statuses = [each["status"] for shown in await endpoints(users, person) for each in shown["deliveries"]["nodes"]]
        assert statuses.count("WAITING") > 0
        assert len(statuses) == 3 * MOST_ENDPOINTS
        moment = datetime.now(UTC) + CLAIMED_FOR
        for second in range(5):
            clock(moment + 2 * second * SECOND)
            await deliver(users)
        for shown, receiver in zip(reversed(await endpoints(users, person)), receivers, strict=True):
            ids = {each["id"] for each in shown["deliveries"]["nodes"]}
            assert {each["status"] for each in shown["deliveries"]["nodes"]} == {"DELIVERED"}
            assert {each.id for each in receiver.received} == ids
            assert len(ids) == 3


async def test_the_loop_goes_on_and_is_seen_in_health_and_old_messages_go(
    users: SubgraphUnderTest, person: str, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subgraphs.users.commands.due.LOOK_EVERY_SECONDS", 0.02)
    endpoint, _ = await register(users, person, receiver.url)
    await users.data(TEST, person, {"id": endpoint})
    running = asyncio.create_task(deliver_webhooks(users.resources))
    try:
        async with asyncio.timeout(60):
            while (await log(users, person))[0]["status"] == "WAITING":
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.wait([running])  # it gives its connection back before the pool is closed
    (loop,) = [each for each in users.resources.loops if each.name == "webhooks"]
    assert loop.is_well
    await execute(users, "UPDATE webhook_delivery SET created_at = now() - interval '11 days'")
    assert await forget_in_batches(users.database.transaction, forget_deliveries) == 1


async def test_how_late_the_queue_is_is_measured_of_endpoints_that_answer(
    users: SubgraphUnderTest, person: str, receiver: WebhookReceiver, clock: Callable[[datetime], None]
) -> None:
    async def age() -> float:
        await measure_queues(users.resources)
        return float(QUEUE_AGE.labels("webhooks")._value.get())

    await register(users, person, receiver.url)
    await users.data(WEIGH, person)
    await deliver(users)
    assert await age() == 0
    clock(NOON + timedelta(seconds=5))
    await users.data(WEIGH, person)
    clock(NOON + timedelta(minutes=10, seconds=5))
    assert await age() == 600
    receiver.status = 500
    await deliver(users)
    clock(NOON + timedelta(minutes=30))
    assert await age() == 0
    await measure_queues(replace(users.resources, database=Database("postgresql://127.0.0.1:1/none")))
    assert math.isnan(float(QUEUE_AGE.labels("webhooks")._value.get()))


def test_production_refuses_webhooks_to_its_own_machine_and_a_key_that_is_none() -> None:
    environment = {"DATABASE_URL_USERS": "postgresql://x", "JWT_SECRET": "x" + "q7Gm2Zr9Kd4Wn8Ts1Vb6Yc3Hf5Jp0Lx-qwe"}
    assert read_settings("users", environment | {"WEBHOOK_LOOPBACK": "1"}).webhook_loopback
    with pytest.raises(SettingsError, match="WEBHOOK_LOOPBACK is for development"):
        read_settings("users", environment | {"WEBHOOK_LOOPBACK": "1", "FITTRACKER_ENV": "prod"})
    with pytest.raises(SettingsError, match="WEBHOOK_KEY must be 32 bytes"):
        read_settings("users", environment | {"WEBHOOK_KEY": "short"})
    with pytest.raises(SettingsError, match="WEBHOOK_PREVIOUS_KEYS must be keys"):
        read_settings("users", environment | {"WEBHOOK_PREVIOUS_KEYS": f"{KEY},short"})
    assert read_settings("users", environment | {"WEBHOOK_PREVIOUS_KEYS": KEY}).webhook_previous_keys == (KEY,)
