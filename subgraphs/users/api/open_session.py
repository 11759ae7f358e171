"""A person's open sessions in GraphQL: where somebody is signed in, and since when."""

from datetime import datetime
from functools import partial

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.keyset import Page
from subgraphs.shell.pagination import Connection, connect
from subgraphs.users.loaders import loaders_of
from subgraphs.users.queries.session import SessionRecord


@strawberry.type(description="A sign-in that goes on: one of a person's devices.")
class Session:
    id: strawberry.ID = strawberry.field(description="Identifies the session in the whole graph.")
    device_name: str | None = strawberry.field(description="What it was called at sign-in; null if it was not.")
    created_at: datetime = strawberry.field(description="When the person signed in.")
    last_used_at: datetime = strawberry.field(
        description="When its tokens were made or renewed last, which a session in use does every few minutes."
    )
    expires_at: datetime = strawberry.field(description="When it ends by itself.")
    used_second_factor: bool = strawberry.field(
        description="Whether a code of the second factor was given at the sign-in: not where there was no factor yet."
    )
    used_passkey: bool = strawberry.field(description="Whether the person signed in with a passkey.")
    is_current: bool = strawberry.field(description="Whether it is the one that asks.")


async def session_connection(info: Info, user_id: str, page: Page) -> Connection[Session]:
    """A page of the person's open sessions, newest first."""
    viewer = info.context.viewer
    records = await loaders_of(info).sessions_by_user.load((user_id, page))

    def node(record: SessionRecord) -> Session:
        return Session(
            id=strawberry.ID(record.id),
            device_name=record.device_name,
            created_at=record.created_at,
            last_used_at=record.last_used_at,
            expires_at=record.expires_at,
            used_second_factor=record.used_factor,
            used_passkey=record.used_passkey,
            is_current=record.id == viewer.session_id,
        )

    count = partial(loaders_of(info).session_count_by_user.load, user_id)
    return connect(records, page, node, lambda record: (record.created_at, record.id), count)
