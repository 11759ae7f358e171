"""Exercises in GraphQL: the type, its search and the creation and change of one's own."""

from __future__ import annotations

from typing import Annotated, Any, cast

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import SEARCH_COST, list_size
from subgraphs.shell.errors import ValidationError
from subgraphs.shell.exercise_category_type import ExerciseCategory
from subgraphs.shell.inputs import client_made_id, expected_version, given, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.keyset import KeysetList, Page
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import Node, NodeKind
from subgraphs.shell.pagination import After, Before, Connection, First, Last, connect
from subgraphs.shell.scalars import (
    CACHE_PRIVATE_BRIEFLY,
    CacheControl,
    CacheControlScope,
    IdempotencyKey,
    decimal_of,
    describe_enum,
    rounded,
    rounded_or_none,
)
from subgraphs.shell.scopes import READS_TRAINING
from subgraphs.shell.search.store import LEAST_LETTERS
from subgraphs.shell.search.words import MOST_LETTERS
from subgraphs.shell.sharing import SHARED_TRAINING, may_read
from subgraphs.shell.worked_out import WorkedOut, worked_out
from subgraphs.workouts.commands import exercise as commands
from subgraphs.workouts.domain import exercise as domain
from subgraphs.workouts.domain.energy import Intensity, intensity_of
from subgraphs.workouts.loaders import loaders_of
from subgraphs.workouts.queries.exercise import ExerciseFilter, ExerciseRecord

# A search shows the viewer's own exercises among the catalogue's, so its answer is nobody else's; and an exercise by its
# key may be somebody's own, which the key does not tell: kept for all, it would be shown to all, or its absence would.
CACHE_PRIVATE_HOUR = CacheControl(max_age=3600, scope=CacheControlScope.PRIVATE)


describe_enum(
    Intensity,
    "How hard an effort is, by what it costs.",
    LIGHT="Below 3 MET, such as a stroll.",
    MODERATE="From 3 MET, such as a brisk walk.",
    VIGOROUS="From 6 MET, such as running.",
)
describe_enum(
    domain.ExerciseLevel,
    "How much practice an exercise asks for.",
    BEGINNER="None.",
    INTERMEDIATE="Some.",
    ADVANCED="Much.",
)
describe_enum(
    domain.ExerciseForce,
    "In which direction an exercise works.",
    PUSH="Away from the body, or the body away.",
    PULL="Towards the body, or the body towards what is held.",
    STATIC="In none: a position is held, or stretched into.",
)
describe_enum(
    domain.ExerciseMechanic,
    "How many joints an exercise moves.",
    COMPOUND="Several, and so several groups of muscles.",
    ISOLATION="One.",
)
describe_enum(
    domain.ExerciseTracking,
    "What a set of the exercise measures.",
    REPS="Repetitions; the load is the body's own weight, or a share of it.",
    WEIGHT_REPS="Repetitions with a weight.",
    TIME="How long it took.",
    DISTANCE_TIME="How far it went, and how long that took.",
)
describe_enum(
    domain.Muscle,
    "A group of muscles.",
    **{each.name: f"The {each.value}." for each in domain.Muscle},
)
describe_enum(
    domain.Equipment,
    "What an exercise is done with.",
    **{each.name: f"{each.value.capitalize()}." for each in domain.Equipment},
)


