"""A person with one thing of each kind, marked SECRET wherever words can be. Used by tests of who sees what, and of erasure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.testkit.authenticator import SoftAuthenticator
from tests.testkit.catalogue import with_catalogue
from tests.testkit.running_stack import PASSWORD, Visitor

PER_100 = {"energyKcal": 100, "proteinG": 3, "carbsG": 20, "fatG": 1}

MAKE = """mutation($food: CreateFoodInput!, $exercise: CreateExerciseInput!) {
  createFood(input: $food) { food { id } }
  createExercise(input: $exercise) { exercise { id } }
  logWeight(input: { weightKg: 81.53, notes: "SECRET" }) { weightEntry { id } }
  logMeasurement(input: { kind: WAIST, valueCm: 93.27, notes: "SECRET" }) { measurement { id } }
  logHeartRate(input: { kind: RESTING, beatsPerMinute: 57, notes: "SECRET" }) { heartRate { id } }
  logSteps(input: { source: "SECRET phone", steps: 6257 }) { stepCount { id } }
  logWater(input: { amountMl: 251 }) { drink { id } diaryDay { id } }
  createGoal(input: { kind: WEIGHT_KG, targetValue: 70.41 }) { goal { id } }
  startWorkout(input: { name: "SECRET" }) { workout { id } }
}"""
THEN = """mutation($food: ID!, $workout: ID!, $exercise: ID!, $tomorrow: LocalDate!) {
  logMeal(input: { slot: LUNCH, notes: "SECRET", items: [{ foodId: $food, grams: 100 }, { foodId: $food, grams: 50 }] }) { meal { id } }
  logSet(input: { workoutId: $workout, exerciseId: $exercise, reps: 8, weightKg: 41.5, tempo: "3-1-X-0", notes: "SECRET" }) {
    set { id } workout { exercises { id } } }
  logWorkout(input: { name: "SECRET", startedAt: "2026-01-03T10:00:00Z", endedAt: "2026-01-03T10:10:00Z",
    exercises: [{ exerciseId: $exercise, sets: [{ reps: 3 }] }],
    pauses: [{ startedAt: "2026-01-03T10:02:00Z", endedAt: "2026-01-03T10:04:00Z" }],
    track: { distanceM: 1200.5, kmSplits: [{ distanceM: 1000, seconds: 400 }], bests: [{ distance: KM1, seconds: 400 }],
      series: { seconds: [0, 300], heartRate: [101, 147] }, heartRateTimes: { beatsPerMinute: [147], seconds: [300.5] } } }) {
    workout { id } }
  createReminder(input: { kind: WEIGH_IN, timeOfDay: "07:13", weekdays: [MONDAY] }) { reminder { id } }
  updateNotificationPreferences(input: { quietStart: "22:17", quietEnd: "06:00" }) { preferences { id } }
  startFast(input: {}) { fast { id } }
  saveMeal(input: { name: "SECRET", items: [{ foodId: $food, grams: 70 }] }) { savedMeal { id } }
  createMealPlan(input: { name: "SECRET", days: [{ meals: [{ slot: LUNCH, items: [{ foodId: $food, grams: 70 }] }] }] }) { mealPlan { id } }
  setCustomSlots(input: { slots: [{ name: "SECRET snack", countsAs: SNACK }] }) { customSlots { version } }
  setDietaryPreferences(input: { avoid: [CELERY] }) { dietaryPreferences { version } }
  createRecipe(input: { name: "SECRET", servings: 2, ingredients: [{ foodId: $food, grams: 70 }] }) { food { id } }
  createGear(input: { name: "SECRET shoes", kind: SHOES, startDistanceM: 1234.5, lifeDistanceM: 800000,
    defaultForExerciseIds: [$exercise] }) { gear { id } }
  setDefaultRest(input: { seconds: 97 }) { user { id } }
  setStreakProtection(input: { spans: [{ first: $tomorrow, last: $tomorrow, reason: ILLNESS }] }) { user { id } }
  setPlateInventory(input: { inventory: { unit: LB, bar: 33.07, plates: [{ weight: 45, pairs: 2 }] } }) { user { id } }
  planWorkout(input: { date: $tomorrow, name: "SECRET", notes: "SECRET", exercises: [{ exerciseId: $exercise, sets: 3 }] }) {
    plannedWorkout { id } }
  createRoutine(input: { name: "SECRET", schedule: CYCLE, days: [{ name: "SECRET", exercises: [{ exerciseId: $exercise, sets: 3 }] }, {}] }) {
    routine { id } }
  createTemplate(input: { name: "SECRET", exercises: [{ exerciseId: $exercise, sets: 3 }] }) { template { id } }
  updateConsents(input: { consents: [{ purpose: STATISTICS, isGiven: true }] }) { user { id } }
  me: updateSettings(input: {}) { user { id day { id } } }
}"""


#: The one thing that the owner shows everybody, and so without SECRET.
OPEN = """mutation($exercise: ID!) {
  createTemplate(input: { name: "For everybody", exercises: [{ exerciseId: $exercise, sets: 3 }] }) { template { id } } }"""
PUBLISH = """mutation($id: ID!) { publishTemplate(input: { id: $id, kind: STRENGTH, level: BEGINNER }) {
  template { published { id } } userErrors { message } } }"""


#: What the owner shows to readers of the diary: whoever has no grant is told nothing of it.
SHOW_READERS = """mutation($id: ID!) { publishFood(input: { foodId: $id, audience: READERS }) {
  food { published { id } } userErrors { message } } }"""


BROWSER_KEY = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
INVITE = """mutation { inviteReader(input: { relation: COACH, areas: [BODY, DIARY, TRAINING, PROGRESS] }) {
  code invitation { id } } }"""
INVITE_PLANNER = """mutation { inviteReader(input: { relation: COACH, areas: [BODY, DIARY, TRAINING, PROGRESS],
  plans: [MEALS, TRAINING, GOALS] }) { code } }"""
ACCEPT = "mutation ($code: String!) { acceptInvitation(input: { code: $code }) { grant { id } } }"


KEY = """mutation ($password: String!, $scopes: [KeyScope!]!) {
  createApiKey(input: { name: "SECRET", scopes: $scopes, currentPassword: $password }) { secret apiKey { id } } }"""
EXCHANGE = "mutation ($key: String!) { exchangeApiKey(input: { key: $key }) { accessToken } }"


async def things_of(owner: Visitor) -> dict[str, str]:
    """The ids of one thing of each kind that the owner has."""
    food = {"name": "SECRET bar", "category": "SNACK", "per100": PER_100}
    exercise = {"name": "SECRET move", "category": "STRENGTH", "tracking": "REPS", "met": 5}
    made = await owner.data(MAKE, {"food": food, "exercise": exercise})
    ids = {
        "user": owner.id,
        "food": made["createFood"]["food"]["id"],
        "exercise": made["createExercise"]["exercise"]["id"],
        "weight": made["logWeight"]["weightEntry"]["id"],
        "measurement": made["logMeasurement"]["measurement"]["id"],
        "heartRate": made["logHeartRate"]["heartRate"]["id"],
        "steps": made["logSteps"]["stepCount"]["id"],
        "drink": made["logWater"]["drink"]["id"],
        "diary": made["logWater"]["diaryDay"]["id"],
        "goal": made["createGoal"]["goal"]["id"],
        "workout": made["startWorkout"]["workout"]["id"],
    }
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    given = {name: ids[name] for name in ("food", "workout", "exercise")}
    then = await owner.data(THEN, given | {"tomorrow": tomorrow})
    somebody = await owner.stack.register()
    await let_read(owner, somebody)
    await let_read(somebody, owner)
    return ids | {
        "meal": then["logMeal"]["meal"]["id"],
        "set": then["logSet"]["set"]["id"],
        "workoutExercise": then["logSet"]["workout"]["exercises"][0]["id"],
        "recorded": then["logWorkout"]["workout"]["id"],
        "plannedWorkout": then["planWorkout"]["plannedWorkout"]["id"],
        "routine": then["createRoutine"]["routine"]["id"],
        "gear": then["createGear"]["gear"]["id"],
        "template": then["createTemplate"]["template"]["id"],
        "publicTemplate": await a_public_template(owner),
        "publishedFood": await a_shown_food(owner, ids["food"]),
        "summary": then["me"]["user"]["day"]["id"],
        "fast": then["startFast"]["fast"]["id"],
        "reminder": then["createReminder"]["reminder"]["id"],
        "savedMeal": then["saveMeal"]["savedMeal"]["id"],
        "mealPlan": then["createMealPlan"]["mealPlan"]["id"],
        "plannedMeal": await planned_meal(owner, then["createMealPlan"]["mealPlan"]["id"]),
        "recipe": then["createRecipe"]["food"]["id"],
        "session": await another_session(owner),
        "somebody": somebody.id,  # whom an administrator may suspend
        "pushSubscription": await a_browser(owner),
        **await an_endpoint(owner),
        "notification": await newest_notification(owner),
        "passkey": await a_passkey(owner),
        "apiKey": (await owner.data(KEY, {"password": PASSWORD, "scopes": ["READ_BODY"]}))["createApiKey"]["apiKey"][
            "id"
        ],
        "invitation": (await owner.data(INVITE))["inviteReader"]["invitation"]["id"],
    }


async def a_public_template(owner: Visitor) -> str:
    """The id of a template of the owner that everybody may see, with an exercise of the catalogue."""
    exercise, _ = await with_catalogue(owner.stack)
    made = await owner.data(OPEN, {"exercise": exercise})
    shown = await owner.data(PUBLISH, {"id": made["createTemplate"]["template"]["id"]})
    return str(shown["publishTemplate"]["template"]["published"]["id"])


async def a_shown_food(owner: Visitor, food: str) -> str:
    """The id under which a food of the owner is shown to whoever reads the diary."""
    shown = await owner.data(SHOW_READERS, {"id": food})
    return str(shown["publishFood"]["food"]["published"]["id"])


async def let_read(owner: Visitor, reader: Visitor) -> str:
    """The id of a grant to read everything that can be granted, as users knows it; the others hear of it a moment later."""
    return await _accepted(owner, reader, INVITE)


async def let_plan(owner: Visitor, writer: Visitor) -> str:
    """The id of a grant to plan everything that can be planned for the owner, and to read all of it."""
    return await _accepted(owner, writer, INVITE_PLANNER)


async def _accepted(owner: Visitor, reader: Visitor, invite: str) -> str:
    code = (await owner.data(invite))["inviteReader"]["code"]
    grant_id: str = (await reader.data(ACCEPT, {"code": code}))["acceptInvitation"]["grant"]["id"]
    return grant_id


async def a_browser(owner: Visitor) -> str:
    """The id of a browser of the owner that takes push messages; its push service is nowhere."""
    browser = {"endpoint": f"https://push.example/{owner.id}", "p256dh": BROWSER_KEY, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}
    query = "mutation ($input: RegisterPushSubscriptionInput!) { registerPushSubscription(input: $input) { pushSubscription { id } } }"
    made = await owner.data(query, {"input": browser})
    return str(made["registerPushSubscription"]["pushSubscription"]["id"])


BEGIN_PASSKEY = "mutation { beginPasskey(input: {}) { challengeId options } }"
ADD_PASSKEY = """mutation ($id: String!, $credential: String!) {
  addPasskey(input: { challengeId: $id, credential: $credential, name: "SECRET" }) { passkey { id } } }"""


async def a_passkey(owner: Visitor) -> str:
    """The id of a passkey of the owner, who has just signed in."""
    begun = (await owner.data(BEGIN_PASSKEY))["beginPasskey"]
    credential = SoftAuthenticator().create(begun["options"])
    added = await owner.data(ADD_PASSKEY, {"id": begun["challengeId"], "credential": credential})
    return str(added["addPasskey"]["passkey"]["id"])


async def an_endpoint(owner: Visitor) -> dict[str, str]:
    """The ids of an endpoint of webhooks, whose address is nowhere, and of a message that waits for it."""
    create = "mutation ($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { webhookEndpoint { id } } }"
    given = {"url": "https://hooks.example/SECRET", "name": "SECRET", "kinds": ["WEIGHT_CHANGED"]}
    made = (await owner.data(create, {"input": given}))["createWebhookEndpoint"]["webhookEndpoint"]["id"]
    test = "mutation ($id: ID!) { sendTestWebhook(input: { id: $id }) { webhookDelivery { id } } }"
    sent = (await owner.data(test, {"id": made}))["sendTestWebhook"]["webhookDelivery"]["id"]
    return {"webhookEndpoint": made, "webhookDelivery": sent}


PLAN = """mutation($id: ID!, $from: LocalDate!) {
  applyMealPlan(input: { id: $id, from: $from }) { diaryDays { planned { id } } } }"""


async def planned_meal(owner: Visitor, plan_id: str) -> str:
    """The id of the plan's meal, planned for tomorrow."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    applied = await owner.data(PLAN, {"id": plan_id, "from": tomorrow})
    return str(applied["applyMealPlan"]["diaryDays"][0]["planned"][0]["id"])


