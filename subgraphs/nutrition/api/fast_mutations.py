"""Changes to fasts in GraphQL: begun, ended, corrected, deleted."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.nutrition.api.fast import Fast, fast_node
from subgraphs.nutrition.commands import fast as commands
from subgraphs.nutrition.domain import fast as domain
from subgraphs.shell.context import Info
from subgraphs.shell.inputs import client_made_id, expected_version, given, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.scalars import IdempotencyKey

if TYPE_CHECKING:
    from subgraphs.nutrition.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.nutrition.api.user")]
_TARGET = (
    f"How long it is to last, {domain.SHORTEST_TARGET_MINUTES} to {domain.LONGEST_TARGET_MINUTES} minutes. Null: open."
)


@strawberry.input(description="A fast to begin; one runs at a time.")
class StartFastInput:
    started_at: datetime | None = strawberry.field(
        default=None, description="When it began, in the last 7 days and not in the future. Null: now."
    )
    target_minutes: int | None = strawberry.field(default=None, description=_TARGET)
    id: strawberry.ID | None = client_made_id("fast")
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.input(description="Which fast to end.")
class EndFastInput:
    id: strawberry.ID = strawberry.field(description="The fast's id.")
    ended_at: datetime | None = strawberry.field(
        default=None, description="When it ended, not in the future. Null: now."
    )
    expected_version: int | None = expected_version()


@strawberry.input(description="What to correct of a fast; what is absent stays.")
class UpdateFastInput:
    id: strawberry.ID = strawberry.field(description="The fast's id.")
    expected_version: int | None = expected_version()
    started_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When it began, not in the future. Null is refused."
    )
    ended_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When it ended, at most 7 days after it began. Null: it runs."
    )
    target_minutes: int | None = strawberry.field(default=strawberry.UNSET, description=_TARGET)


@strawberry.input(description="Which fast to delete.")
class DeleteFastInput:
    id: strawberry.ID = strawberry.field(description="The fast's id.")
    expected_version: int | None = expected_version()


_FAST = "The fast as it is now; null if it was refused."


@strawberry.type(description="What came of beginning a fast.")
class StartFastPayload(Payload):
    fast: Fast | None = strawberry.field(default=None, description=_FAST)


@strawberry.type(description="What came of ending a fast.")
class EndFastPayload(Payload):
    fast: Fast | None = strawberry.field(default=None, description=_FAST)


@strawberry.type(description="What came of correcting a fast.")
class UpdateFastPayload(Payload):
    fast: Fast | None = strawberry.field(default=None, description=_FAST)


@strawberry.type(description="What came of deleting a fast.")
class DeleteFastPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(
        default=None, description="The person without that fast; null if it was refused."
    )


@strawberry.type
class FastMutation:
    @mutation(
        key_scope=KeyScope.WRITE_DIARY, description="Begin a fast of the viewer. CONFLICT where one runs, or was then."
    )
    async def start_fast(self, info: Info, input: StartFastInput) -> StartFastPayload | None:
        resources = info.context.resources
        now = resources.now()
        record = await commands.start_fast(
            info.context.viewer,
            input.started_at or now,
            input.target_minutes,
            request_key(input),
            database=resources.database,
            now=now,
        )
        info.context.renew_loaders()
        return StartFastPayload(fast=fast_node(record))

    @mutation(key_scope=KeyScope.WRITE_DIARY, description="End a fast of the viewer.")
    async def end_fast(self, info: Info, input: EndFastInput) -> EndFastPayload | None:
        resources = info.context.resources
        now = resources.now()
        record = await commands.update_fast(
            info.context.viewer,
            input.id,
            {"ended_at": input.ended_at or now},
            expected_version=input.expected_version,
            database=resources.database,
            now=now,
        )
        info.context.renew_loaders()
        return EndFastPayload(fast=fast_node(record))

    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Correct a fast of the viewer. CONFLICT where it would overlap another.",
    )
    async def update_fast(self, info: Info, input: UpdateFastInput) -> UpdateFastPayload | None:
        resources = info.context.resources
        record = await commands.update_fast(
            info.context.viewer,
            input.id,
            given(input, "ended_at", "target_minutes", never_null=("started_at",)),
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        info.context.renew_loaders()
        return UpdateFastPayload(fast=fast_node(record))

    @mutation(key_scope=KeyScope.WRITE_DIARY, description="Delete a fast of the viewer.")
    async def delete_fast(self, info: Info, input: DeleteFastInput) -> DeleteFastPayload | None:
        from subgraphs.nutrition.api.user import load_named_user

        viewer = info.context.viewer
        await commands.delete_fast(
            viewer, input.id, expected_version=input.expected_version, database=info.context.resources.database
        )
        info.context.renew_loaders()
        return DeleteFastPayload(deleted_id=input.id, user=await load_named_user(info, viewer.id))
