"""Who may do what: every query, mutation, entity and entity field as nobody, another person, a coach whose grant has ended,
a coach with a grant to read everything, an administrator, an API key of the owner that may read every area, a coach with a
grant to plan everything that can be planned too, and the owner.

Asked through the router and at each subgraph's own port. What is asked comes from the schemas; `access_matrix.txt` says what
each caller gets, and whatever the schemas have and it has not fails; `pytest -vv` then shows the lines that are missing.
A program with an API key of the planner with every scope gets what planning opens, and nothing else of the owner's.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from graphql import GraphQLInterfaceType, GraphQLSchema, GraphQLUnionType, build_schema

from subgraphs.shell.key_scope import KeyScope
from tests.testkit.access_matrix import Asker, Outcome, judged
from tests.testkit.persons_things import PER_100, let_plan, let_read, signed_in, things_of, with_a_key
from tests.testkit.running_stack import PASSWORD, RunningStack, Visitor, eventually

GRAPH = Path(__file__).parents[2] / "schema" / "fittracker"
SUBGRAPHS = ("users", "nutrition", "workouts", "analytics")
CALLERS = (
    "anonymous",
    "other",
    "former",
    "coach",
    "admin",
    "key",
    "planner",
    "owner",
)  # who writes last: some operations change what the others are asked about
WRITERS = ("planner", "owner")
READERS = ("coach", "admin", "key", *WRITERS)  # who may see what the owner wrote
REFUSALS = {"UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND"}
AT_ONCE = 16  # requests under way
TABLE = Path(__file__).with_name("access_matrix.txt")
TODAY = datetime.now(UTC).date().isoformat()
#: What would do harm to what later operations are about comes last.
LAST = (
    "",
    "unpublishFood",
    "delete",
    "undoDelete",
    "clearPlannedMeals",
    "cancelPlannedWorkout",
    "clearPlannedWorkouts",
    "cancelWorkout",
    "deleteWorkout",
    "revokeAccess",
    "removePasskey",
    "revokeSession",
    "changePassword",
    "withdrawHealthDataConsent",
    "logout",
)

#: Everything of the owner that another person might have changed.
SNAPSHOT = """{ me { email displayName roles version settings { timeZone } profile { heightCm }
  weights { nodes { id weightKg notes version } } measurements { nodes { id valueCm } } heartRates { nodes { id version } } stepCounts { nodes { id version } } sessions { totalCount }
  meals { nodes { id notes version } } drinks { nodes { id amountMl } } workouts { nodes { id name status version } }
  templates { nodes { id name } } gear { nodes { id version } } routines { nodes { id version } } plannedWorkouts { nodes { id version } } readers { totalCount } notifications { nodes { id } } reminders { id version } sentInvitations { id } consents { isGiven } apiKeys { id } passkeys { id name } webhookEndpoints { id version } goals { nodes { id targetValue status } } } }"""


#: Of that, what can be planned by a grant.
PLANNED = ("templates", "routines", "plannedWorkouts", "goals")


#: What stands where an id is wanted: a thing of the owner.
PLACES = {
    "goal": ("Query.goal.id", "UpdateGoalInput.id", "SetGoalStatusInput.id", "DeleteGoalInput.id"),
    "food": ("Query.food.id", "UpdateFoodInput.id", "DeleteFoodInput.id", "MealItemInput.foodId", "SetFavouriteFoodInput.foodId",
        "DishInput.foodId", "RecountMealsInput.foodId", "PublishFoodInput.foodId", "UnpublishFoodInput.foodId",
    ),
    "publishedFood": ("Query.publishedFood.id", "CopyPublishedFoodInput.publishedFoodId", "ReportFoodInput.publishedFoodId",
        "ModerateFoodInput.publishedFoodId",
    ),
    "meal": ("Query.meal.id", "UpdateMealInput.id", "CopyMealInput.mealId", "MoveMealItemsInput.mealId", "UndoDeleteInput.id", "DeleteMealInput.id"),
    "drink": ("DeleteWaterInput.id",),
    "user": ("Query.user.id", "CreateTemplateInput.personId", "CreateRoutineInput.personId", "PlanWorkoutInput.personId", "CreateMealPlanInput.personId",
        "SetNutritionTargetInput.personId", "CreateGoalInput.personId",
    ),
    "fast": ("EndFastInput.id", "UpdateFastInput.id", "DeleteFastInput.id"),
    "recipe": ("UpdateRecipeInput.foodId",),
    "savedMeal": ("UpdateSavedMealInput.id", "DeleteSavedMealInput.id", "LogSavedMealInput.id"),
    "mealPlan": ("UpdateMealPlanInput.id", "DeleteMealPlanInput.id", "ApplyMealPlanInput.id"),
    "plannedMeal": ("LogPlannedMealInput.id",),
    "somebody": ("SetUserStatusInput.userId", "SetUserRolesInput.userId", "SetPremiumInput.userId"),
    "weight": ("EditWeightInput.id", "DeleteWeightInput.id", "Query.node.id", "Query.nodes.ids"),
    "measurement": ("DeleteMeasurementInput.id",),
    "heartRate": ("EditHeartRateInput.id", "DeleteHeartRateInput.id"),
    "steps": ("DeleteStepsInput.id",),
    "session": ("RevokeSessionInput.id",),
    "pushSubscription": ("RemovePushSubscriptionInput.id",),
    "reminder": ("UpdateReminderInput.id", "DeleteReminderInput.id"),
    "notification": ("MarkNotificationsReadInput.ids", "DeleteNotificationInput.id"),
    "invitation": ("RevokeAccessInput.id",),
    "passkey": ("RenamePasskeyInput.id", "RemovePasskeyInput.id"),
    "apiKey": ("RevokeApiKeyInput.id",),
    "webhookEndpoint": (
        "UpdateWebhookEndpointInput.id", "DeleteWebhookEndpointInput.id", "RotateWebhookSecretInput.id", "SendTestWebhookInput.id",
    ),
    "webhookDelivery": ("RedeliverWebhookInput.id",),
    "exercise": ("Query.exercise.id", "UpdateExerciseInput.id", "LogSetInput.exerciseId", "SwapExerciseInput.exerciseId", "TemplateExerciseInput.exerciseId",
        "User.caloriesFor.exerciseId",
        "User.paceRecords.exerciseId",
    ),
    "workout": ("User.heartRateOfWorkout.workoutId", "MergeWorkoutsInput.id", "MergeWorkoutsInput.otherId",
        "Query.workout.id", "EditSetInput.workoutId", "DeleteSetInput.workoutId", "CompleteWorkoutInput.id", "WorkoutIdInput.id", "UpdateWorkoutInput.id", "LogSetInput.workoutId",
        "ReopenWorkoutInput.id", "PauseWorkoutInput.id", "ResumeWorkoutInput.id", "ReorderExercisesInput.workoutId", "SwapExerciseInput.workoutId",
        "StartRestInput.workoutId", "ExtendRestInput.workoutId", "SkipRestInput.workoutId",
    ),
    "workoutExercise": ("ReorderExercisesInput.order", "SwapExerciseInput.workoutExerciseId"),
    "set": ("EditSetInput.setId", "DeleteSetInput.setId"),
    "template": ("UpdateTemplateInput.id", "DeleteTemplateInput.id", "PublishTemplateInput.id", "UnpublishTemplateInput.id"),
    "publicTemplate": ("Query.publicTemplate.id", "CloneTemplateInput.publicTemplateId", "ReportTemplateInput.publicTemplateId",
        "ModerateTemplateInput.publicTemplateId",
    ),
    "plannedWorkout": ("UpdatePlannedWorkoutInput.id", "SkipPlannedWorkoutInput.id", "CancelPlannedWorkoutInput.id",
        "StartPlannedWorkoutInput.id", "PairPlannedWorkoutInput.id",
    ),
    "gear": ("UpdateGearInput.id", "DeleteGearInput.id"),
    "recorded": ("PairPlannedWorkoutInput.workoutId",),
    "routine": ("UpdateRoutineInput.id", "DeleteRoutineInput.id", "ScheduleRoutineInput.id"),
}  # fmt: skip
#: Which queries and mutations are open to another person with the role PREMIUM, and shut to one without it.
OPENED_BY_PREMIUM = {"router Query.rangeReport"}
LISTS = {"Query.nodes.ids", "ReorderExercisesInput.order", "MarkNotificationsReadInput.ids"}


def values_of(ids: Mapping[str, str], caller: str) -> dict[str, Any]:
    """By place. Registering and signing in are not about the owner's account, whose attempts are counted."""
    values: dict[str, Any] = {
        place: [ids[kind]] if place in LISTS else ids[kind] for kind, places in PLACES.items() for place in places
    }
    return values | {
        "RegisterInput.email": f"{caller}-{ids['user']}@example.com",
        "LoginInput.email": f"{caller}-{ids['user']}@example.com",
        "RequestPasswordResetInput.email": f"{caller}-{ids['user']}@example.com",
        "RequestEmailVerificationInput.email": f"{caller}-{ids['user']}@example.com",
        "RegisterInput.password": PASSWORD,
        "CreateFoodInput.per100": PER_100,
        # What is refused for itself is refused before it is asked for whom it is.
        "SetNutritionTargetInput.energyKcal": 2000,
        "CreateMealPlanInput.days": [{"meals": [{"slot": "LUNCH", "quickAdds": [{"energyKcal": 100}]}]}],
        "MoveMealItemsInput.positions": [0],
        "MoveMealItemsInput.toSlot": "DINNER",
        "ChangePasswordInput.newPassword": "Different123!",
        "ResetPasswordInput.newPassword": "Different123!",
        "Query.foodByBarcode.gtin": "4006381333931",
        "User.day.date": TODAY,
        "LogWorkoutInput.endedAt": f"{TODAY}T00:01:00Z",  # a minute of today, whatever the hour
        "LogWorkoutInput.startedAt": f"{TODAY}T00:00:00Z",
    }


