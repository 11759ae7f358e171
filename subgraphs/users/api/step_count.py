"""Steps in GraphQL: what each source has counted of a person's days."""

from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.inputs import expected_version
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.pagination import After, Before, Connection, First, FromDay, Last, ToDay, connect
from subgraphs.shell.sharing import SHARED_BODY
from subgraphs.users.commands import step_count as commands
from subgraphs.users.loaders import loaders_of
from subgraphs.users.queries.step_count import StepCountPage, StepCountRecord

if TYPE_CHECKING:
    from subgraphs.users.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.users.api.user")]


@strawberry.type(
    description="What one source, such as a phone or a watch, has counted of the steps of a person's day. Sources of one day are"
    " not added: whoever carries both takes each step once, and `DailySummary.steps` is the greatest of them."
)
class StepCount:
    id: strawberry.ID = strawberry.field(description="Identifies the count in the whole graph, for caches.")
    local_date: date = strawberry.field(name="date", description="The person's calendar day.")
    source: str = strawberry.field(description="What counted.")
    steps: int = strawberry.field(description="The total of the day so far.")
    counted_at: datetime = strawberry.field(description="As of when the source told it.")
    version: int = strawberry.field(
        description="Counts its totals; send it as `expectedVersion` to delete only this one."
    )


def step_count_node(record: StepCountRecord) -> StepCount:
    return StepCount(
        id=strawberry.ID(record.id),
        local_date=record.local_date,
        source=record.source,
        steps=record.steps,
        counted_at=record.counted_at,
        version=record.version,
    )


@strawberry.type
class StepCountsOfUser:
    """A field of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)

    @strawberry.field(
        description="What each source counted of the person's days, the newest day first. `totalCount` counts all of them, of any"
        " day.",
        directives=[SHARED_BODY],
    )
    async def step_counts(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        from_: FromDay = None,
        to: ToDay = None,
    ) -> Connection[StepCount]:
        page = KeysetList("User.stepCounts", self.id, (date, str)).page(first, after, last, before)
        records = await loaders_of(info).step_counts_by_user.load((self.id, StepCountPage(from_, to, page)))
        count = partial(loaders_of(info).step_count_count_by_user.load, self.id)
        return connect(records, page, step_count_node, lambda record: (record.local_date, record.id), count)


@strawberry.input(
    description="The total of a day so far, as one source counted it. A person has up to 20,000 of them: one for each source of each"
    " day. It takes no key: of one source and day the total that was counted last holds, in whatever order and however often"
    " they are sent."
)
class LogStepsInput:
    source: str = strawberry.field(
        description="What counted, 1 to 60 characters, such as `Pixel 9`. Another name is another source."
    )
    steps: int = strawberry.field(description="The total of the day, 0 to 300,000.")
    local_date: date | None = strawberry.field(
        name="date",
        default=None,
        description="The calendar day: one that has begun somewhere on Earth. Null: the viewer's day of `countedAt`.",
    )
    counted_at: datetime | None = strawberry.field(
        default=None,
        description="As of when it was counted, not in the future: a total of an earlier moment changes nothing. Null: now.",
    )


@strawberry.input(description="Which count of a day's steps to take back.")
class DeleteStepsInput:
    id: strawberry.ID = strawberry.field(description="The count's id.")
    expected_version: int | None = expected_version()


@strawberry.type(description="What came of telling a day's steps.")
class LogStepsPayload(Payload):
    step_count: StepCount | None = strawberry.field(
        default=None,
        description="What holds of this source and day now: the total that was told, or one that was counted later. Null if it was"
        " refused.",
    )
    user: LazyUser | None = strawberry.field(default=None, description="The person; null if it was refused.")


@strawberry.type(description="What came of taking a count of steps back.")
class DeleteStepsPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(default=None, description="The person; null if it was refused.")


@strawberry.type
class StepCountMutation:
    @mutation(
        key_scope=KeyScope.WRITE_BODY,
        description="Tell how many steps the viewer has taken on a day, as one source counted them: the total so far, which replaces"
        " what that source told before. CONFLICT for more than there may be. Steps change no energy: the activity level has"
        " those of everyday life, and workouts have their own.",
    )
    async def log_steps(self, info: Info, input: LogStepsInput) -> LogStepsPayload | None:
        from subgraphs.users.api.user import load_viewer

        context = info.context
        now = context.resources.now()
        new = commands.NewStepCount(
            source=input.source, steps=input.steps, counted_at=input.counted_at or now, local_date=input.local_date
        )
        record = await commands.log_steps(context.viewer, new, database=context.resources.database, now=now)
        context.renew_loaders()
        return LogStepsPayload(step_count=step_count_node(record), user=await load_viewer(info))

    @mutation(
        key_scope=KeyScope.WRITE_BODY,
        description="Take back what a source counted of one of the viewer's days. NOT_FOUND where there is none.",
    )
    async def delete_steps(self, info: Info, input: DeleteStepsInput) -> DeleteStepsPayload | None:
        from subgraphs.users.api.user import load_viewer

        context = info.context
        await commands.delete_steps(
            context.viewer,
            input.id,
            expected_version=input.expected_version,
            database=context.resources.database,
            now=context.resources.now(),
        )
        context.renew_loaders()
        return DeleteStepsPayload(deleted_id=input.id, user=await load_viewer(info))
