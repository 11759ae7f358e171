"""Foods shown to others: to readers by a grant or to everybody, what is shown of them, copied, reported, withdrawn, gone with their author."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.nutrition import FoodModerated
from events.contracts.users import StatusChanged, UserErased, UserRegistered
from events.envelope import Aggregate, Envelope, Payload, encode_payload
from subgraphs.nutrition.commands import published_food as commands
from subgraphs.nutrition.projections.person import project_people
from subgraphs.shell import publication_reports
from subgraphs.shell.context import utc_now
from subgraphs.shell.publication import REPORTS_THAT_HIDE
from tests.integration.subgraphs.nutrition.conftest import events_of, tell_settings
from tests.testkit.subgraph import SubgraphUnderTest, codes_of

_numbers = count(1)
PER_100 = {"energyKcal": 400, "proteinG": 20, "carbsG": 40, "fatG": 15}
CREATE = (
    "mutation ($input: CreateFoodInput!) { it: createFood(input: $input) { food { id } userErrors { code field } } }"
)
UPDATE = (
    "mutation ($input: UpdateFoodInput!) { it: updateFood(input: $input) { food { version } userErrors { code } } }"
)
RECIPE = "mutation ($input: CreateRecipeInput!) { it: createRecipe(input: $input) { food { id } userErrors { code field } } }"
PUBLISH = """mutation ($input: PublishFoodInput!) { it: publishFood(input: $input) {
  food { visibility published { id name foodVersion } } userErrors { code field } } }"""
UNPUBLISH = """mutation ($input: UnpublishFoodInput!) { it: unpublishFood(input: $input) {
  food { visibility published { id } } userErrors { code } } }"""
COPY = """mutation ($input: CopyPublishedFoodInput!) { it: copyPublishedFood(input: $input) {
  food { id name brand gtin source isOwn visibility per100 { energyKcal } portions { label grams } declared { contains }
    recipe { servings instructions ingredients { foodName grams } } } userErrors { code field } } }"""
REPORT = "mutation ($input: ReportFoodInput!) { it: reportFood(input: $input) { userErrors { code field } } }"
MODERATE = "mutation ($input: ModerateFoodInput!) { it: moderateFood(input: $input) { publishedFood { id } userErrors { code field } } }"
SHOWN = """query ($id: ID!) { publishedFood(id: $id) { name brand gtin category audience authorName per100 { energyKcal proteinG }
  portions { label grams } declared { contains freeFrom } recipe { servings instructions ingredients { name grams food { id } } } } }"""
LIST = """query ($search: String, $category: FoodCategory, $gtin: String, $isRecipe: Boolean, $first: Int, $after: String) {
  publicFoods(search: $search, category: $category, gtin: $gtin, isRecipe: $isRecipe, first: $first, after: $after) {
    totalCount nodes { id name } pageInfo { hasNextPage endCursor } } }"""
OF_USER = """query ($id: ID!) { _entities(representations: [{ __typename: "User", id: $id }]) {
  ... on User { publishedFoods { nodes { id } } } } }"""
REPORTED = (
    "{ reportedFoods(first: 100) { nodes { authorId isHidden isWithdrawn food { id } reasons { reason times } } } }"
)
CHANGES = """query ($id: ID!, $since: String) { _entities(representations: [{ __typename: "User", id: $id }]) {
  ... on User { diaryChanges(since: $since) { token changes { isDeleted entity { ... on Food { visibility } } } } } } }"""
GRANT = text(
    "INSERT INTO access_grant (id, owner_id, reader_id, relation, areas, granted_at, expires_at, plans)"
    " VALUES (:id, :owner, :reader, 'FAMILY', '{DIARY}', now(), now() + interval '1 day', '{}')"
)


@pytest.fixture
async def author(nutrition: SubgraphUnderTest) -> str:
    """Somebody of whom nutrition has heard."""
    person = f"author-{next(_numbers)}"
    await tell_settings(nutrition, person, "UTC", name=f"Display of {person}")
    return person


async def told(nutrition: SubgraphUnderTest, operation: str, person: str, **given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await nutrition.data(operation, person, {"input": given}))["it"]
    return answer


async def made(nutrition: SubgraphUnderTest, person: str, **changes: Any) -> str:
    """The id of a food of the person."""
    given = {
        "name": "Walnut bar",
        "category": "SNACK",
        "brand": "Own kitchen",
        "gtin": "96385074",
        "per100": PER_100,
        "portions": [{"label": "bar", "grams": 45}],
        "declared": {"contains": ["NUTS"]},
    }
    answer = await told(nutrition, CREATE, person, **(given | changes))
    return str(answer["food"]["id"])


async def published(nutrition: SubgraphUnderTest, person: str, food: str, **more: Any) -> str:
    """The id under which a food of the person is shown, to everybody unless told otherwise."""
    answer = await told(nutrition, PUBLISH, person, **({"foodId": food, "audience": "EVERYBODY"} | more))
    return str(answer["food"]["published"]["id"])


async def shown(nutrition: SubgraphUnderTest, public: str, viewer: str = "stranger") -> dict[str, Any] | None:
    answer: dict[str, Any] | None = (await nutrition.data(SHOWN, viewer, {"id": public}))["publishedFood"]
    return answer


async def is_public(nutrition: SubgraphUnderTest, public: str) -> bool:
    one = await shown(nutrition, public) is not None
    listed = (await nutrition.data(LIST, "stranger", {"first": 100}))["publicFoods"]["nodes"]
    assert (public in {each["id"] for each in listed}) == one
    return one


async def tell(nutrition: SubgraphUnderTest, person: str, payload: Payload, version: int) -> None:
    """Hand an event of users to the projection."""
    now = utc_now()
    envelope = Envelope(
        event_id=f"{person}-{version}",
        type=type(payload).__name__,
        schema_version=1,
        aggregate=Aggregate("user", person, version),
        user_id=person,
        occurred_at=now,
        recorded_at=now,
        payload=encode_payload(payload),
    )
    async with nutrition.database.transaction() as connection:
        await project_people(connection, [envelope])


async def test_everybody_sees_what_was_published_and_nothing_of_whose_it_is(
    nutrition: SubgraphUnderTest, author: str
) -> None:
    food = await made(nutrition, author)
    public = await published(nutrition, author, food, expectedVersion=1)
    seen = await shown(nutrition, public)
    assert seen == {
        "name": "Walnut bar",
        "brand": "Own kitchen",
        "gtin": "00000096385074",
        "category": "SNACK",
        "audience": "EVERYBODY",
        "authorName": None,
        "per100": {"energyKcal": 400.0, "proteinG": 20.0},
        "portions": [{"label": "bar", "grams": 45.0}],
        "declared": {"contains": ["NUTS"], "freeFrom": []},
        "recipe": None,
    }
    assert author not in str(seen), "neither the name nor the id"
    assert await nutrition.codes(SHOWN, None, {"id": public}) == ["UNAUTHENTICATED"]
    assert (await nutrition.data("query ($id: ID!) { food(id: $id) { id } }", "stranger", {"id": food}))["food"] is None
    assert await published(nutrition, author, food, showsAuthor=True) == public
    seen = await shown(nutrition, public)
    assert seen is not None
    assert seen["authorName"] == f"Display of {author}"


async def test_public_foods_are_a_list_of_their_own_and_no_search_of_the_catalogue_finds_them(
    nutrition: SubgraphUnderTest, author: str
) -> None:
    foods = [await made(nutrition, author, name=f"Quetzal crackers {n}", gtin=None) for n in range(3)]
    ids = [await published(nutrition, author, each) for each in foods]
    found = await nutrition.data('{ foods(search: "quetzal crackers") { nodes { id } } }', "stranger")
    assert found["foods"]["nodes"] == []
    wanted = {"search": "Crackers  QUETZAL", "category": "SNACK", "isRecipe": False, "first": 2}
    first = (await nutrition.data(LIST, "stranger", wanted))["publicFoods"]
    assert ([each["id"] for each in first["nodes"]], first["totalCount"]) == (ids[:0:-1], None)
    rest = (await nutrition.data(LIST, "stranger", {**wanted, "after": first["pageInfo"]["endCursor"]}))["publicFoods"]
    assert ([each["id"] for each in rest["nodes"]], rest["pageInfo"]["hasNextPage"]) == (ids[:1], False)
    for other in ({"category": "FRUIT"}, {"isRecipe": True}, {"gtin": "4006381333931"}):
        assert (await nutrition.data(LIST, "stranger", wanted | other))["publicFoods"]["nodes"] == []
    for refused in ({"search": " - "}, {"search": "a b c d e f g h i"}, {"gtin": "12345"}):
        assert await nutrition.codes(LIST, "stranger", refused) == ["VALIDATION_ERROR"]


async def test_what_is_shown_to_readers_is_shown_to_whoever_has_a_grant_and_to_nobody_else(
    nutrition: SubgraphUnderTest, author: str
) -> None:
    reader = f"{author}-reader"
    async with nutrition.database.transaction() as connection:
        await connection.execute(GRANT, {"id": f"grant-{author}", "owner": author, "reader": reader})
    food = await made(nutrition, author)
    public = await published(nutrition, author, food, audience="READERS")
    assert not await is_public(nutrition, public)
    assert await nutrition.codes(OF_USER, "stranger", {"id": author}) == ["FORBIDDEN"]
    for refused in (COPY, REPORT):
        given = {"publishedFoodId": public} | ({"reason": "SPAM"} if refused is REPORT else {})
        assert await nutrition.codes(refused, "stranger", {"input": given}) == ["NOT_FOUND"]
    for viewer in (author, reader):
        assert (await shown(nutrition, public, viewer) or {})["audience"] == "READERS"
        listed = (await nutrition.data(OF_USER, viewer, {"id": author}))["_entities"][0]["publishedFoods"]["nodes"]
        assert listed == [{"id": public}]
    copied = (await told(nutrition, COPY, reader, publishedFoodId=public))["food"]
    assert (copied["name"], copied["isOwn"]) == ("Walnut bar", True)
    async with nutrition.database.transaction() as connection:
        await connection.execute(text("DELETE FROM access_grant WHERE id = :id"), {"id": f"grant-{author}"})
    assert await shown(nutrition, public, reader) is None
    assert await published(nutrition, author, food) == public, "the same, to everybody"
    assert await is_public(nutrition, public)


async def test_a_copy_and_what_was_logged_of_it_stay_whatever_its_author_does(
    nutrition: SubgraphUnderTest, author: str
) -> None:
    food, eater = await made(nutrition, author), f"{author}-eater"
    public = await published(nutrition, author, food)
    given = {"publishedFoodId": public, "name": "My bar", "idempotencyKey": "once"}
    copied = (await told(nutrition, COPY, eater, **given))["food"]
    assert copied == {
        "id": copied["id"],
        "name": "My bar",
        "brand": "Own kitchen",
        "gtin": None,
        "source": "USER",
        "isOwn": True,
        "visibility": "PRIVATE",
        "per100": {"energyKcal": 400.0},
        "portions": [{"label": "bar", "grams": 45.0}],
        "declared": {"contains": ["NUTS"]},
        "recipe": None,
    }
    log = """mutation ($food: ID!) { logMeal(input: { slot: SNACK, items: [{ foodId: $food, portion: "bar", quantity: 2 }] }) {
      meal { id totals { energyKcal } } userErrors { message } } }"""
    meal = (await nutrition.data(log, eater, {"food": copied["id"]}))["logMeal"]["meal"]
    assert meal["totals"] == {"energyKcal": 360.0}

    other = {**PER_100, "energyKcal": 420}
    await told(nutrition, UPDATE, author, id=food, name="Another bar", per100=other)
    assert (await shown(nutrition, public) or {})["name"] == "Walnut bar", "before it is published again"
    again = await told(nutrition, PUBLISH, author, foodId=food, audience="EVERYBODY")
    assert again["food"]["published"] == {"id": public, "name": "Another bar", "foodVersion": 2}
    assert (await told(nutrition, UNPUBLISH, author, foodId=food))["food"] == {
        "visibility": "PRIVATE",
        "published": None,
    }
    assert (await told(nutrition, COPY, eater, **given))["food"] == copied
    kept = "query ($id: ID!) { meal(id: $id) { totals { energyKcal } items { food { name per100 { energyKcal } } } } }"
    assert (await nutrition.data(kept, eater, {"id": meal["id"]}))["meal"] == {
        "totals": {"energyKcal": 360.0},
        "items": [{"food": {"name": "My bar", "per100": {"energyKcal": 400.0}}}],
    }
    del given["idempotencyKey"]
    assert await nutrition.codes(COPY, eater, {"input": given}) == ["NOT_FOUND"]


async def test_a_recipe_is_copied_as_one_where_the_catalogue_has_all_that_is_in_it(
    nutrition: SubgraphUnderTest, author: str
) -> None:
    bar = await made(nutrition, author, gtin=None)
    for parts, becomes in ((["oats", "milk"], "RECIPE"), (["oats", bar], "USER")):
        recipe = await told(
            nutrition,
            RECIPE,
            author,
            name="Porridge",
            servings=2,
            yieldGrams=300,
            instructions="Stir.",
            ingredients=[{"foodId": each, "grams": 100} for each in parts],
        )
        public = await published(nutrition, author, recipe["food"]["id"])
        seen = (await shown(nutrition, public) or {})["recipe"]
        assert (seen["servings"], seen["instructions"]) == (2.0, "Stir.")
        assert [each["food"] for each in seen["ingredients"]] == [
            None if each == bar else {"id": each} for each in parts
        ]
        copied = (await told(nutrition, COPY, "cook", publishedFoodId=public))["food"]
        assert (copied["source"], copied["portions"]) == (becomes, [{"label": "serving", "grams": 150.0}])
        if becomes == "RECIPE":
            assert copied["recipe"] == {
                "servings": 2.0,
                "instructions": "Stir.",
                "ingredients": [
                    {"foodName": "Rolled oats", "grams": 100.0},
                    {"foodName": "Milk, 2 %", "grams": 100.0},
                ],
            }


async def test_only_its_person_publishes_and_so_many_and_no_more(
    nutrition: SubgraphUnderTest, author: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MOST_PUBLISHED", 1)
    first, second = await made(nutrition, author, gtin=None), await made(nutrition, author, gtin=None)
    for food in (first, "oats"):
        given = {"input": {"foodId": food, "audience": "EVERYBODY"}}
        assert await nutrition.codes(PUBLISH, "stranger", given) == ["NOT_FOUND"]
    assert await nutrition.codes(UNPUBLISH, "stranger", {"input": {"foodId": first}}) == ["NOT_FOUND"]
    stale = {"input": {"foodId": first, "audience": "READERS", "expectedVersion": 9}}
    assert await nutrition.codes(PUBLISH, author, stale) == ["STALE_VERSION"]
    public = await published(nutrition, author, first)
    too_many = {"input": {"foodId": second, "audience": "READERS"}}
    assert await nutrition.codes(PUBLISH, author, too_many) == ["CONFLICT"]
    await nutrition.data("mutation ($id: ID!) { deleteFood(input: { id: $id }) { deletedId } }", author, {"id": first})
    assert not await is_public(nutrition, public), "a deleted food is shown to nobody"
    assert await is_public(nutrition, await published(nutrition, author, second))


async def test_what_enough_people_report_is_hidden_until_an_administrator_decides(
    nutrition: SubgraphUnderTest, author: str
) -> None:
    food = await made(nutrition, author)
    public = await published(nutrition, author, food)
    own = {"input": {"publishedFoodId": public, "reason": "SPAM"}}
    assert await nutrition.codes(REPORT, author, own) == ["CONFLICT"]
    for number in range(REPORTS_THAT_HIDE):
        assert await is_public(nutrition, public)
        await tell_settings(nutrition, f"{author}-{number}", "UTC")
        for reason in ("DANGEROUS",) if number else ("SPAM", "DANGEROUS"):  # of one person the latest counts, once
            await told(nutrition, REPORT, f"{author}-{number}", publishedFoodId=public, reason=reason)
    assert not await is_public(nutrition, public)
    mine = "query ($id: ID!) { food(id: $id) { visibility published { id } } }"
    assert (await nutrition.data(mine, author, {"id": food}))["food"] == {
        "visibility": "HIDDEN",
        "published": {"id": public},
    }
    assert await nutrition.codes(REPORTED, author) == ["FORBIDDEN"]
    reported = (await nutrition.data(REPORTED, "boss", roles=("ADMIN",)))["reportedFoods"]["nodes"]
    assert {
        "authorId": author,
        "isHidden": True,
        "isWithdrawn": False,
        "food": {"id": public},
        "reasons": [{"reason": "DANGEROUS", "times": REPORTS_THAT_HIDE}],
    } in reported

    decision = {"publishedFoodId": public, "decision": "KEEP", "reason": "Nothing wrong with it"}
    assert await nutrition.codes(MODERATE, author, {"input": decision}) == ["FORBIDDEN"]
    await nutrition.data(MODERATE, "boss", {"input": decision}, roles=("ADMIN",))
    assert await is_public(nutrition, public)
    withdraw = {**decision, "decision": "WITHDRAW", "reason": " Sells something "}
    await nutrition.data(MODERATE, "boss", {"input": withdraw}, roles=("ADMIN",))
    assert not await is_public(nutrition, public)
    kept, withdrawn = [
        payload for _, payload in await events_of(nutrition, author) if isinstance(payload, FoodModerated)
    ]
    assert (kept.before, kept.after, kept.actor_id) == ("HIDDEN", "EVERYBODY", "boss")
    assert (withdrawn.before, withdrawn.after, withdrawn.reason) == ("EVERYBODY", "WITHDRAWN", "Sells something")
    again = {"input": {"foodId": food, "audience": "READERS"}}
    assert await nutrition.codes(PUBLISH, author, again) == ["CONFLICT"]


async def test_what_its_author_has_deleted_is_not_brought_back(nutrition: SubgraphUnderTest, author: str) -> None:
    food = await made(nutrition, author)
    public = await published(nutrition, author, food)
    decision = {"publishedFoodId": public, "decision": "WITHDRAW", "reason": "Sells something"}
    await nutrition.data(MODERATE, "boss", {"input": decision}, roles=("ADMIN",))
    await nutrition.data(f'mutation {{ deleteFood(input: {{id: "{food}"}}) {{ userErrors {{ code }} }} }}', author)
    back = await nutrition.run(MODERATE, "boss", {"input": {**decision, "decision": "KEEP"}}, roles=("ADMIN",))
    assert codes_of(back) == ["CONFLICT"]
    assert not await is_public(nutrition, public)


async def test_accounts_that_were_made_for_it_hide_nothing_and_are_heard(
    nutrition: SubgraphUnderTest, author: str
) -> None:
    """Neither those that nutrition has not heard of, nor those of this week; five of before hide it."""
    public = await published(nutrition, author, await made(nutrition, author))

    async def report(reporter: str) -> None:
        await told(nutrition, REPORT, reporter, publishedFoodId=public, reason="SPAM")

    for number in range(REPORTS_THAT_HIDE):
        await report(f"{author}-unheard-of-{number}")
    for days, is_hidden in ((6, False), (8, True)):
        for number in range(REPORTS_THAT_HIDE):
            reporter = f"{author}-of-{days}-days-{number}"
            registered = UserRegistered(
                email="x@example.com", display_name="Reporter", registered_at=utc_now() - timedelta(days=days)
            )
            await tell(nutrition, reporter, registered, 1)
            await report(reporter)
        assert await is_public(nutrition, public) is not is_hidden
    reported = (await nutrition.data(REPORTED, "boss", roles=("ADMIN",)))["reportedFoods"]["nodes"]
    (reasons,) = (each["reasons"] for each in reported if each["food"]["id"] == public)
    assert reasons == [{"reason": "SPAM", "times": 3 * REPORTS_THAT_HIDE}]


async def test_what_an_administrator_kept_is_not_hidden_by_the_same_people_again(
    nutrition: SubgraphUnderTest, author: str
) -> None:
    food = await made(nutrition, author)
    public = await published(nutrition, author, food)
    reporters = [f"{author}-again-{number}" for number in range(REPORTS_THAT_HIDE)]

    async def report() -> None:
        for reporter in reporters:
            await tell_settings(nutrition, reporter, "UTC")
            await told(nutrition, REPORT, reporter, publishedFoodId=public, reason="SPAM")

    await report()
    assert not await is_public(nutrition, public)
    decision = {"publishedFoodId": public, "decision": "KEEP", "reason": "Nothing wrong with it"}
    await nutrition.data(MODERATE, "boss", {"input": decision}, roles=("ADMIN",))
    await report()
    assert await is_public(nutrition, public)
    reported = (await nutrition.data(REPORTED, "boss", roles=("ADMIN",)))["reportedFoods"]["nodes"]
    assert public not in {each["food"]["id"] for each in reported}
    await told(nutrition, UPDATE, author, id=food, name="Something else")
    assert await published(nutrition, author, food) == public
    await report()
    assert not await is_public(nutrition, public), "what is another food now, they may find out of place again"


async def test_one_person_reports_so_many_foods_in_a_day(
    nutrition: SubgraphUnderTest, author: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publication_reports, "MOST_REPORTS_A_DAY", 1)
    ids = [await published(nutrition, author, await made(nutrition, author, gtin=None)) for _ in range(2)]
    reporter = f"{author}-reporter"
    assert (await told(nutrition, REPORT, reporter, publishedFoodId=ids[0], reason="OTHER"))["userErrors"] == []
    second = {"input": {"publishedFoodId": ids[1], "reason": "OTHER"}}
    assert await nutrition.codes(REPORT, reporter, second) == ["RATE_LIMITED"]


async def test_nothing_is_shown_of_who_is_suspended_and_nothing_is_left_of_who_was_erased(
    nutrition: SubgraphUnderTest, author: str
) -> None:
    food = await made(nutrition, author)
    public = await published(nutrition, author, food)
    friend = f"{author}-friend"
    copied = (await told(nutrition, COPY, friend, publishedFoodId=public))["food"]["id"]
    other = f"{author}-other"
    await tell_settings(nutrition, other, "UTC")
    theirs = await published(nutrition, other, await made(nutrition, other))
    await told(nutrition, REPORT, author, publishedFoodId=theirs, reason="SPAM")
    for version, status, expected in ((3, "SUSPENDED", False), (4, "ACTIVE", True)):
        state = StatusChanged(email="x@example.com", display_name="Display", status=status)
        await tell(nutrition, author, state, version)
        assert await is_public(nutrition, public) == expected
    await tell(nutrition, author, UserErased(), 5)
    assert not await is_public(nutrition, public)
    async with nutrition.database.reading() as connection:
        for table, column in (("published_food", "user_id"), ("food_report", "reporter_id")):
            left = text(f"SELECT count(*) FROM {table} WHERE {column} = :id")
            assert await connection.scalar(left, {"id": author}) == 0
    kept = await nutrition.data("query ($id: ID!) { food(id: $id) { id } }", friend, {"id": copied})
    assert kept["food"] == {"id": copied}


async def test_the_maker_s_copy_hears_who_sees_a_food_and_not_that_somebody_reported_it(
    nutrition: SubgraphUnderTest, author: str
) -> None:
    seen: list[Any] = [None]

    async def heard() -> list[tuple[bool, str | None]]:
        asked = {"id": author, "since": seen[0]}
        page = (await nutrition.data(CHANGES, author, asked))["_entities"][0]["diaryChanges"]
        seen[0] = page["token"]
        return [(each["isDeleted"], (each["entity"] or {}).get("visibility")) for each in page["changes"]]

    food_id = await made(nutrition, author)
    assert await heard() == [(False, "PRIVATE")]
    published = (await told(nutrition, PUBLISH, author, foodId=food_id, audience="EVERYBODY"))["food"]["published"]
    assert await heard() == [(False, "EVERYBODY")]
    await told(nutrition, PUBLISH, author, foodId=food_id, audience="READERS")
    assert await heard() == [(False, "READERS")]
    await told(nutrition, PUBLISH, author, foodId=food_id, audience="EVERYBODY")
    await heard()
    for number in range(REPORTS_THAT_HIDE):
        await tell_settings(nutrition, f"reporter-of-{author}-{number}", "UTC")
        assert await heard() == [], number
        await told(nutrition, REPORT, f"reporter-of-{author}-{number}", publishedFoodId=published["id"], reason="SPAM")
    assert await heard() == [(False, "HIDDEN")]
    for operation, more in ((UNPUBLISH, {}), (PUBLISH, {"audience": "EVERYBODY"})):
        answer = await told(nutrition, operation, author, foodId=food_id, **more)
        assert answer["food"]["visibility"] == "HIDDEN", "taken back and shown anew, it would have no reports"
    await heard()
    decision = {"publishedFoodId": published["id"], "decision": "KEEP", "reason": "Nothing wrong with it"}
    await nutrition.data(MODERATE, "boss", {"input": decision}, roles=("ADMIN",))
    assert await heard() == [(False, "EVERYBODY")]
    await told(nutrition, UNPUBLISH, author, foodId=food_id)
    assert await heard() == [(False, "PRIVATE")]
    await told(nutrition, PUBLISH, author, foodId=food_id, audience="EVERYBODY")
    await heard()
    await nutrition.data(f'mutation {{ deleteFood(input: {{id: "{food_id}"}}) {{ userErrors {{ code }} }} }}', author)
    assert await heard() == [(True, None)]
