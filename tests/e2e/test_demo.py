"""The demo front end in a browser: a day is written down, live on two devices, and over a network that comes and goes."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page, Route, WebSocketRoute, expect

from deploy.personal_data.listings import LISTINGS
from deploy.workbench import DEMO
from tests.e2e.test_export import exported, person_with_everything
from tests.e2e.test_import import imported
from tests.testkit.browser import watched_page
from tests.testkit.npm_clients import install_packages
from tests.testkit.running_stack import PASSWORD, RunningStack, Visitor, eventually
from tests.testkit.webhook_receiver import WebhookReceiver, webhook_receiver

GTIN = "04006381333931"
UNKNOWN_GTIN = "05000112548167"

CREATE_FOOD = "mutation($input: CreateFoodInput!) { createFood(input: $input) { food { id } userErrors { message } } }"
LOG_MEAL = "mutation($input: LogMealInput!) { logMeal(input: $input) { meal { id } userErrors { message } } }"
CREATE_GOAL = "mutation($input: CreateGoalInput!) { createGoal(input: $input) { goal { id } userErrors { message } } }"
PLAN_WORKOUT = "mutation ($input: PlanWorkoutInput!) { planWorkout(input: $input) { userErrors { code } } }"
CREATE_EXERCISE = "mutation($input: CreateExerciseInput!) { createExercise(input: $input) { exercise { id } } }"
DRINK = "mutation($input: LogWaterInput!) { logWater(input: $input) { userErrors { message } } }"
PUBLISH_FOOD = "mutation($input: PublishFoodInput!) { publishFood(input: $input) { userErrors { message } } }"
SET_TARGET = (
    "mutation($input: SetNutritionTargetInput!) { setNutritionTarget(input: $input) { userErrors { message } } }"
)
START_WORKOUT = "mutation($input: StartWorkoutInput!) { startWorkout(input: $input) { userErrors { message } } }"
LOGIN = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }"
DRINKS = "{ me { drinks(first: 10) { nodes { amountMl } } diaryDay { waterMl } } }"


def demo_of(stack: RunningStack) -> str:
    return stack.state.router_url.removesuffix("/graphql") + "/demo"


async def enter(page: Page, stack: RunningStack, visitor: Visitor) -> None:
    await page.goto(demo_of(stack))
    await page.fill('input[type="email"]', visitor.email)
    await page.fill('input[type="password"]', PASSWORD)
    await page.click('button:has-text("Sign in")')
    await expect(page.locator("h1")).to_contain_text("Today")


class Streams:
    """The subscriptions that a page begins, but for its head's; each can be ended, as it ends when the subgraph behind it dies."""

    def __init__(self) -> None:
        self.begun: list[tuple[WebSocketRoute, str]] = []

    def pass_on(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()

        def hand_over(message: str | bytes) -> None:
            told = json.loads(message)
            if told["type"] == "subscribe" and told["payload"]["operationName"] != "NotificationNews":
                self.begun.append((page, told["id"]))
            server.send(message)

        page.on_message(hand_over)

    async def end_the_last(self) -> None:
        page, operation = self.begun[-1]
        page.send(json.dumps({"type": "next", "id": operation, "payload": {"errors": [{"message": "It died."}]}}))
        page.send(json.dumps({"type": "complete", "id": operation}))

    async def are_begun(self, count: int) -> None:
        async def are() -> bool:
            return len(self.begun) >= count

        await eventually(are, seconds=60)


async def go(page: Page, name: str) -> None:
    await page.click(f'nav a:has-text("{name}")')
    await expect(page.locator("h1")).not_to_contain_text("Today")


def zone_of_another_day() -> str:
    """Where the calendar shows another day than UTC's: clocks are 14 hours ahead, or 12 behind."""
    return "Pacific/Kiritimati" if datetime.now(UTC).hour >= 12 else "Etc/GMT+12"


def zone_where_it_is_morning() -> str:
    """A zone whose clocks are between nine and ten."""
    ahead = (9 - datetime.now(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+}"


async def oats_of(visitor: Visitor) -> str:
    per_100 = {"energyKcal": 380, "proteinG": 13, "carbsG": 60, "fatG": 7}
    food = {"name": "Oats of the demo", "category": "GRAIN", "gtin": GTIN, "per100": per_100}
    created = await visitor.data(CREATE_FOOD, {"input": food})
    food_id: str = created["createFood"]["food"]["id"]
    return food_id


@pytest.mark.timeout(300)
async def test_a_day_is_written_down_and_follows_what_another_device_adds(stack: RunningStack) -> None:
    visitor = await stack.register(displayName="Demi")
    oats = await oats_of(visitor)
    streams = Streams()
    async with watched_page() as watched:
        page = watched.page
        await page.route_web_socket("**/graphql", streams.pass_on)
        await enter(page, stack, visitor)
        await page.click('button:has-text("Drink a glass")')
        await expect(page.get_by_test_id("water")).to_have_text("250")
        await streams.are_begun(1)
        await streams.end_the_last()
        await streams.are_begun(2)
        await visitor.data(DRINK, {"input": {"amountMl": 100}})
        await expect(page.get_by_test_id("water")).to_have_text("350")

        await go(page, "Diary")
        search = page.locator('input[type="search"]')
        await search.fill("oats of the demo")
        await page.click('.foods button:has-text("Oats of the demo")')
        await page.fill('input[type="number"]', "50")
        await page.click('button:has-text("Add 190 kcal")')
        await expect(page.get_by_test_id("total")).to_have_text("190")

        await search.fill(GTIN)
        await expect(page.locator('.foods button:has-text("Oats of the demo")')).to_be_visible()
        await search.fill(UNKNOWN_GTIN)
        await page.get_by_label("Name", exact=True).fill("Crackers of the demo")
        for label, value in (("kcal", "400"), ("Protein", "10"), ("Carbs", "70"), ("Fat", "9")):
            await page.fill(f'.fields label:has-text("{label}") input', value)
        await page.click('button:has-text("Save the food")')
        await expect(page.locator('.foods button:has-text("Crackers of the demo")')).to_be_visible()

        meal = {"slot": "DINNER", "items": [{"foodId": oats, "grams": 100}]}
        await visitor.data(LOG_MEAL, {"input": meal})
        await expect(page.get_by_test_id("total")).to_have_text("570")  # nothing was asked again
        dinner = page.locator(
            'section[aria-label="Dinner"] .meal', has_text="380 kcal"
        )  # what was added may be one too
        await dinner.locator('button:has-text("Remove")').click()
        await expect(page.get_by_test_id("total")).to_have_text("190")

        await visitor.data(CREATE_GOAL, {"input": {"kind": "WEIGHT_KG", "targetValue": 70, "startValue": 82}})
        await go(page, "Weight")
        await page.fill('input[type="number"]', "80")
        await page.click('button:has-text("Save")')
        await expect(page.locator(".weighing")).to_have_count(1)
        await expect(page.locator(".goal-name")).to_have_text("goal 70 kg")
        await expect(page.locator(".numbers")).to_contain_text("−10 kg")

        await go(page, "Week")
        days = page.get_by_role("region", name="Days").locator("tbody")
        await expect(days).to_contain_text("190")
        await visitor.data(LOG_MEAL, {"input": meal})
        await expect(days).to_contain_text("570")

        await page.click('button:has-text("Sign out")')
        await expect(page.locator('input[type="password"]')).to_be_visible()
        assert watched.complaints == []


SPOIL_THE_TOKEN = """() => {
  const session = JSON.parse(localStorage["fittracker.session"]);
  localStorage["fittracker.session"] = JSON.stringify({...session, accessToken: session.accessToken.slice(0, -6) + "AAAAAA"});
}"""
KEEP_WAITING = """([userId, amounts]) => localStorage["fittracker.outbox"] = JSON.stringify(amounts.map((amountMl, n) =>
  ({key: `kept-${n}`, userId, kind: "water", label: `${amountMl} ml`, input: {amountMl}})))"""


@pytest.mark.timeout(300)
async def test_what_is_written_reaches_the_graph_once_over_a_network_that_comes_and_goes(stack: RunningStack) -> None:
    visitor = await stack.register(displayName="Ofelia")
    async with watched_page() as watched:
        page = watched.page
        await enter(page, stack, visitor)
        await page.context.set_offline(True)
        await page.click('button:has-text("Drink a glass")')
        await page.click('button:has-text("Drink a glass")')
        await expect(page.locator(".waiting li")).to_have_count(2)
        await expect(page.locator(".offline")).to_contain_text("2 entries wait")
        await page.context.set_offline(False)
        await expect(page.get_by_test_id("water")).to_have_text("500")
        await expect(page.locator(".waiting")).to_have_count(0)

        # as after a night: the token is over, and two entries of a closed page still wait, one of them impossible
        await page.evaluate(SPOIL_THE_TOKEN)
        await page.evaluate(KEEP_WAITING, [visitor.id, [-5, 300]])
        await page.reload()
        await expect(page.get_by_test_id("water")).to_have_text("800")
        await expect(page.locator(".refused li")).to_contain_text("-5 ml")
        await page.click('button:has-text("Understood")')
        await expect(page.locator(".refused")).to_have_count(0)
        assert watched.complaints == []

        lost: list[str] = []

        async def lose_the_first_answer(route: Route) -> None:
            if lost or "LogWater" not in (route.request.post_data or ""):
                await route.continue_()
                return
            lost.append(await (await route.fetch()).text())
            await route.abort()

        await page.route("**/graphql", lose_the_first_answer)
        await page.click('button:has-text("Drink a glass")')
        await expect(page.get_by_test_id("water")).to_have_text("1,050")
        await expect(page.locator(".waiting")).to_have_count(0)
    assert "1050" in lost[0]  # it was done the first time
    told = await visitor.data(DRINKS)
    assert sorted(each["amountMl"] for each in told["me"]["drinks"]["nodes"]) == [250, 250, 250, 300]
    assert told["me"]["diaryDay"]["waterMl"] == 1050


@pytest.mark.timeout(300)
async def test_two_tabs_share_what_waits_and_who_is_signed_in(stack: RunningStack) -> None:
    visitor, other = await stack.register(displayName="Twotabs"), await stack.register(displayName="Nextone")
    await visitor.data(DRINK, {"input": {"amountMl": 700}})
    async with watched_page() as watched:
        first = watched.page
        await enter(first, stack, visitor)
        second = await watched.another_tab()
        await second.goto(demo_of(stack))
        await expect(second.get_by_test_id("water")).to_have_text("700")

        await first.context.set_offline(True)
        await first.click('button:has-text("Drink a glass")')
        for tab in (first, second):
            await expect(tab.locator(".offline")).to_contain_text("1 entry waits")
        await first.context.set_offline(False)
        for tab in (first, second):
            await expect(tab.locator(".waiting")).to_have_count(0)
            await expect(tab.get_by_test_id("water")).to_have_text("950")

        await first.click('button:has-text("Sign out")')
        for tab in (first, second):
            await expect(tab.locator('input[type="password"]')).to_be_visible()
            await expect(tab.locator(".who")).to_have_count(0)

        # whoever comes next is in both, and sees nothing of the one before
        await enter(second, stack, other)
        for tab in (first, second):
            await expect(tab.locator(".who")).to_have_text("Nextone")
            await expect(tab.get_by_test_id("water")).to_have_text("0")
        await other.data(DRINK, {"input": {"amountMl": 300}})
        for tab in (first, second):
            await expect(tab.get_by_test_id("water")).to_have_text("300")
        assert watched.complaints == []


@pytest.mark.timeout(300)
async def test_a_workout_stays_in_step_on_two_devices(stack: RunningStack) -> None:
    visitor = await stack.register(displayName="Tweedle")
    exercise = {"name": "Sled of the demo", "category": "STRENGTH", "tracking": "WEIGHT_REPS", "met": 5}
    await visitor.data(CREATE_EXERCISE, {"input": exercise})
    async with watched_page() as desk, watched_page(390, 844) as phone:
        for each in (desk, phone):
            await enter(each.page, stack, visitor)
            await go(each.page, "Workout")
        await desk.page.fill('input[maxlength="100"]', "Evening of the demo")
        await desk.page.click('button:has-text("Start")')
        for number, each in enumerate((desk, phone), 1):
            await expect(each.page.locator("h1")).to_contain_text("Evening of the demo")
            await each.page.fill('input[type="search"]', "sled of the demo")
            await each.page.click('.foods button:has-text("Sled of the demo")')
            await each.page.fill('label:has-text("Weight") input', str(40 * number))
            await each.page.click('button:has-text("Log the set")')
            for other in (desk, phone):
                await expect(other.page.get_by_test_id("sets")).to_have_text(str(number))
                await expect(other.page.locator("ol.lines")).to_contain_text(f"8 × {40 * number} kg")
        await desk.page.click('button:has-text("Rest 90 s")')
        for each in (desk, phone):
            await expect(each.page.locator('[role="timer"]')).to_contain_text("1:2")
        await phone.page.click('button:has-text("Skip")')
        for each in (desk, phone):
            await expect(each.page.locator('[role="timer"]')).to_have_count(0)
        for button, is_paused in (("Pause", True), ("Go on", False)):
            await desk.page.click(f'button:has-text("{button}")')
            for each in (desk, phone):
                await expect(each.page.locator("h1:has-text(', paused')")).to_have_count(int(is_paused))
        await phone.page.click('button:has-text("Finish the workout")')
        for each in (desk, phone):
            await expect(each.page.locator('section[aria-label="Workouts before"]')).to_contain_text("960 kg")
        day = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
        await visitor.data(PLAN_WORKOUT, {"input": {"date": day, "name": "Planned in the demo", "minutes": 45}})
        await desk.page.click('section[aria-label="Planned"] button:has-text("Begin")')
        for each in (desk, phone):
            await expect(each.page.locator("h1")).to_contain_text("Planned in the demo")
            assert each.complaints == []


@pytest.mark.timeout(300)
async def test_what_is_added_in_the_morning_to_the_day_after_yesterday_is_eaten_now(stack: RunningStack) -> None:
    """Another day's meals are of its noon, which has not come yet on the day that the arrows lead back to."""
    zone = zone_where_it_is_morning()
    visitor = await stack.register()
    settings = "mutation($zone: TimeZone!) { updateSettings(input: { timeZone: $zone }) { userErrors { code } } }"
    await visitor.data(settings, {"zone": zone})
    oats = await oats_of(visitor)
    async with watched_page(zone=zone) as watched:
        page = watched.page
        await enter(page, stack, visitor)
        await go(page, "Diary")
        today = await page.locator("h1 small").inner_text()
        await page.click('[aria-label="The day before"]')
        await expect(page.locator("h1 small")).not_to_have_text(today)
        await page.click('[aria-label="The day after"]')
        await expect(page.locator("h1 small")).to_have_text(today)
        await page.locator('input[type="search"]').fill("oats of the demo")
        await page.click('.foods button:has-text("Oats of the demo")')
        await page.fill('input[type="number"]', "50")
        await page.click('button:has-text("Add 190 kcal")')
        await expect(page.get_by_test_id("total")).to_have_text("190")
        assert watched.complaints == []
    told = await visitor.data("{ me { diaryDay { meals { at items { food { id } } } } } }")
    (meal,) = told["me"]["diaryDay"]["meals"]
    assert (meal["items"], datetime.fromisoformat(meal["at"]) <= datetime.now(UTC)) == ([{"food": {"id": oats}}], True)


@pytest.mark.timeout(300)
async def test_a_bell_says_how_many_notifications_are_unread(stack: RunningStack) -> None:
    visitor = await stack.register()
    async with watched_page() as watched:
        page = watched.page
        await enter(page, stack, visitor)
        login = {"email": visitor.email, "password": PASSWORD, "deviceName": "Lost phone"}
        await stack.post({"query": LOGIN, "variables": {"input": login}})
        await expect(page.get_by_test_id("unread")).to_have_text("1")
        await page.click(".bell")
        await expect(page.locator(".told .unread")).to_contain_text("on a device called Lost phone")

        is_deleted = asyncio.Event()
        held: list[str] = []

        async def hold_what_was_asked_before(route: Route) -> None:
            asked = route.request.post_data_json["operationName"]
            if asked == "Notifications" and not held:
                answer = await route.fetch()
                held.append(await answer.text())
                await is_deleted.wait()
                await route.fulfill(response=answer)
            elif asked == "DeleteNotification":
                await route.fulfill(response=await route.fetch())
                is_deleted.set()
            else:
                await route.continue_()

        await page.route("**/graphql", hold_what_was_asked_before)
        await page.click('button:has-text("Mark all as read")')
        await expect(page.get_by_test_id("unread")).to_have_count(0)
        await page.click('button[aria-label^="Delete"]')
        await expect(page.locator(".told li")).to_have_count(0)
        assert "Lost phone" in held[0]
        assert await watched.serious_findings() == []
        assert watched.complaints == []


async def test_a_person_saves_all_that_the_command_exports_and_takes_it_into_another_account(
    stack: RunningStack, tmp_path: Path
) -> None:
    person, _ = await person_with_everything(stack)
    saved = tmp_path / "saved.zip"
    asked: list[str] = []
    begun: list[bool] = []

    async def lose_one(route: Route) -> None:
        sent = json.loads(route.request.post_data or "{}")
        operation = sent.get("operationName", "")
        asked.append(operation)
        if operation == "BeginExport":
            begun.append(sent["variables"]["input"]["isContinued"])
            if len(begun) == 1:
                refused = {"data": {"beginExport": {"userErrors": [{"message": "Not today."}]}}}
                await route.fulfill(json=refused)
                return
        await (route.abort() if operation == "ExportMeals" and asked.count(operation) == 1 else route.continue_())

    async with watched_page() as watched:
        page = watched.page
        await enter(page, stack, person)
        await page.click('header a:has-text("A Person")')
        await expect(page.locator("h1")).to_contain_text("Settings")
        await expect(page.locator('section[aria-label="Account"]')).to_contain_text(person.email)
        assert await watched.serious_findings() == []
        assert watched.complaints == []
        await page.route("**/graphql", lose_one)
        await page.click('button:has-text("Export my data")')
        await expect(page.locator(".export")).to_contain_text("It stopped (Not today.)")
        assert "ExportMeals" not in asked
        await page.click('button:has-text("Go on")')
        await expect(page.locator(".export")).to_contain_text(re.compile(r"It stopped \((?!Not today)"))
        async with page.expect_download() as download:
            await page.click('button:has-text("Go on")')
        await (await download.value).save_as(saved)
        await expect(page.locator(".export")).to_contain_text("Saved")
    assert (asked.count("ExportFoods"), asked.count("ExportMeals")) == (1, 2)
    assert begun == [False, False, True]
    by_command = await exported(person, tmp_path / "command")
    with ZipFile(saved) as archive:
        found = {
            each.name: [json.loads(line) for line in archive.read(f"{each.name}.jsonl").splitlines()]
            for each in LISTINGS
        }
    # the command has a session of its own, of which the person is notified
    news = [each for each in by_command["notifications"] if each["detail"] != "fittracker export"]
    assert len(news) == len(by_command["notifications"]) - 1
    for name in {each.name for each in LISTINGS} - {"sessions", "notifications"}:
        assert found[name] == by_command[name], name
    assert found["notifications"] == news
    other = await stack.register()
    await imported(saved, other)
    meals = await other.data("{ me { meals { nodes { quickAdds { name } } } } }")
    assert "SECRET cake" in json.dumps(meals)


async def test_a_passkey_is_added_in_the_settings_and_signs_in(stack: RunningStack) -> None:
    person = await stack.register()
    async with watched_page() as watched:
        page = watched.page
        browser = await page.context.new_cdp_session(page)
        await browser.send("WebAuthn.enable")
        keeper = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        options = keeper | {"isUserVerified": True, "automaticPresenceSimulation": True}
        made = await browser.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        await page.goto(demo_of(stack).replace("127.0.0.1", "localhost"))
        await page.fill('input[type="email"]', person.email)
        await page.fill('input[type="password"]', PASSWORD)
        await page.click('button:has-text("Sign in")')
        await page.click('header a:has-text("A Person")')
        card = page.locator('section[aria-label="Passkeys"]')
        await card.locator("input").fill("This laptop")
        await card.locator('button:has-text("Add a passkey")').click()
        await expect(card.locator("li")).to_contain_text("This laptop")
        kept = await browser.send("WebAuthn.getCredentials", {"authenticatorId": made["authenticatorId"]})
        assert [(each["rpId"], each["isResidentCredential"]) for each in kept["credentials"]] == [("localhost", True)]

        await page.click('header button:has-text("Sign out")')
        await page.click('button:has-text("Use a passkey")')
        await expect(card.locator("li")).to_contain_text("used ")
        page.on("dialog", lambda dialog: dialog.accept())
        await card.locator('button:has-text("Remove")').click()
        await expect(card.locator("li")).to_have_count(0)
        await page.click('header button:has-text("Sign out")')
        await page.click('button:has-text("Use a passkey")')
        await expect(page.locator('[role="alert"]')).to_contain_text("The passkey does not hold.")
        assert watched.complaints == []
    used = "{ me { sessions { nodes { usedPasskey } } passkeys { name } } }"
    assert (await person.data(used))["me"]["passkeys"] == []


async def test_a_food_warns_of_what_its_eater_avoids(stack: RunningStack) -> None:
    person = await stack.register()
    per_100 = {"energyKcal": 500, "proteinG": 8, "carbsG": 60, "fatG": 25}
    label = {"contains": ["PEANUTS"]}
    wafer = {"name": "Wafer of the demo", "category": "SWEET", "per100": per_100, "declared": label}
    await person.data(
        "mutation ($input: CreateFoodInput!) { createFood(input: $input) { food { id } } }", {"input": wafer}
    )
    async with watched_page() as watched:
        page = watched.page
        await enter(page, stack, person)
        found = page.locator('.foods button:has-text("Wafer of the demo")')
        await go(page, "Diary")
        await page.locator('input[type="search"]').fill("wafer of the demo")
        await expect(found).to_be_visible()
        await expect(found.locator(".warning")).to_have_count(0)

        await page.click('header a:has-text("A Person")')
        card = page.locator('section[aria-label="What you avoid"]')
        await card.get_by_label("Peanuts").check()
        await card.get_by_label("Diet").select_option("VEGAN")
        await card.locator('button:has-text("Save")').click()
        await expect(card.locator('[role="status"]')).to_have_text("Saved.")
        await go(page, "Diary")
        await page.locator('input[type="search"]').fill("wafer of the demo")
        await expect(found.locator(".warning")).to_have_text("contains peanuts")
        assert watched.complaints == []
    chosen = await person.data("{ me { dietaryPreferences { avoid diet } } }")
    assert chosen["me"]["dietaryPreferences"] == {"avoid": ["PEANUTS"], "diet": "VEGAN"}


async def test_a_food_of_somebody_else_is_copied_and_a_day_of_training_has_its_target(stack: RunningStack) -> None:
    maker, eater = await stack.register(displayName="Ines of the demo"), await stack.register()
    per_100 = {"energyKcal": 250, "proteinG": 8, "carbsG": 40, "fatG": 6}
    dumplings = {"name": "Dumplings of the demo", "category": "OTHER", "per100": per_100}
    created = await maker.data(CREATE_FOOD, {"input": dumplings})
    shown = {"foodId": created["createFood"]["food"]["id"], "audience": "EVERYBODY", "showsAuthor": True}
    await maker.data(PUBLISH_FOOD, {"input": shown})
    await eater.data(SET_TARGET, {"input": {"energyKcal": 2000, "trainingDay": {"energyKcal": 2400}}})
    await eater.data(START_WORKOUT, {"input": {"name": "Lift"}})

    async def is_trained() -> bool:
        target = (await eater.data("{ me { diaryDay { target { basis } } } }"))["me"]["diaryDay"]["target"]
        return bool(target["basis"] == "TRAINING_DAY")

    await eventually(is_trained)
    async with watched_page() as watched:
        page = watched.page
        await enter(page, stack, eater)
        energy = page.locator('section[aria-label="Energy"]')
        await expect(energy).to_contain_text("of 2,400 kcal")
        await expect(energy.locator(".basis")).to_have_text("Target of a training day")
        await go(page, "Diary")
        await expect(page.locator(".basis")).to_have_text("Target of a training day")
        await page.locator('input[type="search"]').fill("dumplings of the demo")
        shared = page.locator('ul[aria-label="Shared foods"] button')
        await expect(shared).to_contain_text("by Ines of the demo")
        await shared.click()
        await page.fill('.amount input[type="number"]', "200")
        await page.click('button:has-text("Add 500 kcal")')
        await expect(page.get_by_test_id("total")).to_have_text("500")
        assert watched.complaints == []
    mine = await eater.data('{ foods(search: "dumplings of the demo", first: 1) { nodes { name isOwn } } }')
    assert mine["foods"]["nodes"] == [{"name": "Dumplings of the demo", "isOwn": True}]


@pytest.mark.timeout(300)
async def test_a_coach_is_invited_sees_the_days_and_plans_until_the_client_takes_it_back(stack: RunningStack) -> None:
    client, coach = await stack.register(displayName="Cora Client"), await stack.register(displayName="Coby Coach")
    meal = {"slot": "LUNCH", "quickAdds": [{"energyKcal": 640}]}
    await client.data(LOG_MEAL, {"input": meal})
    elsewhere = zone_of_another_day()
    tomorrow = datetime.now(ZoneInfo(elsewhere)) + timedelta(days=1)
    async with watched_page() as desk, watched_page(390, 844, "dark", elsewhere) as phone:
        for each, person in ((desk, client), (phone, coach)):
            each.page.on("dialog", lambda dialog: dialog.accept())
            await enter(each.page, stack, person)
            await go(each.page, "Coaching")
        for plan in ("Meals", "Training"):
            await desk.page.get_by_role("group", name="May plan for you").get_by_label(plan).check()
        await desk.page.click('button:has-text("Invite")')
        code = await desk.page.get_by_test_id("code").inner_text()
        await phone.page.get_by_label("Code", exact=True).fill(code)
        await phone.page.click('button:has-text("Accept the invitation")')
        await phone.page.click('section[aria-label="Clients"] a:has-text("Cora Client")')
        await expect(phone.page.locator("h1")).to_contain_text("Cora Client")
        await expect(phone.page.locator('section[aria-label="Diary"]')).to_contain_text("640 kcal")
        await expect(phone.page.locator('section[aria-label="Days"] tbody')).to_contain_text("640")

        training = phone.page.locator('section[aria-label="Training"]')
        await training.get_by_label("What").fill("Legs by the coach")
        await training.locator('button:has-text("Plan the workout")').click()
        await expect(training.locator("li")).to_contain_text("Legs by the coach")
        meals = phone.page.locator('section[aria-label="Meal plans"]')
        await meals.get_by_label("Name").fill("Training day")
        await meals.get_by_label("Breakfast, kcal").fill("555")
        await meals.locator('button:has-text("Plan the meals")').click()
        await expect(meals.get_by_role("status")).to_contain_text("Training day is planned for")
        await expect(meals.locator("li")).to_contain_text("555 kcal")
        assert await phone.serious_findings() == []

        await desk.page.reload()
        readers = desk.page.locator('section[aria-label="Readers"]')
        await expect(readers).to_contain_text("Coby Coach")
        await expect(readers).to_contain_text("plans meals, training")
        written = desk.page.locator('section[aria-label="Planned for you"]')
        await expect(written.locator("li")).to_have_count(3)  # the workout, the plan of meals, and its days
        await expect(written).to_contain_text("Coby Coach")
        assert await desk.serious_findings() == []
        await readers.locator('button:has-text("Revoke")').click()
        await expect(readers).to_contain_text("Nobody.")
        await phone.page.reload()
        await expect(phone.page.locator("main")).to_contain_text("This person lets you read nothing.")
        assert (desk.complaints, [each for each in phone.complaints if "403" not in each]) == ([], [])
    planned = "query ($date: LocalDate!) { me { plannedWorkouts { nodes { name authorId } } diaryDay(date: $date) { planned { authorId } } } }"
    told = (await client.data(planned, {"date": tomorrow.date().isoformat()}))["me"]
    assert told["plannedWorkouts"]["nodes"] == [{"name": "Legs by the coach", "authorId": coach.id}]
    assert told["diaryDay"]["planned"] == [{"authorId": coach.id}]


@pytest.mark.timeout(300)
async def test_a_webhook_is_registered_tried_switched_on_again_and_removed(stack: RunningStack) -> None:
    person = await stack.register()
    async with webhook_receiver() as receiver, watched_page() as watched:
        page = watched.page
        page.on("dialog", lambda dialog: dialog.accept())
        await enter(page, stack, person)
        await page.click('header a:has-text("A Person")')
        await page.click('a:has-text("Endpoints and what was sent")')
        form = page.locator('form[aria-label="Register"]')
        await form.get_by_label("Name").fill("Own server")
        await form.get_by_label("Address").fill("https://169.254.169.254/")
        await form.locator('button:has-text("Register")').click()
        await expect(form.get_by_role("alert")).to_be_visible()
        await form.get_by_label("Address").fill(receiver.url)
        await form.locator('button:has-text("Register")').click()
        await expect(page.get_by_test_id("secret")).to_contain_text("whsec_")
        first = await page.get_by_test_id("secret").inner_text()
        endpoint = page.locator('section[aria-label="Own server"]')
        await endpoint.locator('button:has-text("Send a test")').click()
        await expect(endpoint.locator("li")).to_contain_text("delivered, 204")
        await endpoint.locator('button:has-text("New secret")').click()
        await expect(page.get_by_test_id("secret")).not_to_have_text(first)
        await page.click('button:has-text("I have it")')
        await expect(page.get_by_test_id("secret")).to_have_count(0)
        await endpoint.locator('button:has-text("Switch off")').click()
        await expect(endpoint.locator("h2")).to_contain_text("off: switched off")
        await endpoint.locator('button:has-text("Switch on again")').click()
        await endpoint.locator('li button:has-text("Again")').click()
        await eventually(lambda: _has_come(receiver, 2))
        assert await watched.serious_findings() == []
        await endpoint.locator('button:has-text("Remove")').click()
        await expect(endpoint).to_have_count(0)
        assert watched.complaints == []


async def _has_come(receiver: WebhookReceiver, count: int) -> bool:
    return len(receiver.received) >= count


async def test_reminders_of_workouts_are_set_and_shown_by_the_person_s_clock(stack: RunningStack) -> None:
    person = await stack.register()
    await person.data('mutation { updateSettings(input: { timeZone: "Asia/Tokyo" }) { userErrors { code } } }')
    plan = "mutation ($input: PlanWorkoutInput!) { planWorkout(input: $input) { plannedWorkout { id } } }"
    day = datetime.now(UTC).date() + timedelta(days=30)
    await person.data(plan, {"input": {"date": day.isoformat(), "name": "Legs", "timeOfDay": "18:00"}})
    legs = f"Legs, {day:%A}, {day:%B} {day.day} 18:00: at"
    shown = "{ me { workoutReminders { at } } }"

    async def is_ahead() -> bool:
        return bool((await person.data(shown))["me"]["workoutReminders"])

    await eventually(is_ahead)
    async with watched_page() as watched:
        page = watched.page
        await enter(page, stack, person)
        await page.click('header a:has-text("A Person")')
        card = page.locator('section[aria-label="Reminders of workouts"]')
        await expect(card.locator("li")).to_have_text(f"{legs} 17:30")
        await card.get_by_label("Minutes before its time").fill("45")
        await card.locator('button:has-text("Save")').click()
        await expect(card.locator('[role="status"]')).to_have_text("Saved.")
        await expect(card.locator("li")).to_have_text(f"{legs} 17:15")
        await card.get_by_label("Minutes before its time").fill("")
        await card.locator('button:has-text("Save")').click()
        await expect(card.locator("li")).to_have_count(0)
        assert watched.complaints == []


@pytest.mark.timeout(400)
async def test_what_is_served_is_what_the_sources_give(tmp_path: Path) -> None:
    directory = DEMO.parent
    await asyncio.to_thread(install_packages, directory, "the build of the demo")
    for command in (["npm", "run", "check"], ["node", "build.mjs", str(tmp_path)]):
        built = await asyncio.to_thread(subprocess.run, command, cwd=directory, capture_output=True, check=False)
        assert built.returncode == 0, built.stdout.decode() + built.stderr.decode()
    assert _contents(DEMO) == _contents(tmp_path), "run `npm run build` in deploy/demo and commit built/"


def _contents(folder: Path) -> dict[str, bytes]:
    """By name, as browsers get them: another zlib may compress otherwise."""
    return {
        file.name: gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        for file in folder.iterdir()
    }