@strawberry.federation.type(
    keys=["id", "nodeId"],
    description="Something to do in a workout.",
    directives=[CACHE_PRIVATE_BRIEFLY, SHARED_TRAINING],
)
class Exercise(Node):
    record: strawberry.Private[ExerciseRecord]
    name: str = strawberry.field(description="How it is called.")
    category: WorkedOut[ExerciseCategory] = worked_out(
        lambda self: ExerciseCategory(self.record.category), description="What it trains above all."
    )
    primary_muscles: WorkedOut[list[domain.Muscle]] = worked_out(
        lambda self: [domain.Muscle(each) for each in self.record.primary_muscles],
        description="Those that do most of the work.",
        directives=[list_size(3)],
    )
    secondary_muscles: WorkedOut[list[domain.Muscle]] = worked_out(
        lambda self: [domain.Muscle(each) for each in self.record.secondary_muscles],
        description="Those that help.",
        directives=[list_size(4)],
    )
    equipment: WorkedOut[domain.Equipment | None] = worked_out(
        lambda self: None if self.record.equipment is None else domain.Equipment(self.record.equipment),
        description="What it is done with; null if not said.",
    )
    level: WorkedOut[domain.ExerciseLevel] = worked_out(
        lambda self: domain.ExerciseLevel(self.record.level), description="How much practice it asks for."
    )
    force: WorkedOut[domain.ExerciseForce | None] = worked_out(
        lambda self: None if self.record.force is None else domain.ExerciseForce(self.record.force),
        description="In which direction it works; null if not said.",
    )
    mechanic: WorkedOut[domain.ExerciseMechanic | None] = worked_out(
        lambda self: None if self.record.mechanic is None else domain.ExerciseMechanic(self.record.mechanic),
        description="Whether it moves one joint or several; null if not said.",
    )
    tracking: WorkedOut[domain.ExerciseTracking] = worked_out(
        lambda self: domain.ExerciseTracking(self.record.tracking), description="What a set of it measures."
    )
    met: WorkedOut[float | None] = worked_out(
        lambda self: rounded_or_none(self.record.met),
        description="Energy as a multiple of rest, in MET (2011 Compendium of Physical Activities). Null: not known.",
    )
    intensity: WorkedOut[Intensity | None] = worked_out(
        lambda self: None if self.record.met is None else intensity_of(self.record.met),
        description="What effort of its `met` is called; null without it.",
    )
    body_weight_share: WorkedOut[float] = worked_out(
        lambda self: rounded(self.record.body_weight_share),
        description="The share of the body's weight that each repetition lifts, 0 to 1; it counts for load and volume.",
    )
    instructions: str | None = strawberry.field(description="How it is done; null if not said.")
    is_one_sided: WorkedOut[bool] = worked_out(
        lambda self: domain.is_one_sided(self.record.name) if self.record.one_sided is None else self.record.one_sided,
        description="Whether it is done one side at a time, so that a client asks for the `side` of its sets. Of the catalogue and where"
        " nothing was told, as the name says.",
    )
    video_url: str | None = strawberry.field(
        description="Where a video shows it: an https address that the person told, which nobody has looked at. Null: none."
    )
    picture_url: str | None = strawberry.field(description="The same of a picture. Null: none.")
    version: int = strawberry.field(description="Counts up with each change of one of the viewer's own.")
    is_own: WorkedOut[bool] = worked_out(
        lambda self: self.record.created_by is not None,
        description="Made by the viewer, and seen by nobody else.",
    )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID, **_: Any) -> Exercise | None:
        return await load_exercise(info, id)


def exercise_node(record: ExerciseRecord) -> Exercise:
    return Exercise(
        record=record,
        id=strawberry.ID(record.id),
        name=record.name,
        instructions=record.instructions,
        video_url=record.video_url,
        picture_url=record.picture_url,
        version=record.version,
    )


async def load_exercise(info: Info, id: str) -> Exercise | None:
    """The exercise, unless it is another person's own who does not share the training."""
    record = await visible_exercise(info, id)
    return None if record is None else exercise_node(record)


async def visible_exercise(info: Info, id: str) -> ExerciseRecord | None:
    """What `load_exercise` shows, as it is stored. Raises UnauthenticatedError for nobody."""
    _ = info.context.viewer  # nobody is told whether there is such an exercise
    record = await loaders_of(info).exercise_by_id.load(id)
    is_shown = record is not None and (record.created_by is None or await may_read(info, Exercise, record.created_by))
    return record if is_shown else None


@strawberry.input(description="An exercise of one's own to create.")
class CreateExerciseInput:
    name: str = strawberry.field(description="How it is called, 1 to 255 characters.")
    category: ExerciseCategory = strawberry.field(description="What it trains above all.")
    level: domain.ExerciseLevel = strawberry.field(
        default=domain.ExerciseLevel.BEGINNER, description="How much practice it asks for."
    )
    tracking: domain.ExerciseTracking = strawberry.field(
        default=domain.ExerciseTracking.WEIGHT_REPS, description="What a set of it measures."
    )
    met: float = strawberry.field(default=3.5, description="Energy as a multiple of rest, in MET, 1 to 25.")
    primary_muscles: list[domain.Muscle] = strawberry.field(
        default_factory=list, description="Those that do most of the work."
    )
    secondary_muscles: list[domain.Muscle] = strawberry.field(default_factory=list, description="Those that help.")
    equipment: domain.Equipment | None = strawberry.field(
        default=None, description="What it is done with. Null: not said."
    )
    force: domain.ExerciseForce | None = strawberry.field(
        default=None, description="In which direction it works. Null: not said."
    )
    mechanic: domain.ExerciseMechanic | None = strawberry.field(
        default=None, description="Whether it moves one joint or several. Null: not said."
    )
    instructions: str | None = strawberry.field(
        default=None, description="How it is done, up to 4,000 characters. Null: not said."
    )
    is_one_sided: bool | None = strawberry.field(
        default=None, description="Whether it is done one side at a time. Null: as its name says."
    )
    video_url: str | None = strawberry.field(
        default=None,
        description="Where a video shows it: https, a host by its name, up to 500 characters of ASCII. Nobody here opens it. Null: none.",
    )
    picture_url: str | None = strawberry.field(default=None, description="The same of a picture. Null: none.")
    id: strawberry.ID | None = client_made_id(NodeKind.EXERCISE)
    idempotency_key: IdempotencyKey | None = idempotency_key()

    def to_new(self) -> commands.NewExercise:
        return commands.NewExercise(
            name=self.name,
            category=self.category,
            level=self.level,
            tracking=self.tracking,
            met=decimal_of(self.met, 2),
            primary_muscles=self.primary_muscles,
            secondary_muscles=self.secondary_muscles,
            equipment=self.equipment,
            force=self.force,
            mechanic=self.mechanic,
            instructions=self.instructions,
            is_one_sided=self.is_one_sided,
            video_url=self.video_url,
            picture_url=self.picture_url,
            request=request_key(self),
        )


