"""What of a person changed since a client last asked, in GraphQL: one page, with the token to ask with next.

A subgraph's `api/changes.py` says which types there are, by the kinds of its `synced.py`, and declares a field of User with
`changes_field`. Used by clients that keep a copy and work without a network (`deploy/docs/offline-first.md`).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import strawberry

from loaders.dataloader import DataLoader
from subgraphs.shell.change_log import ChangePage, ChangeRecord, ChangesRecord, Place
from subgraphs.shell.context import Info
from subgraphs.shell.cost import ListSize, list_size
from subgraphs.shell.errors import SyncAnewReason, SyncTokenExpiredError, UnavailableError
from subgraphs.shell.keyset import DEFAULT_PAGE, LARGEST_PAGE, BigInteger, KeysetList, encode_cursor
from subgraphs.shell.scalars import CacheControl, CacheControlScope
from subgraphs.shell.sharing import Owned

EntityT = TypeVar("EntityT")
OwnedT = TypeVar("OwnedT", bound=Owned)
LoaderOfChanges = Callable[[Info], DataLoader[tuple[str, ChangePage], ChangesRecord | None]]

#: How long a token holds; deletions are kept for longer (`change_log.TOMBSTONE_DAYS`).
TOKEN_DAYS = 90

Since = Annotated[
    str | None,
    strawberry.argument(
        description="The `token` of the page before, or of the last synchronisation. Null: from the start, all that there is."
    ),
]
FirstChanges = Annotated[
    int | None,
    strawberry.argument(description=f"How many changes at most: 1 to {LARGEST_PAGE}. Null: {DEFAULT_PAGE}."),
]
_DIRECTIVES = (
    ListSize(
        assumed_size=DEFAULT_PAGE,
        slicing_arguments=["first"],
        sized_fields=["changes"],
        require_one_slicing_argument=False,
    ),
    CacheControl(max_age=0, scope=CacheControlScope.PRIVATE),  # no cache may answer for it
)
_DESCRIPTION = (
    f" since a token. Tokens hold for {TOKEN_DAYS} days and in one life of the database: SYNC_TOKEN_EXPIRED says to begin"
    " without one."
)


@strawberry.type(
    description="Something of a person that came to be, changed or was deleted; each is told once, as it is now."
)
class Change(Generic[EntityT]):
    id: strawberry.ID = strawberry.field(description="The thing's id.")
    entity_type: str = strawberry.field(description="The GraphQL type that it is or was, as `__typename` names it.")
    is_deleted: bool = strawberry.field(description="Whether it was deleted.")
    load: strawberry.Private[Callable[[], Awaitable[Any]]]

    @strawberry.field(  # type: ignore[untyped-decorator]
        description="The thing as it is now. Null once it is deleted, even where that was a moment ago and `isDeleted` is"
        " told with a later page: a client forgets it either way."
    )
    async def entity(self) -> EntityT | None:
        found: EntityT | None = None if self.is_deleted else await self.load()
        return found


@strawberry.type(description="A page of what changed.")
class Changes(Generic[EntityT]):
    changes: list[Change[EntityT]] = strawberry.field(
        description="The changes, the oldest first. None that was committed before the token's moment is missing.",
        directives=[list_size(DEFAULT_PAGE)],
    )
    token: str = strawberry.field(description="What to ask with next. Opaque, and one person's and this field's.")
    has_more: bool = strawberry.field(description="Whether more follows at once.")


@dataclass(frozen=True, slots=True)
class SyncedType:
    """The name of the GraphQL type of a kind of things, and how one of a person is read: by the person's id and the thing's."""

    name: str
    load: Callable[[Info, str, str], Awaitable[Any]]


def owned(
    name: str, loader_of: Callable[[Info], DataLoader[str, OwnedT | None]], to_node: Callable[[OwnedT], Any]
) -> SyncedType:
    """Of things that a loader has by their id, each with its person's."""

    async def load(info: Info, user_id: str, entity_id: str) -> Any:
        record = await loader_of(info).load(entity_id)
        return None if record is None or record.user_id != user_id else to_node(record)

    return SyncedType(name, load)


class _Token(NamedTuple):
    """What a token says: of which life of the database it is, when it was given, in seconds since 1970, and the place."""

    life: str
    given_at: int
    place: Place


def changes_field(
    field: str, what: str, types: Mapping[str, SyncedType], loader_of: LoaderOfChanges, *, more: str = ""
) -> Any:
    """Declares a field of User, of type `Changes[...]`, that tells what changed of the `types`.

    `field` names it, for its tokens fit no other; its description says `what` changed, and `more` at the end.
    """

    async def changes(root: Any, info: Info, since: Since = None, first: FirstChanges = None) -> Any:
        return await _read_changes(info, field, root.id, types, loader_of, since, first)

    return strawberry.field(resolver=changes, description=f"{what} changed{_DESCRIPTION}{more}", directives=_DIRECTIVES)


async def _read_changes(
    info: Info,
    field: str,
    user_id: str,
    types: Mapping[str, SyncedType],
    loader_of: LoaderOfChanges,
    since: str | None,
    first: int | None,
) -> Changes[Any]:
    """A page of the person's changes.

    Raises ValidationError for a size or token that is none, SyncTokenExpiredError, and UnavailableError for a moment after
    the database was restored.
    """
    tokens = KeysetList(field, user_id, (str, BigInteger, BigInteger, str, str))
    size = tokens.page(first).size
    token = None if since is None else _read_token(tokens, since)
    info.context.read_primary()
    place = Place() if token is None else token.place
    record = await loader_of(info).load((user_id, ChangePage(place, size)))
    if record is None or not record.is_settled:
        raise UnavailableError
    now = info.context.resources.now()
    if token is not None:
        if token.life != record.life or token.place.changed_in > record.horizon:
            raise SyncTokenExpiredError(SyncAnewReason.OTHER_EPOCH)
        if token.given_at < (now - timedelta(days=TOKEN_DAYS)).timestamp():
            raise SyncTokenExpiredError(SyncAnewReason.TOO_OLD)
    told, has_more = record.changes[:size], len(record.changes) > size
    # Behind the last one where more follow; else behind everything that can be seen.
    reached = told[-1].place if has_more else Place(record.horizon)
    return Changes(
        changes=[_change_node(info, user_id, types, change) for change in told],
        token=encode_cursor(tokens.tag, (record.life, int(now.timestamp()), *reached)),
        has_more=has_more,
    )


def _read_token(tokens: KeysetList, since: str) -> _Token:
    life, given_at, *place = tokens.read_cursor("since", since)
    return _Token(life, given_at, Place(*place))


def _change_node(info: Info, user_id: str, types: Mapping[str, SyncedType], change: ChangeRecord) -> Change[Any]:
    synced = types[change.kind]

    async def load() -> Any:
        return await synced.load(info, user_id, change.entity_id)

    return Change(
        id=strawberry.ID(change.entity_id),
        entity_type=synced.name,
        is_deleted=change.is_deleted,
        load=load,
    )
