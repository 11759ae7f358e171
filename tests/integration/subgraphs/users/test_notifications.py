"""People are told once for each cause, whatever is told twice; the list is theirs, bounded, and live."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.analytics import AchievementUnlocked, GoalCompleted, GoalPlanned, GoalProgressed
from events.contracts.moderation import PublicationModerated
from events.contracts.nutrition import FoodModerated, MealsPlanned
from events.contracts.workouts import TemplateModerated, TrainingPlanned, WorkoutCompleted
from events.retention import forget_in_batches
from subgraphs.analytics.domain.achievement import AchievementKind
from subgraphs.shell.database import Database, migrate
from subgraphs.users.commands.notification import forget_notifications, notify
from subgraphs.users.commands.password import hash_password
from subgraphs.users.domain.notification import MOST_KEPT, NewNotification, NotificationKind, wording
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.accounts import an_account, tell
from tests.testkit.live_fields import streaming, with_live_updates
from tests.testkit.revisions import migrate_to
from tests.testkit.servers import Postgres, Valkey
from tests.testkit.subgraph import SubgraphUnderTest, codes_of, subgraph_under_test

_numbers = count(1)
LIST = """query ($unread: Boolean! = false, $first: Int, $after: String) { me { unreadNotificationCount
  notifications(unreadOnly: $unread, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor }
    nodes { id kind title body subjectId detail createdAt readAt } } } }"""
MARK = """mutation ($ids: [ID!]) { markNotificationsRead(input: { ids: $ids }) {
  user { unreadNotificationCount } userErrors { code field } } }"""
DELETE = "mutation ($id: ID!) { deleteNotification(input: { id: $id }) { deletedId userErrors { code } } }"
LIVE = """subscription ($since: DateTime) { notification(since: $since) {
  unreadCount notification { id kind createdAt } user { unreadNotificationCount } } }"""
LOGIN = """mutation ($input: LoginInput!) { login(input: $input) { accessToken user { id } userErrors { code } } }"""
REGISTER = """mutation ($email: String!) { register(input: { email: $email, password: "Password123!",
  displayName: "Some Body", deviceName: "Phone" }) { user { id } userErrors { code } } }"""
INVITE = "mutation { inviteReader(input: { relation: COACH, areas: [BODY] }) { code } }"
ACCEPT = "mutation ($code: String!) { acceptInvitation(input: { code: $code }) { grant { id } userErrors { code } } }"
REVOKE = "mutation ($id: ID!) { revokeAccess(input: { id: $id }) { revokedId userErrors { code } } }"


@pytest.fixture(scope="module")
async def users(postgres: Postgres, valkey: Valkey) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("users_notifications")
    async with (
        subgraph_under_test("users", url, schema, UsersLoaders) as subgraph,
        with_live_updates(subgraph, valkey),
    ):
        yield subgraph


@pytest.fixture
async def person(users: SubgraphUnderTest) -> str:
    return await an_account(users)


NOTHING_UNREAD = {"unreadCount": 0, "notification": None, "user": {"unreadNotificationCount": 0}}


async def listed(users: SubgraphUnderTest, person: str, **variables: Any) -> list[dict[str, Any]]:
    return list((await users.data(LIST, person, variables))["me"]["notifications"]["nodes"])


async def unread(users: SubgraphUnderTest, person: str) -> int:
    return int((await users.data(LIST, person))["me"]["unreadNotificationCount"])


def goal(person: str, kind: type[GoalProgressed] = GoalCompleted, status: str = "COMPLETED") -> GoalProgressed:
    return kind(goal_id=f"goal of {person}", status=status, progress=1)


def unlocked() -> AchievementUnlocked:
    return AchievementUnlocked(kind="FIRST_MEAL", reached_on=datetime.now(UTC).date(), unlocked_at=datetime.now(UTC))


def workout(*records: str, day: date | None = None) -> WorkoutCompleted:
    now = datetime.now(UTC)
    return WorkoutCompleted(
        workout_id="w1",
        name="Legs",
        status="COMPLETED",
        local_date=day or now.date(),
        started_at=now,
        new_records=records,
    )


async def test_events_are_told_in_words_once_though_they_come_again_and_in_another_life_of_their_source(
    users: SubgraphUnderTest, person: str
) -> None:
    for version in (1, 2, 1, 3):
        await tell(users, person, goal(person), unlocked(), workout("Back squat", "Bench press"), version=version)
    async with users.database.transaction() as transaction:
        await transaction.execute(text("DELETE FROM inbox"))  # as of a group that reads its topics from their start
    await tell(users, person, goal(person, GoalProgressed), unlocked(), workout("Back squat"))
    found = {each["kind"]: each for each in await listed(users, person)}
    assert len(found) == len(await listed(users, person)) == await unread(users, person) == 3
    assert found["GOAL_COMPLETED"]["subjectId"] == f"goal of {person}"
    assert found["ACHIEVEMENT_UNLOCKED"]["body"] == "A first meal in the diary."
    assert found["PERSONAL_RECORD"]["body"] == "More than ever before: Back squat, Bench press"
    assert found["PERSONAL_RECORD"]["subjectId"] == "w1"


@pytest.mark.parametrize(("contract", "things"), [(TemplateModerated, "TEMPLATE"), (FoodModerated, "FOOD")])
async def test_what_administrators_decide_about_what_is_published_is_in_the_audit_trail_once(
    users: SubgraphUnderTest, person: str, contract: type[PublicationModerated], things: str
) -> None:
    decided = contract(
        actor_id="boss", decision="WITHDRAW", reason="Sells something", before="PUBLIC", after="WITHDRAWN"
    )
    for version in (1, 2):
        await tell(users, person, decided, version=version)
    trail = "query ($id: ID!) { auditTrail(userId: $id) { nodes { action actorId subjectId reason before after } } }"
    assert (await users.data(trail, "boss", {"id": person}, roles=("ADMIN",)))["auditTrail"]["nodes"] == [
        {
            "action": f"{things}_WITHDRAWN",
            "actorId": "boss",
            "subjectId": person,
            "reason": "Sells something",
            "before": "PUBLIC",
            "after": "WITHDRAWN",
        }
    ]
    assert await listed(users, person) == []


async def test_what_is_old_or_nothing_new_tells_nobody(users: SubgraphUnderTest, person: str) -> None:
    old = datetime.now(UTC) - timedelta(days=8)
    await tell(users, person, goal(person), unlocked(), at=old)
    await tell(users, person, goal(person, GoalProgressed, "ACTIVE"), workout(), version=2)
    await tell(users, person, workout("Deadlift", day=old.date() - timedelta(days=400)), version=3)  # an import
    await tell(users, "nobody any more", goal("x"), unlocked())
    assert await listed(users, person) == []


async def test_two_consumers_at_once_tell_once(users: SubgraphUnderTest, person: str) -> None:
    news = NewNotification(user_id=person, kind=NotificationKind.GOAL_COMPLETED, cause="goal:1")

    async def once() -> set[str]:
        async with users.database.transaction() as transaction:
            return await notify(transaction, [news, news], datetime.now(UTC))

    told = await asyncio.gather(*(once() for _ in range(5)))
    assert sorted(map(len, told)) == [0, 0, 0, 0, 1]
    assert len(await listed(users, person)) == 1


async def test_what_is_read_stays_and_what_is_deleted_does_not_come_back(users: SubgraphUnderTest, person: str) -> None:
    await tell(users, person, goal(person), unlocked(), workout("Squat"))
    first, second, third = [each["id"] for each in await listed(users, person)]
    assert (await users.data(MARK, person, {"ids": [first]}))["markNotificationsRead"]["user"] == {
        "unreadNotificationCount": 2
    }
    assert [each["id"] for each in await listed(users, person, unread=True)] == [second, third]
    read_at = (await listed(users, person))[0]["readAt"]
    await users.data(MARK, person, {"ids": [first]})
    assert read_at is not None
    assert (await listed(users, person))[0]["readAt"] == read_at
    await users.data(DELETE, person, {"id": second})
    async with users.database.transaction() as transaction:
        await transaction.execute(text("DELETE FROM inbox"))
    await tell(users, person, goal(person), unlocked(), workout("Squat"))
    assert [each["id"] for each in await listed(users, person)] == [first, third]
    assert await users.codes(DELETE, person, {"id": second}) == ["NOT_FOUND"]
    await users.data(MARK, person, {"ids": None})
    assert await unread(users, person) == 0


async def test_others_notifications_are_nobodys_and_what_is_wrong_is_told_with_its_place(
    users: SubgraphUnderTest, person: str
) -> None:
    await tell(users, person, goal(person))
    (mine,) = await listed(users, person)
    stranger = await an_account(users)
    assert await users.codes(DELETE, stranger, {"id": mine["id"]}) == ["NOT_FOUND"]
    refused = await users.run(MARK, stranger, {"ids": [mine["id"]]})
    assert (codes_of(refused), await unread(users, person)) == (["NOT_FOUND"], 1)
    assert await users.codes(MARK, person, {"ids": []}) == ["VALIDATION_ERROR"]
    assert await users.codes(MARK, person, {"ids": ["x"] * 101}) == ["VALIDATION_ERROR"]
    assert await users.codes(DELETE, None, {"id": mine["id"]}) == ["UNAUTHENTICATED"]


async def test_pages_go_both_ways_and_a_person_keeps_the_newest_only(users: SubgraphUnderTest, person: str) -> None:
    start = datetime.now(UTC) - timedelta(days=1)
    for number in range(MOST_KEPT // 100 + 1):
        news = [
            NewNotification(user_id=person, kind=NotificationKind.EMAIL_CHANGED, cause=f"email:{number}:{each}")
            for each in range(100)
        ]
        async with users.database.transaction() as transaction:
            await notify(transaction, news, start + timedelta(minutes=number))
    page = (await users.data(LIST, person, {"first": 100}))["me"]["notifications"]
    assert (page["totalCount"], len(page["nodes"]), page["pageInfo"]["hasNextPage"]) == (MOST_KEPT, 100, True)
    second = (await users.data(LIST, person, {"first": 100, "after": page["pageInfo"]["endCursor"]}))["me"]
    assert second["notifications"]["nodes"][0]["createdAt"] < page["nodes"][-1]["createdAt"]
    async with users.database.transaction() as transaction:
        await transaction.execute(
            text("UPDATE notification SET created_at = now() - interval '91 days' WHERE user_id = :id"), {"id": person}
        )
    assert await forget_in_batches(users.database.transaction, forget_notifications) == MOST_KEPT
    assert await listed(users, person) == []


async def test_both_sides_of_a_grant_are_told_of_what_the_other_did(users: SubgraphUnderTest, person: str) -> None:
    owner_email = f"owner{next(_numbers)}@example.com"
    owner = (await users.data(REGISTER, None, {"email": owner_email}))["register"]["user"]["id"]
    code = (await users.data(INVITE, owner))["inviteReader"]["code"]
    grant = (await users.data(ACCEPT, person, {"code": code}))["acceptInvitation"]["grant"]["id"]
    (accepted,) = await listed(users, owner)
    assert (accepted["kind"], accepted["subjectId"], accepted["detail"]) == ("ACCESS_GRANTED", grant, "COACH")
    assert await listed(users, person) == []
    await users.data(REVOKE, owner, {"id": grant})
    (ended,) = await listed(users, person)
    assert (ended["kind"], ended["subjectId"]) == ("ACCESS_ENDED", grant)
    assert len(await listed(users, owner)) == 1


async def test_a_sign_in_is_told_where_its_device_is_new(users: SubgraphUnderTest) -> None:
    email = f"signs.in{next(_numbers)}@example.com"
    owner = (await users.data(REGISTER, None, {"email": email}))["register"]["user"]["id"]
    for device in ("Phone", "Tablet", "Tablet", None, "Phone", None):
        await users.data(LOGIN, None, {"input": {"email": email, "password": "Password123!", "deviceName": device}})
    found = await listed(users, owner)
    assert [(each["kind"], each["detail"]) for each in found] == [("NEW_SIGN_IN", None), ("NEW_SIGN_IN", "Tablet")]
    assert [each["body"].split(".")[0] for each in found] == [
        "Somebody signed in on a device without a name",
        "Somebody signed in on a device called Tablet",
    ]
    change = """mutation { changePassword(input: { currentPassword: "Password123!", newPassword: "Another123!" }) {
        accessToken userErrors { code } } }"""
    await users.data(change, owner)
    assert (await listed(users, owner))[0]["kind"] == "PASSWORD_CHANGED"


async def test_a_stream_begins_with_what_is_unread_and_tells_what_comes_and_what_is_read(
    users: SubgraphUnderTest, person: str
) -> None:
    async with streaming(users, LIVE, person) as stream:
        assert await stream.next() == NOTHING_UNREAD
        await tell(users, person, goal(person))
        first = await stream.next()
        assert first["user"] == {"unreadNotificationCount": 1}
        assert (first["unreadCount"], first["notification"]["kind"]) == (1, "GOAL_COMPLETED")
        await users.data(MARK, person, {"ids": None})
        assert await stream.next() == NOTHING_UNREAD
        await tell(users, person, unlocked())
        second = await stream.next()
        assert (second["unreadCount"], second["notification"]["kind"]) == (1, "ACHIEVEMENT_UNLOCKED")
        await users.data(DELETE, person, {"id": second["notification"]["id"]})
        assert await stream.next() == NOTHING_UNREAD


async def test_a_stream_tells_nobody_elses_and_needs_somebody(users: SubgraphUnderTest, person: str) -> None:
    async with streaming(users, LIVE, person) as stream:
        assert (await stream.next())["unreadCount"] == 0
        await tell(users, await an_account(users), goal("another's"))
        await tell(users, person, unlocked())
        assert (await stream.next())["notification"]["kind"] == "ACHIEVEMENT_UNLOCKED"
    async with streaming(users, LIVE, None) as stream:
        assert await stream.code() == "UNAUTHENTICATED"


async def test_a_stream_that_is_opened_again_goes_on_from_an_instant(users: SubgraphUnderTest, person: str) -> None:
    await tell(users, person, goal(person))
    async with users.database.transaction() as transaction:  # before any stream would look back
        await transaction.execute(
            text("UPDATE notification SET created_at = created_at - interval '1 hour' WHERE user_id = :id"),
            {"id": person},
        )
    (known,) = await listed(users, person)
    await tell(users, person, unlocked())  # while the client is away
    async with streaming(users, LIVE, person) as stream:
        assert (await stream.next())["notification"]["kind"] == "ACHIEVEMENT_UNLOCKED"
    async with streaming(users, LIVE, person, {"since": known["createdAt"]}) as stream:
        kinds = [(await stream.next())["notification"]["kind"] for _ in range(2)]
    assert kinds == ["GOAL_COMPLETED", "ACHIEVEMENT_UNLOCKED"]


async def test_a_database_of_the_release_before_gets_a_whole_inbox(postgres: Postgres) -> None:
    """Its events' own revisions ran while there was none; a new database runs them after it."""
    url = postgres.create_database("users_before_notifications")
    database = Database(url)
    await migrate_to(database, "users", "users_0008")
    columns = text(
        "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND table_name IN ('inbox', 'inbox_partition', 'parked_record', 'park_order')"
    )
    async with database.transaction() as transaction:
        await transaction.execute(
            text(
                "ALTER TABLE outbox_relay ADD COLUMN incarnation text,"
                " ADD COLUMN source_epoch bigint NOT NULL DEFAULT 0"
            )
        )
    await migrate_to(database, "users", "users_0009")
    async with database.transaction() as transaction:
        old = set((await transaction.scalars(columns)).all())
    await database.close()
    fresh_url = postgres.create_database("users_new_with_notifications")
    await migrate("users", fresh_url)
    fresh = Database(fresh_url)
    async with fresh.transaction() as transaction:
        assert set((await transaction.scalars(columns)).all()) == old != set()
    await fresh.close()


