"""With two thousand people and one who weighs and measures every day for ten years, each page reads the rows that it shows."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text

from subgraphs.shell.grants import MOST_READS_SHOWN, reads_by_owner
from subgraphs.shell.keyset import Page
from subgraphs.shell.plan_writing import MOST_WRITES_SHOWN, writes_by_owner
from subgraphs.users.domain.account import AccountStatus, Role
from subgraphs.users.domain.api_key import MOST_KEYS
from subgraphs.users.domain.consent import MOST_KEPT as MOST_DECISIONS
from subgraphs.users.domain.grant import MOST_INVITATIONS, MOST_READERS
from subgraphs.users.domain.heart_rate import MOST_HEART_RATES
from subgraphs.users.domain.notification import MOST_KEPT
from subgraphs.users.domain.passkey import MOST_PASSKEYS
from subgraphs.users.domain.reminder import MOST_REMINDERS
from subgraphs.users.domain.web_push import MOST_SUBSCRIPTIONS
from subgraphs.users.domain.webhook import MOST_ENDPOINTS
from subgraphs.users.domain.workout_reminder import MOST_SHOWN
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.queries.account import PeopleFilter, accounts_with_weights, people_page
from subgraphs.users.queries.api_key import api_keys_by_user
from subgraphs.users.queries.consent import consent_counts, consent_history_by_user, consents_by_user
from subgraphs.users.queries.grant import (
    grant_counts_by_owner,
    grant_counts_by_reader,
    grants_by_owner,
    grants_by_reader,
    invitations_by_email,
    invitations_by_owner,
)
from subgraphs.users.queries.heart_rate import (
    HeartRatePage,
    all_heart_rates_by_user,
    heart_rate_counts,
    heart_rates_by_id,
    heart_rates_by_user,
)
from subgraphs.users.queries.measurement import (
    MeasurementPage,
    measurement_counts,
    measurements_by_id,
    measurements_by_user,
    newest_girths,
)
from subgraphs.users.queries.notification import (
    NotificationPage,
    notification_counts,
    notifications_by_user,
    unread_counts,
)
from subgraphs.users.queries.notification_preference import preferences_by_user
from subgraphs.users.queries.passkey import passkeys_by_user
from subgraphs.users.queries.push_subscription import push_subscriptions_by_user
from subgraphs.users.queries.reminder import reminders_by_id, reminders_by_user
from subgraphs.users.queries.session import session_counts, sessions_by_user
from subgraphs.users.queries.step_count import (
    StepCountPage,
    step_count_counts,
    step_counts_by_id,
    step_counts_by_user,
)
from subgraphs.users.queries.webhook import webhook_deliveries_by_endpoint, webhook_endpoints_by_user
from subgraphs.users.queries.weight import WeightPage, newest_weights, weight_counts, weights_by_id, weights_by_user
from subgraphs.users.queries.workout_reminder import plans_ahead_by_user, workout_reminders_by_user
from subgraphs.users.schema import schema
from tests.testkit.explained import ExplainingReader, reads_of
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

VETERAN = "p0"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
LAST = date(2026, 3, 1)
PEOPLE, DAYS, YEARS_OF_DAYS = 2000, 30, 3650
OPEN_SESSIONS, ALL_SESSIONS = 1000, 3000  # the most that may be open, of all that stay for 30 days
MOST_AHEAD = 1500  # as many as workouts lets anybody plan
HOURS_READ = 90 * 24
_DAYS = f"""
    generate_series(0, {PEOPLE}) AS person CROSS JOIN LATERAL (
        SELECT date '{LAST}' - n AS day
        FROM generate_series(0, CASE person WHEN 0 THEN {YEARS_OF_DAYS} ELSE {DAYS} END - 1) AS n) AS told
