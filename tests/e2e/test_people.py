"""What people do with their account, through the router and over the whole platform."""

from __future__ import annotations

import asyncio
import re
import sys

from deploy.databases import database_urls
from deploy.erasure import traces_of
from tests.testkit.persons_things import things_of
from tests.testkit.running_stack import PASSWORD, ROOT, RunningStack, eventually

ASK = "mutation ($email: String!) { requestPasswordReset(input: { email: $email }) { sentTo } }"
RESET = "mutation ($input: ResetPasswordInput!) { resetPassword(input: $input) { endedSessions userErrors { code } } }"
LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { user { id emailVerified } } }"


async def printed_mail(stack: RunningStack, to: str) -> str:
    """What `fittracker mail` prints; empty where there is nothing yet."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy", "mail", "--to", to, "--data-dir", str(stack.directory.path),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    output, _ = await process.communicate()
    return output.decode() if process.returncode == 0 else ""


async def test_a_forgotten_password_is_replaced_with_what_fittracker_mail_prints(stack: RunningStack) -> None:
    person = await stack.register()
    await person.data(ASK, {"email": person.email})
    printed = ""

    async def has_come() -> bool:
        nonlocal printed
        printed = await printed_mail(stack, person.email)
        return "A new password for FitTracker Pro" in printed

    await eventually(has_come, seconds=90)
    token = re.findall(r"^ +((?:[\w-]+\.)?[\w-]{43})$", printed, re.MULTILINE)[-1]
    told = await person.data(RESET, {"input": {"token": token, "newPassword": "Different123!"}})

    assert told == {"resetPassword": {"endedSessions": 1, "userErrors": []}}
    assert "errors" in await person.ask("{ me { id } }")
    _, answer = await stack.post(
        {"query": LOGIN, "variables": {"input": {"email": person.email, "password": PASSWORD}}}
    )
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    given = {"email": person.email, "password": "Different123!"}
    _, answer = await stack.post({"query": LOGIN, "variables": {"input": given}})
    assert answer["data"]["login"]["user"] == {"id": person.id, "emailVerified": True}


ERASE = "mutation ($password: String!) { deleteAccount(input: { currentPassword: $password }) { deletedId userErrors { code } } }"


async def test_an_erased_person_is_in_no_database(stack: RunningStack) -> None:
    person, other = await stack.register(), await stack.register()
    things = await things_of(person)
    await things_of(other)
    urls = database_urls(stack.directory.path)

    async def traces(text: str) -> set[tuple[str, str]]:
        found = await asyncio.to_thread(lambda: list(traces_of(text, urls)))
        return {(each.domain, each.table) for each in found if each.kept is None}

    async def has_arrived() -> bool:
        """Every subgraph has heard of the person: the erasure has to reach them all."""
        return {"nutrition", "workouts", "analytics"} <= {
            domain for domain, table in await traces(person.id) if table == "person"
        }

    await eventually(has_arrived, seconds=90)
    others_before = {each for each in await traces(other.id) if each[0] != "analytics"}
    refused = await person.data(ERASE, {"password": "Wrong123!"})
    assert refused == {"deleteAccount": {"deletedId": None, "userErrors": [{"code": "VALIDATION_ERROR"}]}}

    told = await person.data(ERASE, {"password": PASSWORD})
    assert told == {"deleteAccount": {"deletedId": person.id, "userErrors": []}}
    left: set[tuple[str, str]] = set()

    async def is_gone() -> bool:
        nonlocal left
        left = await traces(person.id) | await traces(person.email)
        return not left

    try:
        await eventually(is_gone, seconds=90)
    except AssertionError:
        raise AssertionError(f"still there: {sorted(left)}") from None
    assert await traces(things["food"]) <= {("nutrition", "outbox")}  # a tombstone, which names nobody
    for kind in ("meal", "exercise", "workout", "recorded", "template", "goal", "weight"):
        assert await traces(things[kind]) == set(), kind
    assert {each for each in await traces(other.id) if each[0] != "analytics"} == others_before
    given = {"input": {"email": person.email, "password": PASSWORD}}
    _, answer = await stack.post({"query": LOGIN, "variables": given})
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
