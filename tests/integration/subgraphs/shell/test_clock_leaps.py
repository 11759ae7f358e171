"""A service whose machine's clock leaps, an hour or ten years in either direction, and comes back."""

import time
from dataclasses import replace
from typing import Any

import jwt
import pytest

from router.service_clock import ServiceClock
from subgraphs.shell import app
from subgraphs.shell.context import utc_now
from subgraphs.shell.database import Database
from subgraphs.shell.revocation import RevokedSessions
from subgraphs.shell.settings import Settings
from subgraphs.users.commands.reminder_delivery import remind_some
from tests.integration.subgraphs.shell.test_app import Running, running
from tests.integration.subgraphs.shell.test_ended_sessions import LOGOUT, is_refused, settings, signed_in

__all__ = ["settings"]  # the fixture

HOUR, TEN_YEARS = 3_600.0, 10 * 365.25 * 86_400
REMIND = """mutation { createReminder(input: { kind: LOG_BREAKFAST, timeOfDay: "08:00", weekdays: [MONDAY] }) {
  reminder { nextAt } userErrors { code } } }"""
REMINDERS = "{ me { reminders { nextAt } } }"


class Machine:
    """The clock of the machine on which the subgraph runs is so many seconds ahead of the true time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = 0.0
        monkeypatch.setattr(utc_now, "_wall", lambda: time.time() + self.ahead)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def claims_of(headers: dict[str, str]) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(headers["authorization"].split()[1], options={"verify_signature": False})
    return claims


async def next_reminders(users: Running, headers: dict[str, str]) -> list[str]:
    _, _, answer = await users.post({"query": REMINDERS}, **headers)
    return [each["nextAt"] for each in answer["data"]["me"]["reminders"]]


@pytest.mark.parametrize("leap", [HOUR, -HOUR, TEN_YEARS, -TEN_YEARS])
async def test_nobody_is_signed_out_or_in_by_it_and_nothing_is_put_off(
    settings: Settings, machine: Machine, leap: float
) -> None:
    async with running(replace(settings, kafka=None)) as users:
        staying, leaving = await signed_in(users), await signed_in(users)
        await users.post({"query": REMIND}, **staying)
        reminders = await next_reminders(users, staying)

        machine.ahead = leap
        assert not await is_refused(users, staying)
        coming = await signed_in(users)
        assert abs(claims_of(coming)["iat"] - time.time()) < 60
        await users.post({"query": LOGOUT}, **leaving)
        assert await is_refused(users, leaving)
        assert await remind_some(users.app.resources) == 0
        await users.app.resources.revoked_sessions.read()

        machine.ahead = 0.0
        assert await is_refused(users, leaving)
        assert not await is_refused(users, staying)
        assert not await is_refused(users, coming)
        assert len(reminders) == 1
        assert await next_reminders(users, staying) == reminders

        starting = RevokedSessions(users.app.resources.database)  # another process, which has the database's word alone
        await starting.read()
        assert claims_of(leaving)["sid"] in starting


@pytest.mark.parametrize("leap", [HOUR, -HOUR, TEN_YEARS, -TEN_YEARS])
async def test_ended_sessions_are_not_forgotten_by_the_time_of_day(settings: Settings, leap: float) -> None:
    """Not even by a process that follows its machine."""
    ahead = 0.0
    database = Database.of(settings)
    revoked = RevokedSessions(database, seconds=lambda: time.time() + ahead)
    await revoked.announce(["of somebody"])
    ahead = leap
    await revoked.read()
    assert "of somebody" in revoked
    ahead = 0.0
    await revoked.read()
    assert "of somebody" in revoked
    await database.close()


async def test_a_process_that_starts_on_a_machine_that_is_wrong_takes_its_databases_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ServiceClock(lambda: time.time() + TEN_YEARS)
    monkeypatch.setattr(app, "utc_now", clock)
    database = Database.of(settings)
    await app.compare_clock(database)
    await database.close()
    assert abs(clock.seconds() - time.time()) < 60
    assert clock.is_in_doubt
