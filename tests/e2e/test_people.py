"""What people do with their account, through the router and over the whole platform."""

from __future__ import annotations

import asyncio
import base64
import re
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from deploy.databases import database_urls
from deploy.erasure import traces_of
from subgraphs.shell.sealing import SealingKeys
from subgraphs.users.domain.one_time_password import code_at
from tests.testkit.persons_things import let_plan, let_read, things_of, with_a_key
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


BEGIN = "mutation ($input: BeginSecondFactorInput!) { beginSecondFactor(input: $input) { secret userErrors { code } } }"
CONFIRM = (
    "mutation ($code: String!) { confirmSecondFactor(input: { code: $code }) { recoveryCodes userErrors { code } } }"
)


async def test_the_stack_seals_second_factors_with_a_key_of_its_own(stack: RunningStack) -> None:
    person = await stack.register()
    secret = base64.b32decode(
        (await person.data(BEGIN, {"input": {"currentPassword": PASSWORD}}))["beginSecondFactor"]["secret"]
    )
    told = await person.data(CONFIRM, {"code": code_at(secret, int(time.time() // 30))})
    connection = await asyncpg.connect(stack.state.environment["DATABASE_URL_USERS"])
    stored = await connection.fetchval("SELECT totp_secret FROM account WHERE id = $1", person.id)
    await connection.close()
    assert SealingKeys(stack.directory.second_factor_key()).open(stored, person.id) == secret
    given = {"email": person.email, "password": PASSWORD}
    _, refused = await stack.post({"query": LOGIN, "variables": {"input": given}})
    assert refused["errors"][0]["extensions"]["reason"] == "SECOND_FACTOR"
    given["secondFactor"] = told["confirmSecondFactor"]["recoveryCodes"][0]
    _, answer = await stack.post({"query": LOGIN, "variables": {"input": given}})
    assert answer["data"]["login"]["user"]["id"] == person.id


CLIENTS = """{ me { clients(first: 2) { nodes { id person { id displayName
  diaryDay { waterMl } workouts { nodes { name } } day { waterMl weightKg } weightTrend { trendKg } suggestedTarget { energyKcal }
} } } } }"""
READS = "{ me { %s { readerName what } } }"
REVOKE = "mutation ($id: ID!) { revokeAccess(input: { id: $id }) { revokedId } }"


async def test_a_coach_reads_a_clients_days_workouts_and_trend_until_the_grant_is_taken_back(
    stack: RunningStack,
) -> None:
    client, coach = await stack.register(displayName="Ann Client"), await stack.register(displayName="Ben Coach")
    await client.data("""mutation { logWater(input: { amountMl: 251 }) { drink { id } }
      logWeight(input: { weightKg: 81.53 }) { weightEntry { id } }
      updateProfile(input: { heightCm: 180, dateOfBirth: "1990-01-01", sex: FEMALE }) { user { id } }
      startWorkout(input: { name: "Legs" }) { workout { id } } }""")
    grant_id = await let_read(client, coach)
    person = None

    async def is_all_there() -> bool:
        nonlocal person
        answer = await coach.ask(CLIENTS)
        person = answer["data"]["me"]["clients"]["nodes"][0]["person"] if "errors" not in answer else None
        return person is not None and person["day"]["weightKg"] is not None and person["day"]["waterMl"] == 251

    await eventually(is_all_there)
    assert person == {
        "id": client.id,
        "displayName": "Ann Client",
        "diaryDay": {"waterMl": 251},
        "workouts": {"nodes": [{"name": "Legs"}]},
        "day": {"waterMl": 251, "weightKg": 81.53},
        "weightTrend": [{"trendKg": 81.53}],
        "suggestedTarget": {"energyKcal": person["suggestedTarget"]["energyKcal"]},
    }
    assert 1000 < person["suggestedTarget"]["energyKcal"] < 4000

    for field, what in (
        ("bodyReads", {"User", "User.physiology"}),
        ("diaryReads", {"User.diaryDay", "User.suggestedTarget"}),
        ("trainingReads", {"User.workouts"}),
        ("progressReads", {"DailySummary", "User.day", "User.weightTrend"}),
    ):
        reads = (await client.data(READS % field))["me"][field]
        assert {each["readerName"] for each in reads} == {"Ben Coach"}
        assert {each["what"] for each in reads} == what

    await client.data(REVOKE, {"id": grant_id})
    query = """query ($id: ID!) { user(id: $id) { id } node(id: $id) { ... on User { diaryDay { waterMl } } } }"""

    async def is_shut() -> bool:
        answer = await coach.ask(query, {"id": client.id})
        return bool(answer["data"] == {"user": None, "node": None})

    await eventually(is_shut)
    assert (await coach.data(CLIENTS))["me"]["clients"]["nodes"] == []


PLAN = """mutation ($of: ID!, $exercise: ID!) {
  createTemplate(input: { personId: $of, name: "Coached", exercises: [{ exerciseId: $exercise, sets: 3, mostReps: 5, targetRpe: 8 }] }) {
    template { id authorId } userErrors { code field } }
  setNutritionTarget(input: { personId: $of, energyKcal: 2345 }) {
    target { authorId } user { id nutritionTarget { energyKcal } } userErrors { code field } }
  createGoal(input: { personId: $of, kind: WORKOUTS_PER_WEEK, targetValue: 3 }) { goal { authorId } userErrors { code field } } }"""
PLANNED = """{ me { trainingWrites { ...Who } diaryWrites { ...Who } progressWrites { ...Who }
  notifications(first: 5) { nodes { kind body } } templates { nodes { id name } } nutritionTarget { energyKcal } } }
  fragment Who on PlanWrite { what writerName }"""


async def test_a_coach_plans_for_a_client_who_sees_by_whom_until_planning_is_taken_back(stack: RunningStack) -> None:
    client, coach = await stack.register(displayName="Ann Client"), await stack.register(displayName="Ben Coach")
    make = 'mutation { createExercise(input: { name: "Sled push", category: STRENGTH }) { exercise { id } } }'
    exercise = (await client.data(make))["createExercise"]["exercise"]
    grant_id = await let_plan(client, coach)
    plan = {"of": client.id, "exercise": exercise["id"]}
    made: dict[str, Any] = {}

    async def is_planned() -> bool:
        """Each subgraph has heard of the grant; what was planned before that is not planned again."""
        for name, payload in ((await coach.ask(PLAN, plan))["data"] or {}).items():
            if payload is not None and not payload["userErrors"]:
                made.setdefault(name, payload)
        return len(made) == 3

    await eventually(is_planned)
    assert made["createTemplate"]["template"]["authorId"] == made["createGoal"]["goal"]["authorId"] == coach.id
    assert made["setNutritionTarget"]["user"] == {"id": client.id, "nutritionTarget": {"energyKcal": 2345.0}}

    async def is_told() -> bool:
        nodes = (await client.data(PLANNED))["me"]["notifications"]["nodes"]
        return {"Ben Coach has written a template of workouts.", "Ben Coach has written a goal."} <= {
            each["body"] for each in nodes if each["kind"] == "PLAN_WRITTEN"
        }

    await eventually(is_told)
    seen = (await client.data(PLANNED))["me"]
    assert {"what": "TEMPLATE", "writerName": "Ben Coach"} in seen["trainingWrites"]
    assert {"what": "NUTRITION_TARGET", "writerName": "Ben Coach"} in seen["diaryWrites"]
    assert {"what": "GOAL", "writerName": "Ben Coach"} in seen["progressWrites"]
    assert (seen["templates"]["nodes"][0]["name"], seen["nutritionTarget"]["energyKcal"]) == ("Coached", 2345.0)

    end = "mutation ($id: ID!) { revokeAccess(input: { id: $id, plansOnly: true }) { revokedId } }"
    await client.data(end, {"id": grant_id})

    async def plans_nothing() -> bool:
        answer = (await coach.ask(PLAN, plan))["data"]
        return all(payload["userErrors"] == [{"code": "NOT_FOUND", "field": "personId"}] for payload in answer.values())

    await eventually(plans_nothing)
    templates = "query ($id: ID!) { user(id: $id) { templates { totalCount } } }"
    assert (await coach.data(templates, {"id": client.id}))["user"]["templates"]["totalCount"] >= 1


async def test_a_coachs_program_plans_for_a_client_who_sees_by_which_key_until_it_is_revoked(
    stack: RunningStack,
) -> None:
    client, coach = await stack.register(), await stack.register()
    await let_plan(client, coach)
    program = await with_a_key(coach, "PLAN_FOR_CLIENTS", "WRITE_TRAINING", "READ_TRAINING")
    plan = """mutation ($of: ID!, $date: LocalDate!) { planWorkout(input: { personId: $of, date: $date, name: "By a program" }) {
      plannedWorkout { authorId } userErrors { code } } }"""
    given = {"of": client.id, "date": (datetime.now(UTC) + timedelta(days=2)).date().isoformat()}
    made: dict[str, Any] = {}

    async def is_planned() -> bool:
        made.update((await program.ask(plan, given))["data"]["planWorkout"])
        return bool(made["userErrors"] == [])

    await eventually(is_planned)
    assert made["plannedWorkout"] == {"authorId": coach.id}
    (key,) = (await coach.data("{ me { apiKeys { id } } }"))["me"]["apiKeys"]
    writes = (await client.data("{ me { trainingWrites { writerId apiKeyId what } } }"))["me"]["trainingWrites"]
    assert writes == [{"writerId": coach.id, "apiKeyId": key["id"], "what": "PLANNED_WORKOUT"}]
    seen = await program.ask(
        "query ($of: ID!) { user(id: $of) { plannedWorkouts { nodes { name } } } }", {"of": client.id}
    )
    assert seen["data"] == {"user": None}

    await coach.data("mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { revokedId } }", {"id": key["id"]})

    async def is_shut() -> bool:
        errors = (await program.ask(plan, given)).get("errors", [])
        return [each["extensions"]["code"] for each in errors] == ["UNAUTHENTICATED"]

    await eventually(is_shut)


async def test_a_program_with_a_key_does_its_part_of_the_graph_until_the_key_is_revoked(stack: RunningStack) -> None:
    owner = await stack.register()
    program = await with_a_key(owner, "WRITE_DIARY", "READ_DIARY")
    await program.data("mutation { logWater(input: { amountMl: 251 }) { drink { id } } }")
    assert (await program.data("{ me { drinks { nodes { amountMl } } } }"))["me"]["drinks"]["nodes"] == [
        {"amountMl": 251}
    ]

    async def refusal(operation: str) -> tuple[str, str | None]:
        (error,) = (await program.ask(operation))["errors"]
        return error["extensions"]["code"], error["extensions"].get("reason")

    denied = ("UNAUTHORIZED_FIELD_OR_TYPE", "NOT_GRANTED")  # by the router, before it asks anybody
    assert await refusal("{ me { workouts { nodes { id } } } }") == denied
    assert await refusal('mutation { startWorkout(input: { name: "Legs" }) { workout { id } } }') == denied
    assert await refusal("mutation { logout(input: {}) { endedSessions } }") == denied
    assert (await refusal("{ me { email } }"))[0] == "FORBIDDEN"

    (key,) = (await owner.data("{ me { apiKeys { id lastUsedOn } } }"))["me"]["apiKeys"]
    assert key["lastUsedOn"] is not None
    await owner.data("mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { revokedId } }", {"id": key["id"]})

    async def is_refused() -> bool:
        answer = await program.ask("mutation { logWater(input: { amountMl: 1 }) { drink { id } } }")
        return [error["extensions"]["code"] for error in answer.get("errors", ())] == ["UNAUTHENTICATED"]

    await eventually(is_refused)


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
