"""Templates for everybody: what is shown of them and what is not, found, cloned, reported, withdrawn, and gone with their author."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.users import StatusChanged, UserErased, UserRegistered
from events.contracts.workouts import TemplateModerated
from subgraphs.shell import publication_reports
from subgraphs.shell.context import utc_now
from subgraphs.shell.publication import REPORTS_THAT_HIDE
from subgraphs.workouts.commands import public_template as commands
from subgraphs.workouts.commands import template as template_commands
from subgraphs.workouts.sample_data import load_public_templates
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import errors_of, last_event, tell, told, workouts_subgraph

_people = count(1)
CREATE = "mutation ($input: CreateTemplateInput!) { it: createTemplate(input: $input) { template { id version } userErrors { code field } } }"
OWN = 'mutation { createExercise(input: {name: "My own move", category: CORE}) { exercise { id } } }'
PUBLISH = """mutation ($input: PublishTemplateInput!) { it: publishTemplate(input: $input) {
  leftOut template { version visibility published { id name } } userErrors { code field } } }"""
UNPUBLISH = """mutation ($input: UnpublishTemplateInput!) { it: unpublishTemplate(input: $input) {
  template { version visibility published { id } } userErrors { code field } } }"""
CLONE = """mutation ($input: CloneTemplateInput!) { it: cloneTemplate(input: $input) {
  template { id name notes visibility clonedFrom { id } exercises { incrementKg progression exercise { id }
    plan { sets leastReps mostReps weightKg restSeconds superset percentOfMax maxKg targetRpe } } }
  userErrors { code field } } }"""
REPORT = "mutation ($input: ReportTemplateInput!) { it: reportTemplate(input: $input) { userErrors { code field } } }"
MODERATE = "mutation ($input: ModerateTemplateInput!) { it: moderateTemplate(input: $input) { publicTemplate { id } userErrors { code field } } }"
SHOWN = """query ($id: ID!) { publicTemplate(id: $id) { name kind level muscles authorName isFromCatalogue
  exercises { position incrementKg exercise { id } plan { sets weightKg maxKg percentOfMax } } } }"""
LIST = """query ($search: String, $kind: TemplateKind, $level: ExerciseLevel, $muscle: Muscle, $catalogue: Boolean, $first: Int, $after: String) {
  publicTemplates(search: $search, kind: $kind, level: $level, muscle: $muscle, fromCatalogue: $catalogue, first: $first, after: $after) {
    totalCount nodes { id name } pageInfo { hasNextPage endCursor } } }"""
REPORTED = "{ reportedTemplates { nodes { authorId isWithdrawn template { id } reasons { reason times } } } }"
PRESS = {"exerciseId": "press", "sets": 3, "leastReps": 8, "mostReps": 10, "weightKg": 47.5, "incrementKg": 2.5}
MAX = {"exerciseId": "bench", "sets": 5, "mostReps": 5, "percentOfMax": 85, "trainingMaxKg": 103, "incrementKg": 2.5}


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_public_templates") as subgraph:
        yield subgraph


@pytest.fixture
async def author(workouts: SubgraphUnderTest) -> str:
    """Somebody of whom workouts have heard."""
    person = f"person-{next(_people)}"
    await tell(workouts, person, UserRegistered(email=f"{person}@example.com", display_name=f"Display of {person}"))
    return person


async def made(workouts: SubgraphUnderTest, person: str, **changes: Any) -> str:
    """The id of a template of the person."""
    given = {"name": "Chest day", "notes": "SECRET", "exercises": [PRESS, MAX]} | changes
    return str((await told(workouts, person, CREATE, **given))["template"]["id"])


async def published(workouts: SubgraphUnderTest, person: str, **changes: Any) -> str:
    """The public id of a template that the person has published."""
    template = await made(workouts, person, **changes)
    answer = await told(workouts, person, PUBLISH, id=template, kind="STRENGTH", level="BEGINNER")
    return str(answer["template"]["published"]["id"])


async def is_shown(workouts: SubgraphUnderTest, public: str) -> bool:
    one = (await workouts.data(SHOWN, "stranger", {"id": public}))["publicTemplate"] is not None
    listed = (await workouts.data(LIST, "stranger", {"first": 100}))["publicTemplates"]["nodes"]
    assert (public in {each["id"] for each in listed}) == one
    return one


async def test_who_publishes_chooses_whether_to_be_named_each_time(workouts: SubgraphUnderTest, author: str) -> None:
    template = await made(workouts, author)
    given = {"id": template, "kind": "STRENGTH", "level": "BEGINNER"}
    public = (await told(workouts, author, PUBLISH, **given, showsAuthor=False))["template"]["published"]["id"]
    shown = (await workouts.data(SHOWN, "stranger", {"id": public}))["publicTemplate"]
    assert (shown["authorName"], shown["isFromCatalogue"]) == (None, False)
    await told(workouts, author, PUBLISH, **given)
    assert (await workouts.data(SHOWN, "stranger", {"id": public}))["publicTemplate"]["authorName"] is not None


async def test_a_stranger_sees_what_is_public_and_nothing_of_its_person(
    workouts: SubgraphUnderTest, author: str
) -> None:
    own = (await workouts.data(OWN, author))["createExercise"]["exercise"]["id"]
    template = await made(workouts, author, exercises=[PRESS, {"exerciseId": own, "sets": 2}, MAX])
    answer = await told(workouts, author, PUBLISH, id=template, kind="STRENGTH", level="BEGINNER", expectedVersion=1)
    assert (answer["leftOut"], answer["template"]["visibility"], answer["template"]["version"]) == (1, "PUBLIC", 2)
    shown = (await workouts.data(SHOWN, "stranger", {"id": answer["template"]["published"]["id"]}))["publicTemplate"]
    open_plan = {"weightKg": None, "maxKg": None}
    assert shown == {
        "name": "Chest day",
        "kind": "STRENGTH",
        "level": "BEGINNER",
        "muscles": ["CHEST"],
        "authorName": f"Display of {author}",
        "isFromCatalogue": False,
        "exercises": [
            {
                "position": 1,
                "incrementKg": 2.5,
                "exercise": {"id": "press"},
                "plan": {"sets": 3, "percentOfMax": None, **open_plan},
            },
            {
                "position": 2,
                "incrementKg": None,
                "exercise": {"id": "bench"},
                "plan": {"sets": 5, "percentOfMax": 85.0, **open_plan},
            },
        ],
    }
    assert [each for each in ("SECRET", "47.5", "103", "My own move") if each in str(shown)] == []


async def test_what_changes_later_is_public_when_it_is_published_again(
    workouts: SubgraphUnderTest, author: str
) -> None:
    template = await made(workouts, author)
    public = (await told(workouts, author, PUBLISH, id=template, kind="STRENGTH", level="BEGINNER"))["template"]
    update = 'mutation ($id: ID!) { updateTemplate(input: {id: $id, name: "Not yet"}) { template { name } } }'
    await workouts.data(update, author, {"id": template})
    wanted = {"id": public["published"]["id"]}
    assert (await workouts.data(SHOWN, "stranger", wanted))["publicTemplate"]["name"] == "Chest day"
    again = await told(workouts, author, PUBLISH, id=template, kind="MIXED", level="ADVANCED")
    assert again["template"]["published"] == {**wanted, "name": "Not yet"}
    shown = (await workouts.data(SHOWN, "stranger", wanted))["publicTemplate"]
    assert (shown["name"], shown["kind"], shown["level"]) == ("Not yet", "MIXED", "ADVANCED")


async def test_only_its_person_publishes_and_only_what_others_can_see(workouts: SubgraphUnderTest, author: str) -> None:
    template = await made(workouts, author)
    given = {"input": {"id": template, "kind": "STRENGTH", "level": "BEGINNER"}}
    assert await workouts.codes(PUBLISH, "stranger", given) == ["NOT_FOUND"]
    assert await workouts.codes(UNPUBLISH, "stranger", {"input": {"id": template}}) == ["NOT_FOUND"]
    stale = {"input": {**given["input"], "expectedVersion": 9}}
    assert await workouts.codes(PUBLISH, author, stale) == ["STALE_VERSION"]
    own = (await workouts.data(OWN, author))["createExercise"]["exercise"]["id"]
    template = await made(workouts, author, exercises=[{"exerciseId": own, "sets": 2}])
    refused = await told(workouts, author, PUBLISH, id=template, kind="STRENGTH", level="BEGINNER")
    assert errors_of({"it": refused}, "it") == [("VALIDATION_ERROR", "id")]


async def test_a_person_publishes_so_many_and_no_more(
    workouts: SubgraphUnderTest, author: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MOST_PUBLIC", 1)
    first = await made(workouts, author)
    given = {"kind": "STRENGTH", "level": "BEGINNER"}
    assert (await told(workouts, author, PUBLISH, id=first, **given))["userErrors"] == []
    second = await made(workouts, author)
    refused = await told(workouts, author, PUBLISH, id=second, **given)
    assert errors_of({"it": refused}, "it") == [("CONFLICT", "id")]
    assert (await told(workouts, author, UNPUBLISH, id=first))["template"]["visibility"] == "PRIVATE"
    assert (await told(workouts, author, PUBLISH, id=second, **given))["userErrors"] == []


async def test_a_clone_is_ones_own_made_once_and_outlives_what_it_was_made_of(
    workouts: SubgraphUnderTest, author: str
) -> None:
    template = await made(workouts, author)
    public = (await told(workouts, author, PUBLISH, id=template, kind="STRENGTH", level="BEGINNER"))["template"]
    given = {"publicTemplateId": public["published"]["id"], "name": "Mine now", "idempotencyKey": "once"}
    cloned = (await told(workouts, f"{author}-friend", CLONE, **given))["template"]
    assert (cloned["name"], cloned["notes"], cloned["visibility"]) == ("Mine now", None, "PRIVATE")
    assert cloned["clonedFrom"] == {"id": public["published"]["id"]}
    assert [
        (each["exercise"]["id"], each["progression"], each["plan"]["weightKg"]) for each in cloned["exercises"]
    ] == [
        ("press", "DOUBLE", None),
        ("bench", "ONE_REP_MAX", None),
    ]
    start = 'mutation ($id: ID!) { startWorkout(input: {name: "Now", templateId: $id}) { workout { exercises { plan { sets } } } userErrors { code } } }'
    begun = await workouts.data(start, f"{author}-friend", {"id": cloned["id"]})
    assert [each["plan"]["sets"] for each in begun["startWorkout"]["workout"]["exercises"]] == [3, 5]

    assert (await told(workouts, author, UNPUBLISH, id=template))["template"]["published"] is None
    again = (await told(workouts, f"{author}-friend", CLONE, **given))["template"]
    assert (again["id"], again["clonedFrom"]) == (cloned["id"], None)
    del given["idempotencyKey"]
    assert await workouts.codes(CLONE, "stranger", {"input": given}) == ["NOT_FOUND"]
    assert await workouts.codes(CLONE, "stranger", {"input": {"publicTemplateId": template}}) == ["NOT_FOUND"]


async def test_a_clone_counts_towards_the_templates_that_one_may_have(
    workouts: SubgraphUnderTest, author: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = await published(workouts, author)
    monkeypatch.setattr(template_commands, "MOST_TEMPLATES", 1)
    friend = f"{author}-friend"
    assert (await told(workouts, friend, CLONE, publicTemplateId=public))["userErrors"] == []
    assert [each["code"] for each in (await told(workouts, friend, CLONE, publicTemplateId=public))["userErrors"]] == [
        "CONFLICT"
    ]


async def test_public_templates_are_found_by_name_kind_level_and_muscle_in_pages(
    workouts: SubgraphUnderTest, author: str
) -> None:
    ids = [await published(workouts, author, name=f"Walrus pressing {n}", exercises=[PRESS]) for n in range(3)]
    listing = (await workouts.data(LIST, "stranger", {"search": "walruses press", "first": 2}))["publicTemplates"]
    assert listing["nodes"] == [], "whole words are asked for"
    wanted = {"search": "Pressing  WALRUS", "kind": "STRENGTH", "level": "BEGINNER", "muscle": "CHEST", "first": 2}
    first = (await workouts.data(LIST, "stranger", wanted))["publicTemplates"]
    assert ([each["id"] for each in first["nodes"]], first["totalCount"]) == (ids[:0:-1], None)
    cursor = first["pageInfo"]["endCursor"]
    rest = (await workouts.data(LIST, "stranger", {**wanted, "after": cursor}))["publicTemplates"]
    assert ([each["id"] for each in rest["nodes"]], rest["pageInfo"]["hasNextPage"]) == (ids[:1], False)
    for other in ({"kind": "HIIT"}, {"level": "ADVANCED"}, {"muscle": "CALVES"}, {"catalogue": True}):
        assert (await workouts.data(LIST, "stranger", wanted | other))["publicTemplates"]["nodes"] == []
    assert await workouts.codes(LIST, "stranger", {"search": " - "}) == ["VALIDATION_ERROR"]
    assert await workouts.codes(LIST, "stranger", {"search": "a b c d e f g h i"}) == ["VALIDATION_ERROR"]


async def test_templates_of_the_catalogue_are_nobodys_and_are_brought_up_to_date(workouts: SubgraphUnderTest) -> None:
    row = {
        "id": "catalogue-push",
        "name": "Catalogue push",
        "kind": "STRENGTH",
        "level": "BEGINNER",
        "exercises": [{"exercise": "Machine chest press", "sets": "3", "leastReps": "8", "mostReps": "12"}],
    }
    for name, version in (("Catalogue push", 1), ("Catalogue push", 1), ("Catalogue push, longer", 2)):
        async with workouts.database.transaction() as connection:
            await load_public_templates(connection, [{**row, "name": name}], utc_now())
            stored = await connection.scalar(text("SELECT version FROM public_template WHERE id = 'catalogue-push'"))
        assert stored == version
    shown = (await workouts.data(SHOWN, "stranger", {"id": "catalogue-push"}))["publicTemplate"]
    assert (shown["name"], shown["authorName"], shown["isFromCatalogue"]) == ("Catalogue push, longer", None, True)
    assert (await told(workouts, "stranger", CLONE, publicTemplateId="catalogue-push"))["userErrors"] == []
    refused = await told(workouts, "stranger", REPORT, publicTemplateId="catalogue-push", reason="SPAM")
    assert errors_of({"it": refused}, "it") == [("CONFLICT", "publicTemplateId")]


async def test_a_reported_template_is_withdrawn_with_a_reason_and_stays_so(
    workouts: SubgraphUnderTest, author: str
) -> None:
    template = await made(workouts, author)
    answer = await told(workouts, author, PUBLISH, id=template, kind="STRENGTH", level="BEGINNER")
    public = answer["template"]["published"]["id"]
    for reporter, reason in (("one", "SPAM"), ("two", "DANGEROUS"), ("two", "SPAM")):
        assert (await told(workouts, reporter, REPORT, publicTemplateId=public, reason=reason))["userErrors"] == []
    assert await workouts.codes(REPORT, author, {"input": {"publicTemplateId": public, "reason": "SPAM"}}) == [
        "CONFLICT"
    ]
    assert await workouts.codes(REPORTED, author) == ["FORBIDDEN"]
    listed = (await workouts.data(REPORTED, "boss", roles=("ADMIN",)))["reportedTemplates"]["nodes"]
    assert listed == [
        {
            "authorId": author,
            "isWithdrawn": False,
            "template": {"id": public},
            "reasons": [{"reason": "SPAM", "times": 2}],
        }
    ]

    given = {"publicTemplateId": public, "decision": "WITHDRAW", "reason": "Sells something"}
    assert await workouts.codes(MODERATE, author, {"input": given}) == ["FORBIDDEN"]
    short = await workouts.run(MODERATE, "boss", {"input": {**given, "reason": " "}}, roles=("ADMIN",))
    assert errors_of(short.data or {}, "it") == [("VALIDATION_ERROR", "reason")]
    await workouts.data(MODERATE, "boss", {"input": given}, roles=("ADMIN",))
    envelope, payload = await last_event(workouts, public)
    assert isinstance(payload, TemplateModerated)
    assert (envelope.user_id, payload.actor_id, payload.reason) == (author, "boss", "Sells something")
    assert (payload.before, payload.after) == ("PUBLIC", "WITHDRAWN")
    assert not await is_shown(workouts, public)
    assert (await workouts.data(REPORTED, "boss", roles=("ADMIN",)))["reportedTemplates"]["nodes"] == []
    refused = await told(workouts, author, PUBLISH, id=template, kind="STRENGTH", level="BEGINNER")
    assert errors_of({"it": refused}, "it") == [("CONFLICT", "id")]
    assert (await told(workouts, author, UNPUBLISH, id=template))["template"]["visibility"] == "WITHDRAWN"

    await workouts.data(MODERATE, "boss", {"input": {**given, "decision": "KEEP"}}, roles=("ADMIN",))
    assert await is_shown(workouts, public)


async def test_what_enough_people_report_is_hidden_until_an_administrator_decides(
    workouts: SubgraphUnderTest, author: str
) -> None:
    template = await made(workouts, author)
    answer = await told(workouts, author, PUBLISH, id=template, kind="STRENGTH", level="BEGINNER")
    public = answer["template"]["published"]["id"]

    async def report(number: int) -> None:
        await tell(workouts, f"{author}-{number}", UserRegistered(email="x@example.com", display_name="Reporter"))
        await told(workouts, f"{author}-{number}", REPORT, publicTemplateId=public, reason="SPAM")

    for number in range(REPORTS_THAT_HIDE):
        assert await is_shown(workouts, public)
        await report(number)
    assert not await is_shown(workouts, public)
    back = await told(workouts, author, UNPUBLISH, id=template)
    assert back["template"]["visibility"] == "HIDDEN", "taken back and published anew, it would have no reports"
    again = await told(workouts, author, PUBLISH, id=template, kind="STRENGTH", level="BEGINNER")
    assert again["template"]["visibility"] == "HIDDEN", "publishing it again does not show it"
    given = {"publicTemplateId": public, "decision": "KEEP", "reason": "Nothing wrong with it"}
    await workouts.data(MODERATE, "boss", {"input": given}, roles=("ADMIN",))
    assert await is_shown(workouts, public)
    _, payload = await last_event(workouts, public)
    assert isinstance(payload, TemplateModerated)
    assert (payload.before, payload.after) == ("HIDDEN", "PUBLIC")
    for number in range(REPORTS_THAT_HIDE):
        await report(number)
    assert await is_shown(workouts, public), "who reported it before the decision does not undo it"


async def test_one_person_reports_so_many_in_a_day(
    workouts: SubgraphUnderTest, author: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publication_reports, "MOST_REPORTS_A_DAY", 1)
    ids = [await published(workouts, author), await published(workouts, author)]
    reporter = f"{author}-reporter"
    assert (await told(workouts, reporter, REPORT, publicTemplateId=ids[0], reason="OTHER"))["userErrors"] == []
    second = {"input": {"publicTemplateId": ids[1], "reason": "OTHER"}}
    assert await workouts.codes(REPORT, reporter, second) == ["RATE_LIMITED"]


async def test_nothing_is_public_of_who_is_suspended_and_nothing_is_left_of_who_was_erased(
    workouts: SubgraphUnderTest, author: str
) -> None:
    public = await published(workouts, author)
    friend = f"{author}-friend"
    cloned = (await told(workouts, friend, CLONE, publicTemplateId=public))["template"]["id"]
    await told(
        workouts, author, REPORT, publicTemplateId=await published(workouts, await known(workouts)), reason="SPAM"
    )
    for status, expected in (("SUSPENDED", False), ("ACTIVE", True)):
        state = StatusChanged(email="x@example.com", display_name="Display", status=status)
        await tell(workouts, author, state)
        assert await is_shown(workouts, public) == expected
    await tell(workouts, author, UserErased())
    assert not await is_shown(workouts, public)
    async with workouts.database.reading() as connection:
        for table, column in (("public_template", "user_id"), ("template_report", "reporter_id")):
            left = text(f"SELECT count(*) FROM {table} WHERE {column} = :id")
            assert await connection.scalar(left, {"id": author}) == 0
    mine = await workouts.data(
        f'{{ _entities(representations: [{{__typename: "User", id: "{friend}"}}]) {{ ... on User {{ templates {{ nodes {{ id clonedFrom {{ id }} }} }} }} }} }}',
        friend,
    )
    assert mine["_entities"][0]["templates"]["nodes"] == [{"id": cloned, "clonedFrom": None}]


async def known(workouts: SubgraphUnderTest) -> str:
    """Another person of whom workouts have heard."""
    person = f"person-{next(_people)}"
    await tell(workouts, person, UserRegistered(email=f"{person}@example.com", display_name="Somebody"))
    return person
