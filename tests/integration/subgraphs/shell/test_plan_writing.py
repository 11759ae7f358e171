"""Plans that somebody writes for a person by a grant, in the three subgraphs that have plans, at the subgraph itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.users import AccessEnded, AccessGranted, UserErased
from events.envelope import Payload, new_id
from events.inbox import lock_people
from events.retention import forget_in_batches
from subgraphs.analytics.commands import goal as goals
from subgraphs.analytics.loaders import AnalyticsLoaders
from subgraphs.analytics.projections import summary
from subgraphs.analytics.queries.person import GROUP
from subgraphs.analytics.schema import schema as analytics_schema
from subgraphs.nutrition.commands import meal_plan as meal_plans
from subgraphs.nutrition.loaders import NutritionLoaders
from subgraphs.nutrition.projections import person as eaters
from subgraphs.nutrition.schema import schema as nutrition_schema
from subgraphs.shell import plan_writing
from subgraphs.shell.auth import KeyRing
from subgraphs.shell.grants import Grant, keep_grant
from subgraphs.shell.key_scope import KEY, KeyScope
from subgraphs.shell.plan_writing import forget_plan_writes
from subgraphs.workouts.commands import planned_workout as planned_workouts
from subgraphs.workouts.commands import routine as routines
from subgraphs.workouts.commands import template as templates
from subgraphs.workouts.projections import person as trainees
from tests.testkit.grants import hearing_of_ends, tell
from tests.testkit.servers import Postgres, Valkey
from tests.testkit.subgraph import SECRET, SubgraphUnderTest, claims_of, codes_of, subgraph_under_test, user_errors
from tests.testkit.workouts import workouts_subgraph


@dataclass(frozen=True)
class Plans:
    """A kind of plan: how one is made and changed, and what the person is told of it.

    `creates` and `updates` are the mutations, `thing` is their payloads' field of the plan.
    """

    domain: str
    area: str
    reading: str
    table: str
    creates: str
    updates: str
    thing: str
    made: Mapping[str, Any]
    changed: Mapping[str, Any]
    kind: str
    writes: str
    quota: tuple[Any, str]
    event: str

    @property
    def create(self) -> str:
        return self._writing(self.creates)

    @property
    def update(self) -> str:
        return self._writing(self.updates)

    def _writing(self, mutation: str) -> str:
        return f"""mutation ($input: {mutation[0].upper()}{mutation[1:]}Input!) {{ {mutation}(input: $input) {{
          it: {self.thing} {{ id authorId version }} userErrors {{ code field }} }} }}"""


DINNER = {"slot": "DINNER", "quickAdds": [{"energyKcal": 500}]}
TEMPLATE = Plans(
    domain="workouts",
    area="TRAINING",
    reading="TRAINING",
    table="workout_template",
    creates="createTemplate",
    updates="updateTemplate",
    thing="template",
    made={"name": "Push", "exercises": [{"exerciseId": "bench", "sets": 3}]},
    changed={"name": "Pull"},
    kind="TEMPLATE",
    writes="trainingWrites",
    quota=(templates, "MOST_TEMPLATES"),
    event="TrainingPlanned",
)
WORKOUT = Plans(
    domain="workouts",
    area="TRAINING",
    reading="TRAINING",
    table="planned_workout",
    creates="planWorkout",
    updates="updatePlannedWorkout",
    thing="plannedWorkout",
    made={"date": (datetime.now(UTC) + timedelta(days=3)).date().isoformat(), "name": "Push"},
    changed={"name": "Pull"},
    kind="PLANNED_WORKOUT",
    writes="trainingWrites",
    quota=(planned_workouts, "MOST_PLANNED"),
    event="TrainingPlanned",
)
ROUTINE = Plans(
    domain="workouts",
    area="TRAINING",
    reading="TRAINING",
    table="routine",
    creates="createRoutine",
    updates="updateRoutine",
    thing="routine",
    made={"name": "Split", "schedule": "CYCLE", "days": [{"name": "Push"}]},
    changed={"name": "Other split"},
    kind="ROUTINE",
    writes="trainingWrites",
    quota=(routines, "MOST_ROUTINES"),
    event="TrainingPlanned",
)
MEALS = Plans(
    domain="nutrition",
    area="MEALS",
    reading="DIARY",
    table="meal_plan",
    creates="createMealPlan",
    updates="updateMealPlan",
    thing="mealPlan",
    made={"name": "A day", "days": [{"meals": [DINNER]}]},
    changed={"name": "Another day"},
    kind="MEAL_PLAN",
    writes="diaryWrites",
    quota=(meal_plans, "MOST_PLANS"),
    event="MealsPlanned",
)
GOALS = Plans(
    domain="analytics",
    area="GOALS",
    reading="PROGRESS",
    table="goal",
    creates="createGoal",
    updates="updateGoal",
    thing="goal",
    made={"kind": "WORKOUTS_PER_WEEK", "targetValue": 3},
    changed={"targetValue": 4},
    kind="GOAL",
    writes="progressWrites",
    quota=(goals, "MOST_GOALS"),
    event="GoalPlanned",
)
SUBSCRIPTIONS: dict[str, Callable[..., Any]] = {
    "workouts": trainees.subscription,
    "nutrition": eaters.subscription,
    "analytics": summary.subscription,
}
_SOMEBODY_WAITS = text(
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
)
every_kind = pytest.mark.parametrize("plans", [TEMPLATE, ROUTINE, WORKOUT, MEALS, GOALS], ids=lambda plans: plans.table)


@pytest.fixture(scope="module")
async def subgraphs(postgres: Postgres) -> AsyncIterator[dict[str, SubgraphUnderTest]]:
    async with AsyncExitStack() as opened:
        found = {"workouts": await opened.enter_async_context(workouts_subgraph(postgres, "workouts_plan_writing"))}
        for name, schema, loaders in (
            ("nutrition", nutrition_schema, NutritionLoaders),
            ("analytics", analytics_schema, AnalyticsLoaders),
        ):
            url = postgres.create_database(f"{name}_plan_writing")
            found[name] = await opened.enter_async_context(subgraph_under_test(name, url, schema, loaders))
        yield found


def granted(reader_id: str, plans: Plans, *, writes: bool, ends_in: timedelta = timedelta(days=1)) -> AccessGranted:
    now = datetime.now(UTC)
    areas, planned = (plans.reading,), (plans.area,) if writes else ()
    return AccessGranted(
        reader_id=reader_id, relation="COACH", areas=areas, granted_at=now, expires_at=now + ends_in, plans=planned
    )


async def let_plan(subgraph: SubgraphUnderTest, plans: Plans, owner: str, coach: str) -> str:
    """The id of a grant to read and plan this kind."""
    grant_id = new_id()
    await tell(subgraph, SUBSCRIPTIONS[plans.domain], (granted(coach, plans, writes=True), grant_id, 1, owner))
    return grant_id


async def create(subgraph: SubgraphUnderTest, plans: Plans, who: str, **more: Any) -> Any:
    """What was made, and the refusals: codes with their places."""
    result = await subgraph.run(plans.create, who, {"input": {**plans.made, **more}})
    assert result.errors is None, result.errors
    found = (result.data or {})[plans.creates]
    return found["it"], [(each["code"], each["field"]) for each in user_errors(result)]


async def update(subgraph: SubgraphUnderTest, plans: Plans, who: str, plan_id: str, **more: Any) -> list[str]:
    """The codes of errors and refusals."""
    return await subgraph.codes(plans.update, who, {"input": {"id": plan_id, **plans.changed, **more}})


def as_key(coach: str, scopes: Iterable[str], key_id: str = "key-1") -> str:
    """The Authorization header of a program with an API key of the coach."""
    claims = claims_of(coach) | {"sid": key_id, "scope": " ".join((KEY, *scopes)), "roles": []}
    return f"Bearer {KeyRing(SECRET).sign(claims)}"


async def rows(subgraph: SubgraphUnderTest, statement: str, **parameters: Any) -> list[Any]:
    async with subgraph.database.reading() as connection:
        return list(await connection.execute(text(statement), parameters))


async def writes_of(subgraph: SubgraphUnderTest, plans: Plans, owner: str) -> Any:
    query = """query ($of: [_Any!]!) { _entities(representations: $of) { ... on User {
      writes: %s { grantId writerId writerName apiKeyId what subjectId } } } }"""
    variables = {"of": [{"__typename": "User", "id": owner}]}
    return (await subgraph.data(query % plans.writes, owner, variables))["_entities"][0]["writes"]


@every_kind
async def test_a_coach_plans_by_a_grant_for_it_and_by_no_other(
    subgraphs: dict[str, SubgraphUnderTest], plans: Plans, owner: str, coach: str
) -> None:
    subgraph = subgraphs[plans.domain]
    own, _ = await create(subgraph, plans, owner)
    assert own["authorId"] is None
    refused = (None, [("NOT_FOUND", "personId")])
    assert await create(subgraph, plans, coach, personId=owner) == refused
    reading = granted(coach, plans, writes=False)
    await tell(subgraph, SUBSCRIPTIONS[plans.domain], (reading, "reading-" + owner, 1, owner))
    assert await create(subgraph, plans, coach, personId=owner) == refused
    assert await update(subgraph, plans, coach, own["id"]) == ["NOT_FOUND"]
    told = {"input": {**plans.made, "personId": owner}}
    as_admin = await subgraph.run(plans.create, "admin", told, roles=("USER", "ADMIN"))
    assert codes_of(as_admin) == ["NOT_FOUND"]

    grant_id = await let_plan(subgraph, plans, owner, coach)
    made, _ = await create(subgraph, plans, coach, personId=owner)
    assert (made["authorId"], made["version"]) == (coach, 1)
    assert await update(subgraph, plans, coach, own["id"], expectedVersion=own["version"]) == []
    assert await update(subgraph, plans, coach, own["id"], expectedVersion=own["version"]) == ["STALE_VERSION"]
    table = f"SELECT id, author_id FROM {plans.table} WHERE user_id = :owner"
    assert dict(await rows(subgraph, table, owner=owner)) == {own["id"]: coach, made["id"]: coach}

    who = {
        "grantId": grant_id,
        "writerId": coach,
        "writerName": f"Name of {coach}",
        "apiKeyId": None,
        "what": plans.kind,
    }
    assert await writes_of(subgraph, plans, owner) == [who | {"subjectId": each["id"]} for each in (own, made)]
    told = await rows(
        subgraph,
        "SELECT convert_from(value, 'UTF8')::jsonb ->> 'type' FROM outbox WHERE aggregate_type = 'plan_write' AND key = :owner",
        owner=owner,
    )
    assert [each[0] for each in told] == [plans.event] * 2

    again = {"name": "As the owner has it"} if "name" in plans.made else {"targetValue": 5}
    assert await update(subgraph, plans, owner, own["id"], **again) == []
    assert dict(await rows(subgraph, table, owner=owner))[own["id"]] is None
    assert len(await writes_of(subgraph, plans, owner)) == 2


@every_kind
@pytest.mark.parametrize("end", ["ended", "planning ended", "expired"])
async def test_a_grant_that_ended_plans_nothing(
    subgraphs: dict[str, SubgraphUnderTest], plans: Plans, owner: str, coach: str, end: str
) -> None:
    subgraph = subgraphs[plans.domain]
    grant_id = await let_plan(subgraph, plans, owner, coach)
    made, _ = await create(subgraph, plans, coach, personId=owner)
    last: Payload = AccessEnded()
    if end != "ended":
        ends_in = timedelta(seconds=-1) if end == "expired" else timedelta(days=1)
        last = granted(coach, plans, writes=end == "expired", ends_in=ends_in)
    await tell(subgraph, SUBSCRIPTIONS[plans.domain], (last, grant_id, 2, owner))
    assert await create(subgraph, plans, coach, personId=owner) == (None, [("NOT_FOUND", "personId")])
    assert await update(subgraph, plans, coach, made["id"]) == ["NOT_FOUND"]


async def test_whoever_takes_a_grant_back_is_heeded_by_what_comes_after(
    subgraphs: dict[str, SubgraphUnderTest], owner: str, coach: str
) -> None:
    """A plan that comes while the grant is being ended waits, and is refused once it is."""
    subgraph = subgraphs["workouts"]
    grant_id = await let_plan(subgraph, TEMPLATE, owner, coach)
    async with subgraph.database.transaction() as transaction:
        await transaction.execute(text("DELETE FROM access_grant WHERE id = :id"), {"id": grant_id})
        waiting = asyncio.create_task(create(subgraph, TEMPLATE, coach, personId=owner))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), 0.2)
    assert await waiting == (None, [("NOT_FOUND", "personId")])


async def test_news_of_a_grant_and_a_coach_who_sets_a_goal_by_it_do_not_wait_in_a_circle(
    subgraphs: dict[str, SubgraphUnderTest], owner: str, coach: str
) -> None:
    """Projectors take the person first and then the grant, so that the coach has to take nothing of the grant while the person is taken."""
    analytics = subgraphs["analytics"]
    grant_id = await let_plan(analytics, GOALS, owner, coach)
    async with analytics.database.transaction() as projector, analytics.database.reading() as watcher:
        await lock_people(projector, GROUP, [owner])
        goal = asyncio.create_task(create(analytics, GOALS, coach, personId=owner))
        async with asyncio.timeout(60):
            while not await watcher.scalar(_SOMEBODY_WAITS):
                await asyncio.sleep(0.02)
        taken = text("SELECT id FROM access_grant WHERE id = :id FOR UPDATE NOWAIT")
        assert await projector.scalar(taken, {"id": grant_id}) == grant_id
    made, refusals = await goal
    assert made is not None
    assert refusals == []


async def test_a_process_hears_over_redis_that_planning_ended_and_reading_goes_on(
    subgraphs: dict[str, SubgraphUnderTest], owner: str, coach: str, valkey: Valkey
) -> None:
    subgraph = subgraphs["workouts"]
    grant_id = await let_plan(subgraph, TEMPLATE, owner, coach)
    async with hearing_of_ends(subgraph, valkey) as ended, asyncio.timeout(60):
        while (await create(subgraph, TEMPLATE, coach, personId=owner))[1] == []:
            await ended.announce_plans(grant_id)
            await asyncio.sleep(0.05)
    query = """query ($of: [_Any!]!) { _entities(representations: $of) { ... on User { templates { totalCount } } } }"""
    seen = await subgraph.data(query, coach, {"of": [{"__typename": "User", "id": owner}]})
    assert seen["_entities"][0]["templates"]["totalCount"] > 0


@every_kind
async def test_a_request_that_is_sent_again_is_one_plan_and_keys_of_two_writers_never_meet(
    subgraphs: dict[str, SubgraphUnderTest], plans: Plans, owner: str, coach: str
) -> None:
    subgraph = subgraphs[plans.domain]
    await let_plan(subgraph, plans, owner, coach)
    first, _ = await create(subgraph, plans, coach, personId=owner, idempotencyKey="one")
    again, _ = await create(subgraph, plans, coach, personId=owner, idempotencyKey="one")
    assert again == first
    own, refusals = await create(subgraph, plans, owner, idempotencyKey="one")
    assert (own["id"] != first["id"], refusals) == (True, [])
    other = {"name": "x"} if "name" in plans.made else {"targetValue": 5}
    assert await create(subgraph, plans, coach, personId=owner, idempotencyKey="one", **other) == (
        None,
        [("CONFLICT", "idempotencyKey")],
    )
    assert len(await writes_of(subgraph, plans, owner)) == 1


@every_kind
async def test_the_persons_quota_binds_whoever_writes(
    subgraphs: dict[str, SubgraphUnderTest], plans: Plans, owner: str, coach: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    subgraph = subgraphs[plans.domain]
    await let_plan(subgraph, plans, owner, coach)
    module, quota = plans.quota
    monkeypatch.setattr(module, quota, 1)
    await create(subgraph, plans, owner)
    assert await create(subgraph, plans, coach, personId=owner) == (None, [("CONFLICT", None)])
    assert await writes_of(subgraph, plans, owner) == []
    assert (await create(subgraph, plans, coach))[1] == []


@every_kind
async def test_a_key_of_the_coach_plans_by_a_grant_with_all_scopes_for_it_and_without_any_of_them_nothing(
    subgraphs: dict[str, SubgraphUnderTest], plans: Plans, owner: str, coach: str
) -> None:
    subgraph, area = subgraphs[plans.domain], plans.reading.lower()
    wanted = {"plan:clients", f"write:{area}", f"read:{area}"}
    told = {"input": {**plans.made, "personId": owner}}
    assert codes_of(await subgraph.run_with(as_key(coach, wanted), plans.create, told)) == ["NOT_FOUND"]  # no grant
    grant_id = await let_plan(subgraph, plans, owner, coach)
    by_program = await subgraph.run_with(as_key(coach, wanted), plans.create, told)
    assert codes_of(by_program) == []
    made = (by_program.data or {})[plans.creates]["it"]
    assert made["authorId"] == coach
    changed = {"input": {**plans.changed, "id": made["id"]}}
    assert codes_of(await subgraph.run_with(as_key(coach, wanted), plans.update, changed)) == []
    assert [each["apiKeyId"] for each in await writes_of(subgraph, plans, owner)] == ["key-1", "key-1"]

    every = {scope.value for scope in KeyScope}
    for missing, codes in (
        ("plan:clients", ["NOT_FOUND"]),
        (f"read:{area}", ["NOT_FOUND"]),
        (f"write:{area}", ["FORBIDDEN"]),
    ):
        token = as_key(coach, every - {missing})
        assert codes_of(await subgraph.run_with(token, plans.create, told)) == codes
        assert codes_of(await subgraph.run_with(token, plans.update, changed)) == codes
    assert codes_of(await subgraph.run_with(as_key("somebody", every), plans.update, changed)) == ["NOT_FOUND"]
    ends: tuple[Payload, ...] = (
        granted(coach, plans, writes=False),
        AccessEnded(),
    )  # planning alone, and then the grant
    for version, last in enumerate(ends, start=2):
        await tell(subgraph, SUBSCRIPTIONS[plans.domain], (last, grant_id, version, owner))
        assert codes_of(await subgraph.run_with(as_key(coach, every), plans.create, told)) == ["NOT_FOUND"]
        assert codes_of(await subgraph.run_with(as_key(coach, every), plans.update, changed)) == ["NOT_FOUND"]


@every_kind
async def test_a_key_that_ended_plans_for_nobody(
    subgraphs: dict[str, SubgraphUnderTest], plans: Plans, owner: str, coach: str
) -> None:
    subgraph = subgraphs[plans.domain]
    await let_plan(subgraph, plans, owner, coach)
    key_id = new_id()
    token = as_key(coach, {scope.value for scope in KeyScope}, key_id)
    told = {"input": {**plans.made, "personId": owner}}
    assert codes_of(await subgraph.run_with(token, plans.create, told)) == []
    await subgraph.resources.revoked_sessions.announce([key_id])
    assert codes_of(await subgraph.run_with(token, plans.create, told)) == ["UNAUTHENTICATED"]


async def test_a_program_that_plans_reads_nothing_else_of_the_client(
    subgraphs: dict[str, SubgraphUnderTest], owner: str, coach: str
) -> None:
    workouts = subgraphs["workouts"]
    await let_plan(workouts, TEMPLATE, owner, coach)
    token = as_key(coach, {scope.value for scope in KeyScope})
    query = """query ($of: [_Any!]!) { _entities(representations: $of) { ... on User { templates { totalCount } } } }"""
    seen = await workouts.run_with(token, query, {"of": [{"__typename": "User", "id": owner}]})
    assert codes_of(seen) == ["FORBIDDEN"]
    routine, _ = await create(workouts, ROUTINE, coach, personId=owner)
    schedule = """mutation ($input: ScheduleRoutineInput!) { scheduleRoutine(input: $input) {
      added user { id plannedWorkouts(first: 1) { nodes { id } } } userErrors { code } } }"""
    told = {"id": routine["id"], "from": (datetime.now(UTC) + timedelta(days=2)).date().isoformat(), "weeks": 1}
    came = await workouts.run_with(token, schedule, {"input": told})
    assert codes_of(came) == ["FORBIDDEN"]
    assert (came.data or {})["scheduleRoutine"]["added"] > 0


async def test_by_one_grant_so_much_is_written_in_a_day_and_no_more(
    subgraphs: dict[str, SubgraphUnderTest], owner: str, coach: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    subgraph = subgraphs["workouts"]
    await let_plan(subgraph, TEMPLATE, owner, coach)
    made, _ = await create(subgraph, TEMPLATE, coach, personId=owner)
    monkeypatch.setattr(plan_writing, "MOST_WRITES_A_DAY", 1)
    assert await update(subgraph, TEMPLATE, coach, made["id"]) == ["RATE_LIMITED"]
    assert await rows(subgraph, "SELECT name FROM workout_template WHERE id = :id", id=made["id"]) == [("Push",)]


async def test_a_coach_sets_targets_and_plans_days_and_writes_no_diary(
    subgraphs: dict[str, SubgraphUnderTest], owner: str, coach: str
) -> None:
    nutrition = subgraphs["nutrition"]
    await let_plan(nutrition, MEALS, owner, coach)
    aim = """mutation ($input: SetNutritionTargetInput!) { setNutritionTarget(input: $input) {
      target { energyKcal authorId version } userErrors { code field } } }"""
    told = {"energyKcal": 2222, "personId": owner, "expectedVersion": 0}
    target = (await nutrition.data(aim, coach, {"input": told}))["setNutritionTarget"]["target"]
    assert target == {"energyKcal": 2222.0, "authorId": coach, "version": 1}
    assert await nutrition.codes(aim, coach, {"input": told}) == ["STALE_VERSION"]

    plan, _ = await create(nutrition, MEALS, coach, personId=owner)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    apply = """mutation ($input: ApplyMealPlanInput!) { applyMealPlan(input: $input) {
      diaryDays { userId planned { id authorId } } userErrors { code } } }"""
    applied = await nutrition.data(apply, coach, {"input": {"id": plan["id"], "from": tomorrow}})
    (day,) = applied["applyMealPlan"]["diaryDays"]
    (meal,) = day["planned"]
    assert (day["userId"], meal["authorId"]) == (owner, coach)
    assert [each["what"] for each in await writes_of(nutrition, MEALS, owner)] == [
        "PLANNED_MEALS",
        "MEAL_PLAN",
        "NUTRITION_TARGET",
    ]
    for refused in (
        f'logPlannedMeal(input: {{ id: "{meal["id"]}" }}) {{ userErrors {{ code }} }}',
        f'deleteMealPlan(input: {{ id: "{plan["id"]}" }}) {{ userErrors {{ code }} }}',
    ):
        assert await nutrition.codes(f"mutation {{ {refused} }}", coach) == ["NOT_FOUND"]
    own_days = 'mutation { clearPlannedMeals(input: { from: "2026-01-01", to: "2036-01-01" }) { cleared } }'
    assert (await nutrition.data(own_days, coach))["clearPlannedMeals"]["cleared"] == 0


async def test_a_coach_puts_a_routine_on_days_and_begins_skips_and_takes_back_nothing(
    subgraphs: dict[str, SubgraphUnderTest], owner: str, coach: str
) -> None:
    workouts = subgraphs["workouts"]
    await let_plan(workouts, ROUTINE, owner, coach)
    routine, _ = await create(workouts, ROUTINE, coach, personId=owner)
    schedule = """mutation ($input: ScheduleRoutineInput!) { scheduleRoutine(input: $input) {
      added user { id plannedWorkouts(first: 1) { nodes { id authorId } } } userErrors { code } } }"""
    told = {"id": routine["id"], "from": (datetime.now(UTC) + timedelta(days=2)).date().isoformat(), "weeks": 1}
    came = (await workouts.data(schedule, coach, {"input": told}))["scheduleRoutine"]
    (planned,) = came["user"]["plannedWorkouts"]["nodes"]
    assert (came["added"] > 0, came["user"]["id"], planned["authorId"]) == (True, owner, coach)
    assert [each["what"] for each in await writes_of(workouts, ROUTINE, owner)] == ["PLANNED_WORKOUT", "ROUTINE"]
    for refused in ("startPlannedWorkout", "skipPlannedWorkout", "cancelPlannedWorkout"):
        told_by = f'mutation {{ {refused}(input: {{ id: "{planned["id"]}" }}) {{ userErrors {{ code }} }} }}'
        assert await workouts.codes(told_by, coach) == ["NOT_FOUND"]
    delete = f'mutation {{ deleteRoutine(input: {{ id: "{routine["id"]}" }}) {{ userErrors {{ code }} }} }}'
    assert await workouts.codes(delete, coach) == ["NOT_FOUND"]


async def test_a_coach_says_nothing_of_how_a_goal_went_and_deletes_nothing(
    subgraphs: dict[str, SubgraphUnderTest], owner: str, coach: str
) -> None:
    analytics, workouts = subgraphs["analytics"], subgraphs["workouts"]
    await let_plan(analytics, GOALS, owner, coach)
    await let_plan(workouts, TEMPLATE, owner, coach)
    goal, _ = await create(analytics, GOALS, coach, personId=owner)
    template, _ = await create(workouts, TEMPLATE, coach, personId=owner)
    status = "mutation ($id: ID!) { setGoalStatus(input: { id: $id, status: COMPLETED }) { userErrors { code } } }"
    assert await analytics.codes(status, coach, {"id": goal["id"]}) == ["NOT_FOUND"]
    delete = "mutation ($id: ID!) { deleteGoal(input: { id: $id }) { userErrors { code } } }"
    assert await analytics.codes(delete, coach, {"id": goal["id"]}) == ["NOT_FOUND"]
    delete = "mutation ($id: ID!) { deleteTemplate(input: { id: $id }) { userErrors { code } } }"
    assert await workouts.codes(delete, coach, {"id": template["id"]}) == ["NOT_FOUND"]
    start = 'mutation ($id: ID!) { startWorkout(input: { name: "x", templateId: $id }) { userErrors { code } } }'
    assert await workouts.codes(start, coach, {"id": template["id"]}) == ["NOT_FOUND"]


@every_kind
@pytest.mark.parametrize("erased", ["owner", "coach"])
async def test_nothing_names_a_person_who_is_erased(
    subgraphs: dict[str, SubgraphUnderTest], plans: Plans, owner: str, coach: str, erased: str
) -> None:
    subgraph = subgraphs[plans.domain]
    await let_plan(subgraph, plans, owner, coach)
    await create(subgraph, plans, coach, personId=owner, idempotencyKey="one")
    gone = owner if erased == "owner" else coach
    await tell(subgraph, SUBSCRIPTIONS[plans.domain], (UserErased(), gone, 2, gone))
    for table in (plans.table, "plan_write", "access_grant"):
        assert gone not in str(await rows(subgraph, f"SELECT * FROM {table}"))
    told = await rows(subgraph, "SELECT convert_from(value, 'UTF8') FROM outbox WHERE aggregate_type = 'plan_write'")
    assert gone not in str(told)


async def test_notes_are_kept_for_ninety_days(subgraphs: dict[str, SubgraphUnderTest], owner: str, coach: str) -> None:
    subgraph = subgraphs["workouts"]
    await let_plan(subgraph, TEMPLATE, owner, coach)
    for _ in range(2):
        await create(subgraph, TEMPLATE, coach, personId=owner)
    aged = "UPDATE plan_write SET at = at - interval '91 days' WHERE id = (SELECT min(id) FROM plan_write WHERE owner_id = :id)"
    async with subgraph.database.transaction() as transaction:
        await transaction.execute(text(aged), {"id": owner})
    assert await forget_in_batches(subgraph.database.transaction, forget_plan_writes) == 1
    assert len(await writes_of(subgraph, TEMPLATE, owner)) == 1
    told = "SELECT count(*) FROM outbox WHERE aggregate_type = 'plan_write' AND key = :id"
    assert await rows(subgraph, told, id=owner) == [(1,)]


async def test_of_two_grants_the_one_that_holds_counts(
    subgraphs: dict[str, SubgraphUnderTest], owner: str, coach: str
) -> None:
    subgraph = subgraphs["workouts"]
    now = datetime.now(UTC)
    old = Grant(new_id(), owner, coach, "COACH", ("TRAINING",), now, now - timedelta(seconds=1), ("TRAINING",))
    async with subgraph.database.transaction() as transaction:
        await keep_grant(transaction, old)
    assert (await create(subgraph, TEMPLATE, coach, personId=owner))[0] is None
    await let_plan(subgraph, TEMPLATE, owner, coach)
    assert (await create(subgraph, TEMPLATE, coach, personId=owner))[1] == []