@strawberry.input(
    description="What to change of an exercise of one's own; absent fields stay as they are. Its `bodyWeightShare` follows its name only"
    " before a workout has it."
)
class UpdateExerciseInput:
    id: strawberry.ID = strawberry.field(description="The exercise's id.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="How it is called, 1 to 255 characters. It cannot be null."
    )
    category: ExerciseCategory | None = strawberry.field(
        default=strawberry.UNSET,
        description="What it trains above all; of workouts to come, as past ones keep theirs. It cannot be null.",
    )
    level: domain.ExerciseLevel | None = strawberry.field(
        default=strawberry.UNSET, description="How much practice it asks for. It cannot be null."
    )
    tracking: domain.ExerciseTracking | None = strawberry.field(
        default=strawberry.UNSET,
        description="What a set of it measures; refused once a workout has the exercise. It cannot be null.",
    )
    met: float | None = strawberry.field(
        default=strawberry.UNSET,
        description="Energy as a multiple of rest, in MET, 1 to 25; past workouts keep what they were counted with until they are"
        " changed. It cannot be null.",
    )
    primary_muscles: list[domain.Muscle] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Those that do most of the work, all of them; past weeks are told by them too. It cannot be null.",
    )
    secondary_muscles: list[domain.Muscle] | None = strawberry.field(
        default=strawberry.UNSET, description="The same of those that help. It cannot be null."
    )
    equipment: domain.Equipment | None = strawberry.field(
        default=strawberry.UNSET, description="What it is done with. Null: not said."
    )
    force: domain.ExerciseForce | None = strawberry.field(
        default=strawberry.UNSET, description="In which direction it works. Null: not said."
    )
    mechanic: domain.ExerciseMechanic | None = strawberry.field(
        default=strawberry.UNSET, description="Whether it moves one joint or several. Null: not said."
    )
    instructions: str | None = strawberry.field(
        default=strawberry.UNSET, description="How it is done, up to 4,000 characters. Null: not said."
    )
    is_one_sided: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether it is done one side at a time. Null: as its name says."
    )
    video_url: str | None = strawberry.field(
        default=strawberry.UNSET, description="Where a video shows it, as in `createExercise`. Null: none."
    )
    picture_url: str | None = strawberry.field(
        default=strawberry.UNSET, description="The same of a picture. Null: none."
    )
    expected_version: int | None = expected_version()

    def to_changes(self) -> commands.ExerciseChanges:
        changes: dict[str, Any] = given(
            self,
            "equipment",
            "force",
            "mechanic",
            "instructions",
            "is_one_sided",
            "video_url",
            "picture_url",
            never_null=("name", "category", "level", "tracking", "met", "primary_muscles", "secondary_muscles"),
        )
        if "met" in changes:
            changes["met"] = decimal_of(changes["met"], 2)
        return cast("commands.ExerciseChanges", changes)


async def _search(info: Info, search: str, wanted: ExerciseFilter, page: Page) -> Connection[Exercise]:
    loaders = loaders_of(info)
    found = await loaders.exercises_by_words.load((search, wanted))
    if page.backward:
        before = [each for each in found if page.after is None or each.order < page.after]
        here = before[::-1][: page.limit]
    else:
        here = [each for each in found if page.after is None or each.order > page.after][: page.limit]
    records = await loaders.exercise_by_id.load_many([each.id for each in here])
    pairs = [(each, record) for each, record in zip(here, records, strict=True) if record is not None]
    return connect(pairs, page, lambda pair: exercise_node(pair[1]), lambda pair: pair[0].order)