"""
_POPULATION = (
    f"""
    INSERT INTO account (id, email, email_key, password_hash, display_name, roles, status, time_zone, day_start_hour,
        week_start, units, version, created_at)
    SELECT 'p' || n, n || '@example.com', n || '@example.com', 'x', 'P', '{{USER}}', 'ACTIVE', 'UTC', 0, 'MONDAY',
        'METRIC', 1, now() FROM generate_series(0, {PEOPLE}) AS n
    """,
    f"""
    INSERT INTO weight_entry (id, user_id, weight_kg, recorded_at, local_date, time_zone)
    SELECT 'p' || person || '-' || day, 'p' || person, 80, day, day, 'UTC' FROM {_DAYS}
    """,
    f"""
    INSERT INTO measurement (id, user_id, kind, value_cm, recorded_at, local_date)
    SELECT 'p' || person || '-' || day, 'p' || person, 'WAIST', 90, day, day FROM {_DAYS}
    """,
    f"""
    INSERT INTO heart_rate (id, user_id, kind, beats_per_minute, since)
    SELECT 'p' || person || '-' || n, 'p' || person, 'RESTING', 60, date '{LAST}' - n FROM generate_series(0, {PEOPLE}) AS person
    CROSS JOIN LATERAL generate_series(1, CASE person WHEN 0 THEN {MOST_HEART_RATES} ELSE 5 END) AS n
    """,
    f"""
    INSERT INTO consent (id, user_id, purpose, is_given, decided_at, way, is_current)
    SELECT 'p' || person || '-' || n, 'p' || person, 'STATISTICS', true, now() - n * interval '1 minute', 'SETTINGS', n = 1
    FROM generate_series(0, {PEOPLE}) AS person
    CROSS JOIN LATERAL generate_series(1, CASE person WHEN 0 THEN {MOST_DECISIONS} ELSE 4 END) AS n
    """,
    f"""
    INSERT INTO step_count (id, user_id, local_date, source, steps, counted_at)
    SELECT 'p' || person || '-' || day, 'p' || person, day, 'Phone', 7000, day FROM {_DAYS}
    """,
    f"""
    INSERT INTO session (id, user_id, created_at, expires_at, revoked_at)
    SELECT 'p' || person || '-' || n, 'p' || person, now() - n * interval '1 day', now() + interval '30 days',
        CASE WHEN n > {OPEN_SESSIONS} THEN now() END
    FROM generate_series(0, {PEOPLE}) AS person
    CROSS JOIN LATERAL generate_series(1, CASE person WHEN 0 THEN {ALL_SESSIONS} ELSE 3 END) AS n
    """,
    f"""
    INSERT INTO access_grant (id, owner_id, reader_id, relation, areas, granted_at, expires_at)
    SELECT 'p' || owner || '-' || n, 'p' || owner, 'p' || ((owner + n) % {PEOPLE + 1}), 'COACH', '{{BODY}}',
        now() - n * interval '1 minute', now() + interval '30 days'
    FROM generate_series(0, {PEOPLE}) AS owner CROSS JOIN generate_series(1, {MOST_READERS}) AS n
    """,
    f"""
    INSERT INTO api_key (id, user_id, name, scopes, key_hash, hint, created_at, expires_at)
    SELECT 'p' || owner || '-' || n, 'p' || owner, 'K', '{{READ_BODY}}', convert_to('p' || owner || '-' || n, 'UTF8'), 'hint',
        now() - n * interval '1 minute', now() + interval '30 days'
    FROM generate_series(0, {PEOPLE}) AS owner CROSS JOIN generate_series(1, {MOST_KEYS}) AS n
    """,
    f"""
    INSERT INTO passkey (id, user_id, name, credential_id, credential, sign_count, is_synced, version, created_at)
    SELECT 'p' || owner || '-' || n, 'p' || owner, 'K', convert_to('p' || owner || '-' || n, 'UTF8'), '', 0, false, 1,
        now() - n * interval '1 minute'
    FROM generate_series(0, {PEOPLE}) AS owner CROSS JOIN generate_series(1, {MOST_PASSKEYS}) AS n
    """,
    f"""
    INSERT INTO access_read (grant_id, what, hour, owner_id, reader_id, reader_name)
    SELECT 'p' || owner || '-1', 'User.weights', date '{LAST}' - n * interval '1 hour', 'p' || owner, 'p1', 'P'
    FROM generate_series(0, 40) AS owner CROSS JOIN generate_series(1, {HOURS_READ}) AS n
    """,
    f"""
    INSERT INTO plan_write (id, grant_id, owner_id, writer_id, writer_name, what, subject_id, at)
    SELECT 'p' || owner || '-' || n, 'p' || owner || '-1', 'p' || owner, 'p1', 'P', 'TEMPLATE', 't',
        date '{LAST}' - n * interval '1 hour'
    FROM generate_series(0, 40) AS owner CROSS JOIN generate_series(1, {HOURS_READ}) AS n
    """,
    f"""
    INSERT INTO grant_invitation (id, owner_id, relation, areas, days, email, email_key, created_at, expires_at)
    SELECT 'i' || owner || '-' || n, 'p' || owner, 'COACH', '{{BODY}}', 30, n || '@example.com', n || '@example.com',
        now() - n * interval '1 minute', now() + interval '7 days'
    FROM generate_series(0, {PEOPLE}) AS owner CROSS JOIN generate_series(1, {MOST_INVITATIONS}) AS n
    """,
    f"""
    INSERT INTO notification (id, user_id, kind, cause, created_at, read_at)
    SELECT 'p' || owner || '-n' || n, 'p' || owner, 'EMAIL_CHANGED', n, now() - n * interval '1 hour',
        CASE WHEN n > 100 THEN now() END
    FROM generate_series(0, {PEOPLE}) AS owner
    CROSS JOIN LATERAL generate_series(1, CASE owner WHEN 0 THEN {MOST_KEPT} ELSE 20 END) AS n
    """,
    f"""
    INSERT INTO reminder (id, user_id, kind, time_of_day, weekdays, next_at, next_day)
    SELECT 'p' || owner || '-r' || n, 'p' || owner, 'DRINK', '08:00', '{{MONDAY}}', now(), current_date
    FROM generate_series(0, {PEOPLE}) AS owner CROSS JOIN generate_series(1, {MOST_REMINDERS}) AS n
    """,
    f"""
    INSERT INTO plan_ahead (planned_id, user_id, local_date, name, remind_at, is_done)
    SELECT 'p' || owner || '-' || n, 'p' || owner, date '{LAST}' + n, 'Legs', date '{LAST}' + n * interval '1 day', n = 0
    FROM generate_series(0, {PEOPLE}) AS owner
    CROSS JOIN LATERAL generate_series(0, CASE owner WHEN 0 THEN {MOST_AHEAD} ELSE 20 END - 1) AS n
    """,
    f"""
    INSERT INTO notification_preference (user_id, choices, version)
    SELECT 'p' || owner, '{{REMINDER EMAIL on}}', 2 FROM generate_series(0, {PEOPLE}) AS owner
    """,
    f"""
    INSERT INTO push_subscription (id, user_id, endpoint, p256dh, auth, session_id, created_at)
    SELECT 'p' || owner || '-b' || n, 'p' || owner, owner || '/' || n, '', '', 's', now()
    FROM generate_series(0, {PEOPLE}) AS owner CROSS JOIN generate_series(1, {MOST_SUBSCRIPTIONS}) AS n
    """,
    f"""
    INSERT INTO webhook_endpoint (id, user_id, name, url, kinds, secret, version, created_at)
    SELECT 'p' || owner || '-e' || n, 'p' || owner, 'x', 'x', '{{}}', '', 1, now()
    FROM generate_series(0, {PEOPLE}) AS owner CROSS JOIN generate_series(1, {MOST_ENDPOINTS}) AS n
    """,
    f"""
    INSERT INTO webhook_delivery (id, endpoint_id, type, cause, data, occurred_at, created_at, status, due_at)
    SELECT 'p' || owner || '-d' || n, 'p' || owner || '-e1', 'weight.changed', n, '{{}}', now(),
        now() - n * interval '1 minute', 'DELIVERED', now()
    FROM generate_series(0, {PEOPLE}) AS owner
    CROSS JOIN LATERAL generate_series(1, CASE owner WHEN 0 THEN 10000 ELSE 20 END) AS n
    """,
    "ANALYZE",
)
_BACK = Page(20, backward=True)
READS: dict[str, tuple[Callable[..., Awaitable[Any]], tuple[Any, ...], int, int]] = {
    # read, its arguments, the most rows and the most pages of 8 kB that it may look at
    "an account": (accounts_with_weights, ([VETERAN], ()), 1, 8),
    "an account with its newest weighing": (accounts_with_weights, ([VETERAN], {VETERAN}), 2, 16),
    "a page of all people": (people_page, (PeopleFilter(None, None, NOW), Page(20)), 21, 60),
    "the oldest of all people": (
        people_page,
        (PeopleFilter(AccountStatus.ACTIVE, Role.USER, NOW), Page(20, backward=True)),
        21,
        60,
    ),
    "who is suspended": (people_page, (PeopleFilter(AccountStatus.SUSPENDED, None, NOW), Page(20)), 1, 8),
    "the administrators": (people_page, (PeopleFilter(None, Role.ADMIN, NOW), Page(20)), 1, 8),
    "who has PREMIUM": (people_page, (PeopleFilter(None, Role.PREMIUM, NOW), Page(20)), 1, 8),
    "a weighing": (weights_by_id, ([f"{VETERAN}-{LAST}"],), 1, 8),
    "the newest weighing": (newest_weights, ([VETERAN],), 1, 8),
    "a page of weighings": (weights_by_user, ([VETERAN], WeightPage(None, None, Page(20))), 21, 60),
    "the oldest weighings": (weights_by_user, ([VETERAN], WeightPage(None, None, _BACK)), 21, 60),
    "how many weighings there are": (weight_counts, ([VETERAN],), YEARS_OF_DAYS, 140),
    "a measurement": (measurements_by_id, ([f"{VETERAN}-{LAST}"],), 1, 8),
    "a page of measurements": (measurements_by_user, ([VETERAN], MeasurementPage(None, Page(20))), 21, 60),
    "how many measurements there are": (measurement_counts, ([VETERAN],), YEARS_OF_DAYS, 140),
    "a count of steps": (step_counts_by_id, ([f"{VETERAN}-{LAST}"],), 1, 8),
    "a page of counted steps": (step_counts_by_user, ([VETERAN], StepCountPage(None, None, Page(20))), 21, 60),
    "how many counts of steps there are": (step_count_counts, ([VETERAN],), YEARS_OF_DAYS, 140),
    "a heart rate": (heart_rates_by_id, ([f"{VETERAN}-1"],), 1, 8),
    "all heart rates": (all_heart_rates_by_user, ([VETERAN],), MOST_HEART_RATES, 60),
    "how many heart rates there are": (heart_rate_counts, ([VETERAN],), MOST_HEART_RATES, 60),
    # Most people have a handful, so Postgres sorts them all for a page; nobody can have more than this.
    "a page of heart rates": (heart_rates_by_user, ([VETERAN], HeartRatePage(None, Page(20))), MOST_HEART_RATES, 60),
    "consents that hold": (consents_by_user, ([VETERAN],), 4, 20),
    "a page of decisions": (consent_history_by_user, ([VETERAN], Page(20)), MOST_DECISIONS, 60),
    "how many decisions there are": (consent_counts, ([VETERAN],), MOST_DECISIONS, 60),
    "a page of open sessions": (sessions_by_user, ([VETERAN], Page(20)), OPEN_SESSIONS, 80),
    "how many sessions are open": (session_counts, ([VETERAN],), OPEN_SESSIONS, 80),
    "a page of readers": (grants_by_owner, ([VETERAN], Page(20)), 21, 60),
    "how many readers there are": (grant_counts_by_owner, ([VETERAN],), MOST_READERS, 60),
    "a page of clients": (grants_by_reader, ([VETERAN], Page(20)), 21, 60),
    "how many clients there are": (grant_counts_by_reader, ([VETERAN],), MOST_READERS, 60),
    "invitations that were sent": (invitations_by_owner, ([VETERAN],), MOST_INVITATIONS, 60),
    "invitations that came": (invitations_by_email, (["7@example.com"],), 20, 60),
    "who read what": (reads_by_owner, ([VETERAN],), MOST_READS_SHOWN + 25, 160),
    "who planned what": (writes_by_owner, ([VETERAN],), MOST_WRITES_SHOWN + 25, 160),
    # As of sessions: the 500 that a person may have are not worth an index of their own for what is unread.
    "a page of notifications": (notifications_by_user, ([VETERAN], NotificationPage(False, Page(20))), MOST_KEPT, 80),
    "the oldest unread": (notifications_by_user, ([VETERAN], NotificationPage(True, _BACK)), MOST_KEPT, 80),
    "how many notifications there are": (notification_counts, ([VETERAN],), MOST_KEPT, 60),
    "how many are unread": (unread_counts, ([VETERAN],), MOST_KEPT, 60),
    "a reminder": (reminders_by_id, (["none"],), 1, 8),
    "reminders": (reminders_by_user, ([VETERAN],), MOST_REMINDERS, 40),
    "reminders of planned workouts": (workout_reminders_by_user, ([VETERAN],), MOST_SHOWN + 1, 16),
    "what is planned to be trained": (plans_ahead_by_user, ([VETERAN],), MOST_AHEAD, 120),
    "passkeys": (passkeys_by_user, ([VETERAN],), MOST_PASSKEYS, 40),
    "API keys": (api_keys_by_user, ([VETERAN],), MOST_KEYS, 40),
    "preferences of notifications": (preferences_by_user, ([VETERAN],), 1, 8),
    "browsers that take push messages": (push_subscriptions_by_user, ([VETERAN],), MOST_SUBSCRIPTIONS, 40),
    "endpoints of webhooks": (webhook_endpoints_by_user, ([VETERAN],), MOST_ENDPOINTS, 40),
    "a page of deliveries": (webhook_deliveries_by_endpoint, ([f"{VETERAN}-e1"], Page(20)), 21, 60),
    "the oldest deliveries": (webhook_deliveries_by_endpoint, ([f"{VETERAN}-e1"], _BACK), 21, 60),
    "the newest girths": (newest_girths, ([VETERAN],), 3, 20),
}


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with subgraph_under_test(
        "users", postgres.create_database("users_at_size"), schema, UsersLoaders
    ) as subgraph:
        for statement in _POPULATION:
            async with subgraph.database.transaction() as transaction:
                await transaction.execute(text(statement))
        yield subgraph


def test_no_read_of_the_api_is_left_out() -> None:
    """`changes_by_user` has its own bounds, in the shell's test_changes; `writes_by_owner` is of the other subgraphs, and commands
    read `plans_ahead_by_user`.
    """
    named = {read.__name__ for read, *_ in READS.values()} - {"writes_by_owner", "plans_ahead_by_user", "people_page"}
    assert named == reads_of(UsersLoaders) - {"changes_by_user"}


@pytest.mark.parametrize("name", READS)
async def test_a_page_reads_the_rows_that_it_shows(users: SubgraphUnderTest, name: str) -> None:
    read, arguments, most_rows, most_buffers = READS[name]
    async with users.database.reading() as connection:
        reader = ExplainingReader(connection)
        await read(reader, *arguments)
    (explained,) = reader.explained
    assert explained.whole_tables == set(), explained
    assert explained.rows_read <= most_rows, (explained.rows_read, explained)
    assert explained.buffers <= most_buffers, (explained.buffers, explained)
