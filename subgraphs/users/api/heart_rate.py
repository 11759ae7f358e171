"""Heart rates that a person keeps, in GraphQL: at rest and at most, each from a day on."""

from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Annotated, cast

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.inputs import client_made_id, expected_version, given, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.pagination import After, Before, Connection, First, Last, connect
from subgraphs.shell.physiology import HeartRateKind
from subgraphs.shell.physiology_type import HEART_RATES_DESCRIPTION, PHYSIOLOGY_DESCRIPTION, HeldHeartRate, Physiology
from subgraphs.shell.scalars import IdempotencyKey
from subgraphs.shell.sharing import SHARED_BODY
from subgraphs.users.commands import heart_rate as commands
from subgraphs.users.loaders import loaders_of
from subgraphs.users.queries.heart_rate import HeartRatePage, HeartRateRecord

if TYPE_CHECKING:
    from subgraphs.users.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.users.api.user")]


@strawberry.type(
    description="A heart rate of a person's own. It holds from its day on, until the day of the next of its kind."
)
class HeartRateEntry:
    id: strawberry.ID = strawberry.field(description="Identifies the heart rate in the whole graph, for caches.")
    kind: HeartRateKind = strawberry.field(description="At rest, or at most.")
    beats_per_minute: int = strawberry.field(description="In beats a minute.")
    since: date = strawberry.field(description="The first of the person's calendar days on which it holds.")
    notes: str | None = strawberry.field(description="The person's own words; null if there are none.")
    version: int = strawberry.field(
        description="Counts its changes; send it as `expectedVersion` to change only this one."
    )


def heart_rate_node(record: HeartRateRecord) -> HeartRateEntry:
    return HeartRateEntry(
        id=strawberry.ID(record.id),
        kind=HeartRateKind(record.kind),
        beats_per_minute=record.beats_per_minute,
        since=record.since,
        notes=record.notes,
        version=record.version,
    )


@strawberry.federation.type(name="Physiology", shareable=True, inaccessible=True, description=PHYSIOLOGY_DESCRIPTION)
class PhysiologyOfUser(Physiology):
    """All that there is of it. Heart rates are read only where they are asked for."""

    user_id: strawberry.Private[str] = ""
    date_of_birth: date | None = strawberry.field(default=None, description="Null if not told.")

    @strawberry.field(description=HEART_RATES_DESCRIPTION, directives=[list_size(10)])
    async def heart_rates(self, info: Info) -> list[HeldHeartRate]:
        records = await loaders_of(info).all_heart_rates_by_user.load(self.user_id)
        return [
            HeldHeartRate(kind=HeartRateKind(each.kind), beats_per_minute=each.beats_per_minute, since=each.since)
            for each in records
        ]