def test_every_kind_has_words_and_every_achievement_its_own() -> None:
    assert all(wording(kind, "x").title for kind in NotificationKind)
    for kind in AchievementKind:
        named = wording(NotificationKind.ACHIEVEMENT_UNLOCKED, kind.value).body
        assert named != f"{kind.value.replace('_', ' ').capitalize()}.", "the words for a kind that has none"
    assert wording(NotificationKind.ACHIEVEMENT_UNLOCKED, "SWAM_A_MILE").body == "Swam a mile."


async def test_a_plan_that_somebody_wrote_is_told_by_name_once_an_hour_until_the_writer_is_erased(
    users: SubgraphUnderTest, person: str
) -> None:
    coach = await an_account(users)
    at = datetime.now(UTC).replace(minute=5)
    plan = {"grant_id": "g", "writer_id": coach, "subject_id": "t1"}
    for version, written in enumerate(
        (
            TrainingPlanned(what="TEMPLATE", **plan),
            TrainingPlanned(what="TEMPLATE", **plan),
            MealsPlanned(what="NUTRITION_TARGET", **(plan | {"subject_id": "2026-03-02"})),
            GoalPlanned(what="GOAL", **(plan | {"subject_id": "goal-1", "writer_id": "nobody any more"})),
        ),
        start=1,
    ):
        await tell(users, person, written, version=version, at=at)
    told = (await users.data(LIST, person))["me"]["notifications"]["nodes"]
    assert [(each["kind"], each["subjectId"], each["detail"]) for each in told] == [
        ("PLAN_WRITTEN", "2026-03-02", "NUTRITION_TARGET Some Body"),
        ("PLAN_WRITTEN", "t1", "TEMPLATE Some Body"),
    ]
    assert told[1]["body"] == "Some Body has written a template of workouts."
    async with users.database.transaction() as transaction:
        password = await hash_password("Password123!")
        set_password = text("UPDATE account SET password_hash = :hash WHERE id = :id")
        await transaction.execute(set_password, {"hash": password, "id": coach})
    erase = 'mutation { deleteAccount(input: { currentPassword: "Password123!" }) { deletedId } }'
    await users.data(erase, coach)
    assert (await users.data(LIST, person))["me"]["notifications"]["nodes"] == []
