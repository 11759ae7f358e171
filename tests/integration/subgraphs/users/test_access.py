"""Every operation of users, as nobody and as somebody else: what is refused and what is not told."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from subgraphs.users.commands.notification import notify
from subgraphs.users.domain.notification import NewNotification, NotificationKind
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.access import Refusal, entity_types, root_fields, user_fields
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, codes_of, subgraph_under_test

REGISTER = """mutation ($email: String!) { register(input: { email: $email, password: "Password123!", displayName: "Some Body" }) {
    accessToken user { id } } }"""

REFUSALS = [
    Refusal("Query.me", "{ me { id } }", own=True),
    Refusal("Query.user", "{ user(id: $owner) { email } }", stranger={"user": None}),
    Refusal("Query.node", "{ node(id: $owner) { ... on User { email } } }", code="NOT_FOUND"),
    Refusal("Query.nodes", "{ nodes(ids: [$weight]) { ... on WeightEntry { weightKg } } }", code="NOT_FOUND"),
    Refusal("Query.auditTrail", "{ auditTrail { nodes { reason } } }", code="FORBIDDEN"),
    Refusal("Query.people", "{ people { nodes { email } } }", code="FORBIDDEN"),
    Refusal(
        "Mutation.setUserStatus",
        'mutation { setUserStatus(input: { userId: $owner, status: SUSPENDED, reason: "none" }) { user { id } } }',
        code="FORBIDDEN",
    ),
    Refusal(
        "Mutation.setUserRoles",
        'mutation { setUserRoles(input: { userId: $owner, roles: [ADMIN], reason: "none" }) { user { id } } }',
        code="FORBIDDEN",
    ),
    Refusal(
        "Mutation.setPremium",
        'mutation { setPremium(input: { userId: $owner, until: "2031-01-01T00:00:00Z", reason: "none" }) { user { id } } }',
        code="FORBIDDEN",
    ),
    Refusal(
        "Mutation.register",
        'mutation { register(input: { email: "owner@example.com", password: "Password123!", displayName: "X Y" }) { userErrors { code } } }',
        code="CONFLICT",
        public=True,
    ),
    Refusal(
        "Mutation.login",
        'mutation { login(input: { email: "owner@example.com", password: "Guess123!" }) { accessToken } }',
        code="UNAUTHENTICATED",
        public=True,
    ),
    Refusal(
        "Mutation.refresh",
        'mutation { refresh(input: { refreshToken: "guess" }) { accessToken } }',
        code="UNAUTHENTICATED",
        public=True,
    ),
    Refusal(
        "Mutation.confirmRegistration",
        'mutation { confirmRegistration(input: { token: "guess", password: "Guess123!" }) { userErrors { code } } }',
        code="VALIDATION_ERROR",
        public=True,
    ),
    Refusal(
        "Mutation.requestEmailVerification",
        'mutation { requestEmailVerification(input: { email: "stranger@example.com" }) { sentTo userErrors { code } } }',
        own=True,
    ),
    Refusal(
        "Mutation.verifyEmail",
        'mutation { verifyEmail(input: { token: "guess" }) { userErrors { code } } }',
        code="VALIDATION_ERROR",
        public=True,
    ),
    Refusal(
        "Mutation.requestPasswordReset",
        'mutation { requestPasswordReset(input: { email: "no address" }) { userErrors { code } } }',
        code="VALIDATION_ERROR",
        public=True,
    ),
    Refusal(
        "Mutation.resetPassword",
        'mutation { resetPassword(input: { token: "guess", newPassword: "Guess124!" }) { userErrors { code } } }',
        code="VALIDATION_ERROR",
        public=True,
    ),
    Refusal(
        "Mutation.beginExport", "mutation { beginExport(input: {}) { user { id } userErrors { code } } }", own=True
    ),
    Refusal("Mutation.logout", "mutation { logout(input: {}) { endedSessions } }", own=True),
    Refusal(
        "Mutation.revokeSession",
        "mutation { revokeSession(input: { id: $session }) { revokedId } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.beginSecondFactor",
        'mutation { beginSecondFactor(input: { currentPassword: "Guess123!" }) { userErrors { code } } }',
        code="VALIDATION_ERROR",
    ),
    Refusal(
        "Mutation.confirmSecondFactor",
        'mutation { confirmSecondFactor(input: { code: "000000" }) { userErrors { code } } }',
        code="CONFLICT",
    ),
    Refusal(
        "Mutation.removeSecondFactor",
        'mutation { removeSecondFactor(input: { currentPassword: "Guess123!", code: "000000" }) { userErrors { code } } }',
        code="VALIDATION_ERROR",
    ),
    Refusal(
        "Mutation.deleteAccount",
        'mutation { deleteAccount(input: { currentPassword: "Guess123!" }) { userErrors { code } } }',
        code="VALIDATION_ERROR",
    ),
    Refusal(
        "Mutation.changePassword",
        'mutation { changePassword(input: { currentPassword: "Guess123!", newPassword: "Guess124!" }) { userErrors { code } } }',
        code="VALIDATION_ERROR",
    ),
    Refusal("Mutation.updateProfile", "mutation { updateProfile(input: { heightCm: 170 }) { user { id } } }", own=True),
    Refusal(
        "Mutation.updateSettings", "mutation { updateSettings(input: { dayStartHour: 3 }) { user { id } } }", own=True
    ),
    Refusal("Mutation.logWeight", "mutation { logWeight(input: { weightKg: 70 }) { weightEntry { id } } }", own=True),
    Refusal(
        "Mutation.deleteWeight", "mutation { deleteWeight(input: { id: $weight }) { deletedId } }", code="NOT_FOUND"
    ),
    Refusal(
        "Mutation.editWeight",
        "mutation { editWeight(input: { id: $weight, weightKg: 60 }) { weightEntry { id } } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.logMeasurement",
        "mutation { logMeasurement(input: { kind: WAIST, valueCm: 80 }) { measurement { id } } }",
        own=True,
    ),
    Refusal(
        "Mutation.deleteMeasurement",
        "mutation { deleteMeasurement(input: { id: $measurement }) { deletedId } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.logHeartRate",
        "mutation { logHeartRate(input: { kind: RESTING, beatsPerMinute: 60 }) { heartRate { id } } }",
        own=True,
    ),
    Refusal(
        "Mutation.editHeartRate",
        "mutation { editHeartRate(input: { id: $heartRate, beatsPerMinute: 61 }) { heartRate { id } } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.deleteHeartRate",
        "mutation { deleteHeartRate(input: { id: $heartRate }) { deletedId } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.logSteps",
        'mutation { logSteps(input: { source: "Phone", steps: 60 }) { stepCount { id } } }',
        own=True,
    ),
    Refusal(
        "Mutation.deleteSteps",
        "mutation { deleteSteps(input: { id: $steps }) { deletedId } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.inviteReader",
        "mutation { inviteReader(input: { relation: COACH, areas: [BODY] }) { invitation { id } } }",
        own=True,
    ),
    Refusal(
        "Mutation.acceptInvitation",
        'mutation { acceptInvitation(input: { code: "guess" }) { userErrors { code } } }',
        code="VALIDATION_ERROR",
    ),
    Refusal(
        "Mutation.revokeAccess",
        "mutation { revokeAccess(input: { id: $invitation }) { revokedId } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.markNotificationsRead",
        "mutation { markNotificationsRead(input: { ids: [$notification] }) { userErrors { code } } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.deleteNotification",
        "mutation { deleteNotification(input: { id: $notification }) { deletedId } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.createReminder",
        'mutation { createReminder(input: { kind: DRINK, timeOfDay: "10:00", weekdays: [MONDAY] }) { reminder { id } } }',
        own=True,
    ),
    Refusal(
        "Mutation.updateReminder",
        "mutation { updateReminder(input: { id: $reminder, isOn: false }) { reminder { id } } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.deleteReminder",
        "mutation { deleteReminder(input: { id: $reminder }) { deletedId } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.beginPasskey",
        'mutation { beginPasskey(input: { currentPassword: "Guess123!" }) { userErrors { code } } }',
        code="VALIDATION_ERROR",
    ),
    Refusal(
        "Mutation.addPasskey",
        'mutation { addPasskey(input: { challengeId: "guess", credential: "{}", name: "x" }) { userErrors { code } } }',
        code="VALIDATION_ERROR",
    ),
    Refusal(
        "Mutation.renamePasskey",
        'mutation { renamePasskey(input: { id: $passkey, name: "x" }) { passkey { id } } }',
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.removePasskey", "mutation { removePasskey(input: { id: $passkey }) { removedId } }", code="NOT_FOUND"
    ),
    Refusal(
        "Mutation.beginPasskeyLogin",
        'mutation { beginPasskeyLogin(input: { email: "guess" }) { userErrors { code } } }',
        code="VALIDATION_ERROR",
        public=True,
    ),
    Refusal(
        "Mutation.loginWithPasskey",
        'mutation { loginWithPasskey(input: { challengeId: "guess", credential: "{}" }) { accessToken } }',
        code="UNAUTHENTICATED",
        public=True,
    ),
    Refusal(
        "Mutation.createApiKey",
        'mutation { createApiKey(input: { name: "x", scopes: [READ_BODY], currentPassword: "Guess123!" }) { userErrors { code } } }',
        code="VALIDATION_ERROR",
    ),
    Refusal("Mutation.revokeApiKey", "mutation { revokeApiKey(input: { id: $key }) { revokedId } }", code="NOT_FOUND"),
    Refusal(
        "Mutation.exchangeApiKey",
        'mutation { exchangeApiKey(input: { key: "guess" }) { accessToken } }',
        code="UNAUTHENTICATED",
        public=True,
    ),
    Refusal(
        "Mutation.updateNotificationPreferences",
        'mutation { updateNotificationPreferences(input: { quietStart: "22:00", quietEnd: "07:00" }) { userErrors { code } } }',
        own=True,
    ),
    Refusal(
        "Mutation.unsubscribe",
        'mutation { unsubscribe(input: { token: "guess" }) { userErrors { code } } }',
        code="VALIDATION_ERROR",
        public=True,
    ),
    Refusal("Query.consentTexts", "{ consentTexts { version } }", public=True),
    Refusal(
        "Mutation.updateConsents",
        "mutation { updateConsents(input: { consents: [{ purpose: STATISTICS, isGiven: true }] }) { userErrors { code } } }",
        own=True,
    ),
    Refusal(
        "Mutation.withdrawHealthDataConsent",
        "mutation { withdrawHealthDataConsent(input: { confirm: false }) { userErrors { code } } }",
        code="VALIDATION_ERROR",
    ),
    Refusal("Query.webPushKey", "{ webPushKey }", own=True),
    Refusal(
        "Mutation.registerPushSubscription",
        'mutation { registerPushSubscription(input: { endpoint: "x", p256dh: "x", auth: "x" }) { userErrors { code } } }',
        code="CONFLICT",
    ),
    Refusal(
        "Mutation.removePushSubscription",
        "mutation { removePushSubscription(input: { id: $push }) { removedId } }",
        code="NOT_FOUND",
    ),
    Refusal("Query.webhookEndpoints", "{ webhookEndpoints { id } }", own=True),
    Refusal(
        "Mutation.createWebhookEndpoint",
        'mutation { createWebhookEndpoint(input: { url: "x", name: "x", kinds: [] }) { userErrors { code } } }',
        code="CONFLICT",
    ),
    *(
        Refusal(
            f"Mutation.{name}",
            f"mutation {{ {name}(input: {{ id: {thing} }}) {{ userErrors {{ code }} }} }}",
            code="NOT_FOUND",
        )
        for name, thing in (
            ("updateWebhookEndpoint", "$endpoint"),
            ("deleteWebhookEndpoint", "$endpoint"),
            ("sendTestWebhook", "$endpoint"),
            ("redeliverWebhook", "$delivery"),
        )
    ),
    Refusal(
        "Mutation.rotateWebhookSecret",
        "mutation { rotateWebhookSecret(input: { id: $endpoint }) { userErrors { code } } }",
        code="CONFLICT",
    ),
    Refusal("_Entity.User", "... on User { email physiology { weightKg } }", stranger={"_entities": [None]}),
    Refusal("_Entity.WeightEntry", "... on WeightEntry { weightKg }", stranger={"_entities": [None]}),
    Refusal("_Entity.Measurement", "... on Measurement { valueCm }", stranger={"_entities": [None]}),
]


class Owned:
    """A person's things and a stranger's token."""

    def __init__(self, ids: dict[str, str], stranger: str) -> None:
        self.ids = ids
        self.stranger = stranger


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with subgraph_under_test("users", postgres.create_database("users_access"), schema, UsersLoaders) as subgraph:
        # Without a key nobody is asked for a password: no second factor is taken then.
        subgraph.resources.settings = replace(
            subgraph.resources.settings,
            passkey_rp_id="localhost",
            second_factor_key="yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
        )
        yield subgraph


@pytest.fixture(scope="module")
async def owned(users: SubgraphUnderTest) -> Owned:
    owner = (await users.data(REGISTER, None, {"email": "owner@example.com"}))["register"]
    stranger = (await users.data(REGISTER, None, {"email": "stranger@example.com"}))["register"]
    log = "mutation { logWeight(input: { weightKg: 81.5 }) { weightEntry { id } } }"
    result = await users.run_with(f"Bearer {owner['accessToken']}", log)
    assert result.data is not None
    weight = result.data["logWeight"]["weightEntry"]["id"]
    measure = "mutation { logMeasurement(input: { kind: WAIST, valueCm: 91.25 }) { measurement { id } } }"
    result = await users.run_with(f"Bearer {owner['accessToken']}", measure)
    assert result.data is not None
    measurement = result.data["logMeasurement"]["measurement"]["id"]
    keep = "mutation { logHeartRate(input: { kind: MAXIMUM, beatsPerMinute: 190 }) { heartRate { id } } }"
    result = await users.run_with(f"Bearer {owner['accessToken']}", keep)
    assert result.data is not None
    heart_rate = result.data["logHeartRate"]["heartRate"]["id"]
    walk = 'mutation { logSteps(input: { source: "Phone", steps: 6000 }) { stepCount { id } } }'
    result = await users.run_with(f"Bearer {owner['accessToken']}", walk)
    assert result.data is not None
    steps = result.data["logSteps"]["stepCount"]["id"]
    listed = await users.run_with(f"Bearer {owner['accessToken']}", "{ me { sessions { nodes { id } } } }")
    assert listed.data is not None
    (session,) = listed.data["me"]["sessions"]["nodes"]
    notification = "notification of the owner"
    async with users.database.transaction() as transaction:
        news = NewNotification(user_id=owner["user"]["id"], kind=NotificationKind.EMAIL_CHANGED, cause="access")
        await notify(transaction, [news], users.resources.now())
        await transaction.execute(text("UPDATE notification SET id = :id"), {"id": notification})
    remind = 'mutation { createReminder(input: { kind: DRINK, timeOfDay: "11:00", weekdays: [MONDAY] }) { reminder { id } } }'
    result = await users.run_with(f"Bearer {owner['accessToken']}", remind)
    assert result.data is not None
    reminder = result.data["createReminder"]["reminder"]["id"]
    invite = "mutation { inviteReader(input: { relation: FAMILY, areas: [BODY] }) { invitation { id } } }"
    result = await users.run_with(f"Bearer {owner['accessToken']}", invite)
    assert result.data is not None
    push = "browser of the owner"
    async with users.database.transaction() as transaction:
        await transaction.execute(
            text(
                "INSERT INTO push_subscription (id, user_id, endpoint, p256dh, auth, session_id, created_at)"
                " VALUES (:id, :user_id, 'https://push.example', '', '', :session, now())"
            ),
            {"id": push, "user_id": owner["user"]["id"], "session": session["id"]},
        )
        await transaction.execute(
            text(
                "INSERT INTO passkey (id, user_id, name, credential_id, credential, sign_count, is_synced, version, created_at)"
                " VALUES ('passkey of the owner', :user_id, 'Phone', '', '', 0, false, 1, now())"
            ),
            {"user_id": owner["user"]["id"]},
        )
    endpoint, delivery = "endpoint of the owner", "delivery of the owner"
    async with users.database.transaction() as transaction:
        await transaction.execute(
            text(
                "INSERT INTO webhook_endpoint (id, user_id, name, url, kinds, secret, version, created_at)"
                " VALUES (:id, :user_id, '', 'https://hooks.example', '{}', '', 1, now())"
            ),
            {"id": endpoint, "user_id": owner["user"]["id"]},
        )
        await transaction.execute(
            text(
                "INSERT INTO webhook_delivery (id, endpoint_id, type, cause, data, occurred_at, created_at, status, due_at)"
                " VALUES (:id, :endpoint, 'ping', '', '{}', now(), now(), 'WAITING', now())"
            ),
            {"id": delivery, "endpoint": endpoint},
        )
    ids = {
        "heartRate": heart_rate,
        "steps": steps,
        "passkey": "passkey of the owner",
        "endpoint": endpoint,
        "delivery": delivery,
        "push": push,
        "reminder": reminder,
        "notification": notification,
        "invitation": result.data["inviteReader"]["invitation"]["id"],
    }
    make = """mutation { createApiKey(input: { name: "Scales", scopes: [WRITE_BODY], currentPassword: "Password123!" }) {
        apiKey { id } } }"""
    result = await users.run_with(f"Bearer {owner['accessToken']}", make)
    assert result.data is not None
    ids["key"] = result.data["createApiKey"]["apiKey"]["id"]
    ids |= {"owner": owner["user"]["id"], "weight": weight, "measurement": measurement, "session": session["id"]}
    return Owned(ids, f"Bearer {stranger['accessToken']}")


def representation_of(name: str, ids: dict[str, str]) -> dict[str, Any]:
    of = {"User": "owner", "WeightEntry": "weight", "Measurement": "measurement"}
    return {"__typename": name, "id": ids[of[name]]}


async def rows_of(users: SubgraphUnderTest, user_id: str) -> list[Any]:
    async with users.database.reading() as connection:
        account = await connection.execute(text("SELECT * FROM account WHERE id = :id"), {"id": user_id})
        weights = await connection.execute(text("SELECT * FROM weight_entry WHERE user_id = :id"), {"id": user_id})
        measured = await connection.execute(text("SELECT * FROM measurement WHERE user_id = :id"), {"id": user_id})
        hearts = await connection.execute(text("SELECT * FROM heart_rate WHERE user_id = :id"), {"id": user_id})
        walked = await connection.execute(text("SELECT * FROM step_count WHERE user_id = :id"), {"id": user_id})
        sessions = await connection.execute(text("SELECT * FROM session WHERE user_id = :id"), {"id": user_id})
        offers = await connection.execute(text("SELECT * FROM grant_invitation WHERE owner_id = :id"), {"id": user_id})
        keys = await connection.execute(text("SELECT * FROM api_key WHERE user_id = :id"), {"id": user_id})
        passkeys = await connection.execute(text("SELECT * FROM passkey WHERE user_id = :id"), {"id": user_id})
        consents = await connection.execute(text("SELECT * FROM consent WHERE user_id = :id"), {"id": user_id})
        return [
            tuple(row)
            for rows in (account, weights, measured, hearts, walked, sessions, offers, keys, passkeys, consents)
            for row in rows
        ]


def test_the_table_names_every_operation() -> None:
    named = {refusal.coordinate for refusal in REFUSALS}
    # A User is given to those who may read it only, so its fields need no rows of their own.
    streams = {"Subscription.notification"}  # of the viewer alone, and for nobody else: test_notifications
    assert named == (root_fields(schema) - streams) | {f"_Entity.{name}" for name in entity_types(schema)}
    assert user_fields(schema)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.coordinate)
async def test_nobody_learns_or_changes_anything_of_a_person(
    users: SubgraphUnderTest, owned: Owned, refusal: Refusal
) -> None:
    before = await rows_of(users, owned.ids["owner"])
    operation, variables = refusal.operation(owned.ids, representation_of)
    result = await users.run_with(None, operation, variables)

    expected = refusal.code if refusal.public else "UNAUTHENTICATED"
    assert codes_of(result) == ([] if expected is None else [expected])
    assert await rows_of(users, owned.ids["owner"]) == before


@pytest.mark.parametrize(
    "refusal",
    sorted(REFUSALS, key=lambda refusal: refusal.coordinate == "Mutation.logout"),
    ids=lambda refusal: refusal.coordinate,
)
async def test_a_stranger_learns_and_changes_nothing_of_another_person(
    users: SubgraphUnderTest, owned: Owned, refusal: Refusal
) -> None:
    before = await rows_of(users, owned.ids["owner"])
    operation, variables = refusal.operation(owned.ids, representation_of)
    result = await users.run_with(owned.stranger, operation, variables)

    refusal.check_stranger(result)
    assert "81.5" not in str(result.data)
    assert "91.25" not in str(result.data)
    assert "owner@example.com" not in str(result.data)
    assert await rows_of(users, owned.ids["owner"]) == before