async def newest_notification(owner: Visitor) -> str:
    """The id of the newest of those that the owner has."""
    listed = await owner.data("{ me { notifications(first: 1) { nodes { id } } } }")
    return str(listed["me"]["notifications"]["nodes"][0]["id"])


async def with_a_key(owner: Visitor, *scopes: str) -> Visitor:
    """A program that has a token for an API key of the owner with these scopes."""
    secret = (await owner.data(KEY, {"password": PASSWORD, "scopes": scopes}))["createApiKey"]["secret"]
    _, answer = await owner.stack.post({"query": EXCHANGE, "variables": {"key": secret}})
    return Visitor(owner.stack, owner.email, owner.id, answer["data"]["exchangeApiKey"]["accessToken"], "")


async def another_session(owner: Visitor) -> str:
    """The id of a session beside the one that asks."""
    await signed_in(owner)
    listed = await owner.data("{ me { sessions { nodes { id isCurrent } } } }")
    return next(each["id"] for each in listed["me"]["sessions"]["nodes"] if not each["isCurrent"])


async def signed_in(person: Visitor) -> Visitor:
    """The same person in a session of its own."""
    query = "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken } }"
    given = {"email": person.email, "password": PASSWORD}
    _, answer = await person.stack.post({"query": query, "variables": {"input": given}})
    tokens = answer["data"]["login"]
    return Visitor(person.stack, person.email, person.id, tokens["accessToken"], tokens["refreshToken"])