#: What an entity is asked by, at a subgraph's own port.
REPRESENTATIONS: Mapping[str, str] = {
    "User": "user", "WeightEntry": "weight", "Food": "food", "Meal": "meal", "Drink": "drink", "Exercise": "exercise",
    "Workout": "workout", "WorkoutSet": "set", "Measurement": "measurement", "Goal": "goal",
}  # fmt: skip


def node_id(entity: str, ids: Mapping[str, str]) -> str:
    kinds = {**REPRESENTATIONS, "DiaryDay": "diary", "DailySummary": "summary"}
    return ids[kinds[entity]]


def representation(entity: str, ids: Mapping[str, str]) -> dict[str, Any]:
    if entity in ("DiaryDay", "DailySummary"):
        return {"userId": ids["user"], "date": TODAY, "id": ids["diary" if entity == "DiaryDay" else "summary"]}
    return {"id": ids[REPRESENTATIONS[entity]]}


@dataclass(frozen=True)
class Cell:
    place: str
    outcome: Outcome


class Level:
    """Where is asked: the router, or one subgraph's own port."""

    def __init__(self, stack: RunningStack, name: str) -> None:
        path = GRAPH / ("api.graphql" if name == "router" else f"subgraphs/{name}.graphql")
        self.name = name
        self.schema: GraphQLSchema = build_schema(path.read_text(encoding="utf-8"), assume_valid_sdl=True)
        self._session = stack.session
        port = stack.state.ports.get(name)
        self._url = stack.state.router_url if name == "router" else f"http://127.0.0.1:{port}/graphql"

    async def post(self, body: Mapping[str, Any], caller: Visitor | None) -> dict[str, Any]:
        headers = {} if caller is None else {"authorization": f"Bearer {caller.access_token}"}
        async with self._session.post(self._url, json=body, headers=headers) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
            assert not codes & {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"}, answer
            return answer

    @property
    def entities(self) -> list[str]:
        """Of the router all nodes; of a subgraph those that have fields of their own there, and not a key alone."""
        if self.name == "router":
            node = self.schema.type_map["Node"]
            assert isinstance(node, GraphQLInterfaceType)
            return [each.name for each in self.schema.get_possible_types(node)]
        union = self.schema.type_map["_Entity"]
        assert isinstance(union, GraphQLUnionType)
        return [each.name for each in union.types if len(each.fields) > 2]


async def root_cells(level: Level, caller: str, who: Visitor | None, ids: Mapping[str, str]) -> Iterator[Cell]:
    """What the caller gets of each query and mutation."""
    asked = list(Asker(level.schema, values_of(ids, caller)).roots())
    cells = []
    for each in sorted(asked, key=lambda each: max(n for n, verb in enumerate(LAST) if each.field.startswith(verb))):
        answer = await level.post(each.body, who)
        cells.append(Cell(f"{level.name} {each.coordinate}", each.outcome(answer)))
        assert caller in READERS or "SECRET" not in str(answer), (each.coordinate, answer)
    return iter(cells)


async def entity_cells(level: Level, caller: str, who: Visitor | None, ids: Mapping[str, str]) -> Iterator[Cell]:
    """What the caller gets of each field of each entity, each field asked alone: one that is shut may take all with it."""
    asker = Asker(level.schema, values_of(ids, caller))
    is_router = level.name == "router"
    asked = [
        (f"{level.name} {name}.{field}", body)
        for name in level.entities
        for field, body in (
            asker.node(name, node_id(name, ids)) if is_router else asker.entity(name, representation(name, ids))
        )
    ]
    answers: list[dict[str, Any]] = []
    for first in range(0, len(asked), AT_ONCE):
        answers += await asyncio.gather(*(level.post(body, who) for _, body in asked[first : first + AT_ONCE]))
    cells = []
    for (place, _), answer in zip(asked, answers, strict=True):
        entity = (answer.get("data") or {}).get("entity")
        entity = entity[0] if isinstance(entity, list) else entity
        # What is nested deeper is a field of another type, and has its cell there.
        depth = 2 if is_router else 3
        codes = [
            error["extensions"]["code"] for error in answer.get("errors", ()) if len(error.get("path", ())) <= depth
        ]
        is_let_in = entity is not None and not set(codes) & REFUSALS
        cells.append(Cell(place, Outcome.LET_IN if is_let_in else judged(entity, codes)))
        assert caller in READERS or "SECRET" not in str(answer), (place, answer)
    return iter(cells)


@pytest.fixture(scope="module")
async def admin(stack: RunningStack) -> Visitor:
    person = await stack.register()
    connection = await asyncpg.connect(stack.state.environment["DATABASE_URL_USERS"])
    await connection.execute("UPDATE account SET roles = '{USER,ADMIN}' WHERE id = $1", person.id)
    await connection.close()
    return person


async def reader_of(owner: Visitor, ids: Mapping[str, str], *, ends: bool) -> Visitor:
    """A coach whom every subgraph has heard of, and, where the grant `ends`, has heard that too."""
    coach = await owner.stack.register()
    grant_id = await let_read(owner, coach)
    await eventually(lambda: reads_everywhere(coach, ids, is_open=True))
    if ends:
        await owner.data("mutation ($id: ID!) { revokeAccess(input: { id: $id }) { revokedId } }", {"id": grant_id})
        await eventually(lambda: reads_everywhere(coach, ids, is_open=False))
    return coach


async def planner_of(owner: Visitor, ids: Mapping[str, str]) -> Visitor:
    """A coach of whose grant to plan every subgraph has heard."""
    coach = await owner.stack.register()
    await let_plan(owner, coach)
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    async def is_heard() -> bool:
        answer = await coach.ask(query, {"ids": [ids[each] for each in ("meal", "workout", "goal")]})
        return all(each is not None for each in answer["data"]["nodes"])

    await eventually(is_heard)
    return coach


async def reads_everywhere(coach: Visitor, ids: Mapping[str, str], *, is_open: bool) -> bool:
    """Whether a thing of each subgraph is open to the coach, or else shut."""
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    things = [ids[each] for each in ("weight", "meal", "workout", "goal")]
    answer = await coach.ask(query, {"ids": things})
    return [each is not None for each in answer["data"]["nodes"]] == [is_open] * len(things)


def opened_by_planning(name: str, table: Mapping[str, str]) -> set[str]:
    """Which queries and mutations a grant to plan opens to a coach beside what one to read does, by the table."""
    planner, coach = CALLERS.index("planner"), CALLERS.index("coach")
    rows = {
        place: cells.split() for place, cells in table.items() if place.startswith((f"{name} Query", f"{name} Mut"))
    }
    return {place for place, cells in rows.items() if cells[planner] == "Y" and cells[coach] == "N"}


async def premium_person(stack: RunningStack, admin: Visitor) -> Visitor:
    """Somebody with the role PREMIUM and a token that says so."""
    person = await stack.register()
    until = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    operation = (
        "mutation ($input: SetPremiumInput!) { setPremium(input: $input) { user { roles } userErrors { message } } }"
    )
    told = await admin.data(operation, {"input": {"userId": person.id, "until": until, "reason": "Pays for it"}})
    assert told["setPremium"]["user"]["roles"] == ["USER", "PREMIUM"]
    return await signed_in(person)


def expected_cells() -> dict[str, str]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return {f"{level} {coordinate}": " ".join(cells) for level, coordinate, *cells in rows}


def expected_of(place: str, table: Mapping[str, str]) -> str:
    """By its own row, or by that of all fields of its type; fields of roots have rows of their own."""
    kind = place.partition(".")[0]
    return table.get(place) or table.get(f"{kind}.*", "not in access_matrix.txt")


def notification_ids(snapshot: dict[str, Any]) -> frozenset[str]:
    """Takes the notifications out of a snapshot, and returns their ids."""
    return frozenset(each["id"] for each in snapshot["me"].pop("notifications")["nodes"])


@pytest.mark.parametrize("name", ["router", *SUBGRAPHS])
async def test_every_cell_is_as_the_matrix_says(stack: RunningStack, admin: Visitor, name: str) -> None:
    level, owner, table = Level(stack, name), await stack.register(), expected_cells()
    ids = await things_of(owner)
    planner = await planner_of(owner, ids)
    program = await with_a_key(planner, *(scope.name for scope in KeyScope))
    callers = {
        "anonymous": None,
        "other": await stack.register(),
        "former": await reader_of(owner, ids, ends=True),
        "coach": await reader_of(owner, ids, ends=False),
        "admin": await signed_in(admin),
        "key": await with_a_key(owner, "READ_BODY", "READ_DIARY", "READ_TRAINING", "READ_PROGRESS"),
        "planner": planner,
        "owner": owner,
    }
    premium = await premium_person(stack, await signed_in(admin)) if name == "router" else None
    before = await owner.data(SNAPSHOT)
    noticed = notification_ids(before)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for caller in CALLERS:
        if caller in WRITERS:
            now = await owner.data(SNAPSHOT)
            if caller == "owner":  # after the planner, who plans and changes nothing else
                for each in PLANNED:
                    now["me"].pop(each), before["me"].pop(each)
            assert noticed <= notification_ids(now)  # more may have come meanwhile, for they follow from events
            assert now == before
        for ask in (entity_cells, root_cells):
            for cell in await ask(level, caller, callers[caller], ids):
                found[cell.place].append(cell.outcome.value)
        if caller == "other" and premium is not None:
            opened = {
                cell.place
                for cell in await root_cells(level, caller, premium, ids)
                if found[cell.place][-1] != cell.outcome.value
            }
            assert opened == OPENED_BY_PREMIUM
        if caller == "planner":
            opened = {
                cell.place
                for ask in (entity_cells, root_cells)
                for cell in await ask(level, caller, program, ids)
                if cell.outcome is Outcome.LET_IN and found[cell.place][CALLERS.index("other")] != Outcome.LET_IN.value
            }
            assert opened == opened_by_planning(name, table)

    got = {place: " ".join(outcomes) for place, outcomes in found.items()}
    wrong = [f"{place} {cells}" for place, cells in got.items() if cells != expected_of(place, table)]
    assert wrong == [], "the matrix says otherwise, or nothing: these are the lines as they are"
    stale = {place for place in table if place.startswith(f"{name} ") and not place.endswith(".*")} - set(got)
    assert stale == set()