@strawberry.type
class HeartRatesOfUser:
    """Fields of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)

    @strawberry.field(
        description="The person's own heart rates, the newest day first. `totalCount` counts those of both kinds.",
        directives=[SHARED_BODY],
    )
    async def heart_rates(
        self,
        info: Info,
        kind: Annotated[HeartRateKind | None, strawberry.argument(description="Null: of both kinds.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[HeartRateEntry]:
        page = KeysetList("User.heartRates", self.id, (date, str)).page(first, after, last, before)
        wanted = HeartRatePage(None if kind is None else kind.value, page)
        records = await loaders_of(info).heart_rates_by_user.load((self.id, wanted))
        count = partial(loaders_of(info).heart_rate_count_by_user.load, self.id)
        return connect(records, page, heart_rate_node, lambda record: (record.since, record.id), count)


@strawberry.input(description="A heart rate to keep; a person has up to 1,000.")
class LogHeartRateInput:
    kind: HeartRateKind = strawberry.field(description="At rest, or at most.")
    beats_per_minute: int = strawberry.field(description="In beats a minute: 25 to 150 at rest, 60 to 250 at most.")
    since: date | None = strawberry.field(
        default=None,
        description="The first day on which it holds: one that has begun somewhere on Earth. No other of its kind may begin on"
        " it. Null: the viewer's day now.",
    )
    notes: str | None = strawberry.field(default=None, description="Up to 500 characters. Null: none.")
    id: strawberry.ID | None = client_made_id("heartRate")
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.input(
    description="What is to be different of a heart rate: what is absent stays, what is null is cleared. Its kind stays."
)
class EditHeartRateInput:
    id: strawberry.ID = strawberry.field(description="The heart rate's id.")
    beats_per_minute: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="In beats a minute: 25 to 150 at rest, 60 to 250 at most. It cannot be null.",
    )
    since: date | None = strawberry.field(
        default=strawberry.UNSET,
        description="The first day on which it holds: one that has begun somewhere on Earth. No other of its kind may begin on"
        " it. It cannot be null.",
    )
    notes: str | None = strawberry.field(default=strawberry.UNSET, description="Up to 500 characters. Null: none.")
    expected_version: int | None = expected_version()

    def to_changes(self) -> commands.HeartRateChanges:
        return cast("commands.HeartRateChanges", given(self, "notes", never_null=("beats_per_minute", "since")))


@strawberry.input(description="Which heart rate to take back.")
class DeleteHeartRateInput:
    id: strawberry.ID = strawberry.field(description="The heart rate's id.")
    expected_version: int | None = expected_version()


@strawberry.type(description="What came of keeping or correcting a heart rate.")
class HeartRatePayload(Payload):
    heart_rate: HeartRateEntry | None = strawberry.field(
        default=None, description="The heart rate as it is now; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(default=None, description="The person; null if it was refused.")


@strawberry.type(description="What came of taking a heart rate back.")
class DeleteHeartRatePayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(default=None, description="The person; null if it was refused.")


@strawberry.type
class HeartRateMutation:
    @mutation(
        key_scope=KeyScope.WRITE_BODY,
        description="Keep a heart rate of the viewer from a day on. CONFLICT for more than there may be, and for a day on which"
        " another of its kind begins.",
    )
    async def log_heart_rate(self, info: Info, input: LogHeartRateInput) -> HeartRatePayload | None:
        resources = info.context.resources
        new = commands.NewHeartRate(
            kind=input.kind,
            beats_per_minute=input.beats_per_minute,
            since=input.since,
            notes=input.notes,
            request=request_key(input),
        )
        record = await commands.log_heart_rate(
            info.context.viewer, new, database=resources.database, now=resources.now()
        )
        return await _answer(info, record)

    @mutation(
        key_scope=KeyScope.WRITE_BODY,
        description="Correct one of the viewer's heart rates. NOT_FOUND where there is none; CONFLICT for a day on which"
        " another of its kind begins.",
    )
    async def edit_heart_rate(self, info: Info, input: EditHeartRateInput) -> HeartRatePayload | None:
        resources = info.context.resources
        record = await commands.edit_heart_rate(
            info.context.viewer,
            input.id,
            input.to_changes(),
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return await _answer(info, record)

    @mutation(
        key_scope=KeyScope.WRITE_BODY,
        description="Take one of the viewer's heart rates back; the one before it holds again. NOT_FOUND where there is none.",
    )
    async def delete_heart_rate(self, info: Info, input: DeleteHeartRateInput) -> DeleteHeartRatePayload | None:
        from subgraphs.users.api.user import load_viewer

        context = info.context
        await commands.delete_heart_rate(
            context.viewer, input.id, expected_version=input.expected_version, database=context.resources.database
        )
        context.renew_loaders()
        return DeleteHeartRatePayload(deleted_id=input.id, user=await load_viewer(info))


async def _answer(info: Info, record: HeartRateRecord) -> HeartRatePayload:
    from subgraphs.users.api.user import load_viewer

    info.context.renew_loaders()
    return HeartRatePayload(heart_rate=heart_rate_node(record), user=await load_viewer(info))