@strawberry.type
class ExerciseQuery:
    @strawberry.field(
        description="One exercise of the catalogue or of the viewer's own; null if there is none with this id.",
        directives=[READS_TRAINING, CACHE_PRIVATE_HOUR],
    )
    async def exercise(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The exercise's id.")]
    ) -> Exercise | None:
        return await load_exercise(info, id)

    @strawberry.field(
        description="Exercises by name, or best fit first where words are searched for; the viewer's own among the"
        " catalogue's. `totalCount` is null: counting would read all of them.",
        directives=[READS_TRAINING, CACHE_PRIVATE_HOUR],
    )
    async def exercises(
        self,
        info: Info,
        search: Annotated[
            str | None,
            strawberry.argument(
                description="Words to search for, 2 to 100 characters. Null: all exercises, by name.",
                directives=[SEARCH_COST],
            ),
        ] = None,
        muscle: Annotated[
            domain.Muscle | None, strawberry.argument(description="That takes part in it. Null: any.")
        ] = None,
        category: Annotated[
            ExerciseCategory | None, strawberry.argument(description="What it trains above all. Null: any.")
        ] = None,
        level: Annotated[
            domain.ExerciseLevel | None, strawberry.argument(description="The practice it asks for. Null: any.")
        ] = None,
        equipment: Annotated[
            domain.Equipment | None, strawberry.argument(description="What it is done with. Null: anything.")
        ] = None,
        force: Annotated[
            domain.ExerciseForce | None, strawberry.argument(description="In which direction it works. Null: any.")
        ] = None,
        mechanic: Annotated[
            domain.ExerciseMechanic | None,
            strawberry.argument(description="Whether it moves one joint or several. Null: any."),
        ] = None,
        own: Annotated[
            bool | None, strawberry.argument(description="The viewer's own exercises, or the catalogue's. Null: both.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Exercise]:
        wanted = ExerciseFilter(
            viewer_id=info.context.viewer.id,
            muscle=None if muscle is None else muscle.value,
            category=None if category is None else category.value,
            level=None if level is None else level.value,
            equipment=None if equipment is None else equipment.value,
            force=None if force is None else force.value,
            mechanic=None if mechanic is None else mechanic.value,
            own=own,
        )
        if search is not None and search.strip():
            if not LEAST_LETTERS <= len(search.strip()) <= MOST_LETTERS:
                raise ValidationError(("search", f"must have {LEAST_LETTERS} to {MOST_LETTERS} characters"))
            fits = KeysetList("Query.exercises(search:)", search, (float, str, str))
            return await _search(info, search, wanted, fits.page(first, after, last, before))
        page = KeysetList("Query.exercises", "", (str, str)).page(first, after, last, before)
        records = await loaders_of(info).exercises_by_name.load((wanted, page))
        return connect(records, page, exercise_node, lambda record: (record.name.lower(), record.id))


@strawberry.type(description="What came of creating an exercise.")
class ExercisePayload(Payload):
    exercise: Exercise | None = strawberry.field(
        default=None, description="The exercise as it was created; null if it was refused."
    )


@strawberry.type(description="What came of changing an exercise.")
class UpdateExercisePayload(Payload):
    exercise: Exercise | None = strawberry.field(
        default=None, description="The exercise as it is now; null if the change was refused."
    )


@strawberry.type
class ExerciseMutation:
    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Create an exercise that only the viewer sees. CONFLICT for more than 500.",
    )
    async def create_exercise(self, info: Info, input: CreateExerciseInput) -> ExercisePayload | None:
        viewer, resources = info.context.viewer, info.context.resources
        record = await commands.create_exercise(
            viewer, input.to_new(), database=resources.database, now=resources.now()
        )
        info.context.renew_loaders()
        return ExercisePayload(exercise=exercise_node(record))

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Change an exercise of the viewer's own; sets and records of past workouts stay what they are.",
    )
    async def update_exercise(self, info: Info, input: UpdateExerciseInput) -> UpdateExercisePayload | None:
        record = await commands.update_exercise(
            info.context.viewer,
            input.id,
            input.to_changes(),
            expected_version=input.expected_version,
            database=info.context.resources.database,
        )
        info.context.renew_loaders()
        return UpdateExercisePayload(exercise=exercise_node(record))
