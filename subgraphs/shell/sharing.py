"""What of a person others may read by a grant, and the person's API keys: one directive says so, and is enforced here.

On a field of User it opens that field, on a type the things of that type. What has no directive is the owner's and the
administrators' alone, so whatever a subgraph adds is shut until it says otherwise. Routers are told as `@requiresScopes`.
"""

from collections.abc import Callable, Iterator, MutableMapping
from datetime import datetime
from inspect import isawaitable
from typing import Any, Protocol, TypeVar

import strawberry
from graphql import GraphQLObjectType
from strawberry import Schema
from strawberry.federation.schema_directives import External, Inaccessible
from strawberry.schema_directive import Location, schema_directive
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from loaders.dataloader import DataLoader
from subgraphs.shell.context import Info
from subgraphs.shell.errors import ForbiddenError
from subgraphs.shell.grant_area import GrantArea, PlanArea
from subgraphs.shell.grants import ReadRecord, Wanted
from subgraphs.shell.lean_executor import Leaf, OfInfo
from subgraphs.shell.scalars import describe_enum
from subgraphs.shell.scopes import ANY_KEY, NO_KEY, RequiresScopes, reads, required_scopes

describe_enum(
    GrantArea,
    "What a person may let somebody read.",
    BODY="Profile, weighings, measurements and heart rates.",
    DIARY="Meals, plans of meals, drinks, fasts and targets.",
    TRAINING="Workouts, templates, records and training load.",
    PROGRESS="Days and weeks in numbers, goals, reports, achievements, the timeline and the weight trend.",
)
describe_enum(
    PlanArea,
    "What a person may let somebody plan for them, who reads the area it belongs to. Nobody logs for another person.",
    MEALS="Plans of meals, the days they are put on, and nutrition targets. Who plans it reads DIARY.",
    TRAINING="Templates of workouts, routines, and workouts for days to come. Who plans it reads TRAINING.",
    GOALS="Goals. Who plans it reads PROGRESS.",
)
_ANOTHERS = "This belongs to another user."
#: Fields of User that say who it is.
_KEYS = frozenset({"id", "node_id"})


@schema_directive(locations=[Location.FIELD_DEFINITION, Location.OBJECT], name="shared")
class Shared:
    """Whoever has a grant of this area may read it, and the owner's API keys that may read the area; without an area, whoever
    has any grant, and every key of the owner.
    """

    area: GrantArea | None = strawberry.UNSET


SHARED_BODY = Shared(area=GrantArea.BODY)
SHARED_DIARY = Shared(area=GrantArea.DIARY)
SHARED_TRAINING = Shared(area=GrantArea.TRAINING)
SHARED_PROGRESS = Shared(area=GrantArea.PROGRESS)
SHARED_WITH_ANY = Shared()


@strawberry.federation.type(
    shareable=True, description="That somebody read something of the person, by a grant, in one hour."
)
class AccessRead:
    grant_id: strawberry.ID = strawberry.field(description="The grant by which it was read; it may have ended.")
    reader_id: strawberry.ID = strawberry.field(description="Who read it.")
    reader_name: str = strawberry.field(description="How the reader was called then.")
    what: str = strawberry.field(description="The field or type that was read: `User.meals`, `Meal`.")
    hour: datetime = strawberry.field(description="The beginning of the hour in which it was read, once or more often.")


def read_node(record: ReadRecord) -> AccessRead:
    return AccessRead(
        grant_id=strawberry.ID(record.grant_id),
        reader_id=strawberry.ID(record.reader_id),
        reader_name=record.reader_name,
        what=record.what,
        hour=record.hour,
    )


async def may_read(info: Info, kind: type, owner_id: str) -> bool:
    """Whether the viewer may read things of this type of the graph that are a person's: what its `@shared` opens."""
    definition: StrawberryObjectDefinition = kind.__strawberry_definition__  # type: ignore[attr-defined]
    shared = _shared(definition)
    if shared is None:
        viewer = info.context.viewer
        return viewer.may_read(owner_id) and not viewer.is_limited
    return await info.context.may_read(_wanted(owner_id, shared, definition.name))


class Owned(Protocol):
    """A record of a thing that one person has."""

    @property
    def user_id(self) -> str: ...


_OwnedT = TypeVar("_OwnedT", bound=Owned)


async def load_readable(info: Info, kind: type, loader: DataLoader[str, _OwnedT | None], key: str) -> _OwnedT | None:
    """What the loader has by this key, unless it is a person's who does not share things of this type with the viewer.

    Raises UnauthenticatedError for nobody, whether or not there is such a thing.
    """
    _ = info.context.viewer
    record = await loader.load(key)
    return record if record is not None and await may_read(info, kind, record.user_id) else None


async def require_read(info: Info, kind: type, owner_id: str) -> None:
    """Raises ForbiddenError where `may_read` says no."""
    if not await may_read(info, kind, owner_id):
        raise ForbiddenError(_ANOTHERS)


def enforce_sharing(schema: Schema, leaves: MutableMapping[str, dict[str, Leaf]]) -> None:
    """Put the rule before the resolver of every field of User; of `leaves`, which have no resolver, those go.

    Fields that any grant opens are left alone where they are plain attributes: users gives a User to nobody else.
    """
    user = schema._schema.type_map.get("User")  # noqa: SLF001 - Strawberry offers no other way to it
    concrete = schema.schema_converter.type_map.get("User")
    if not isinstance(user, GraphQLObjectType) or concrete is None:
        return
    assert isinstance(concrete.definition, StrawberryObjectDefinition)
    for field in _guarded_fields(concrete.definition):
        name = schema.config.name_converter.get_graphql_name(field)
        graphql_field = user.fields[name]
        assert graphql_field.resolve is not None
        graphql_field.resolve = _guarded(graphql_field.resolve, _shared(field), f"User.{name}")
        leaves.get("User", {}).pop(name, None)


def declare_scopes(schema: Schema) -> None:
    """Say of every field of User in the schema's text which API keys may read it, so that routers ask for no others.

    A field with `@requires` says it itself, for it asks for the rights of what it requires too.
    """
    concrete = schema.schema_converter.type_map.get("User")
    if concrete is None:
        return
    assert isinstance(concrete.definition, StrawberryObjectDefinition)
    for field in _guarded_fields(concrete.definition):
        if required_scopes(field) is None and not _is_inaccessible(field):
            field.directives.append(scopes_of(field))


def scopes_of(field: StrawberryField) -> RequiresScopes:
    """What a field of User asks for, by its `@shared`; the rule before its resolver is the same."""
    shared = _shared(field)
    if shared is None:
        return NO_KEY
    return reads(shared.area) if shared.area else ANY_KEY


def _is_inaccessible(field: StrawberryField) -> bool:
    return any(isinstance(each, Inaccessible) for each in field.directives)


def _guarded_fields(definition: StrawberryObjectDefinition) -> Iterator[StrawberryField]:
    """What other subgraphs told is not among them: it is given back as it came."""
    for field in definition.fields:
        is_external = any(isinstance(each, External) for each in field.directives)
        is_open = field.base_resolver is None and _shared(field) is SHARED_WITH_ANY
        if field.python_name not in _KEYS and not is_external and not is_open:
            yield field


def _guarded(resolve: Callable[..., Any], shared: Shared | None, what: str) -> Callable[..., Any]:
    if isinstance(resolve, OfInfo):
        return OfInfo(_guarded_call(resolve.function, shared, what), resolve.field)
    return _guarded_call(resolve, shared, what)


def _guarded_call(resolve: Callable[..., Any], shared: Shared | None, what: str) -> Callable[..., Any]:
    """`resolve` is given whichever info the call is."""

    def guarded(source: Any, info: Any, **arguments: Any) -> Any:
        viewer = info.context.viewer
        if viewer.may_read(source.id) and not viewer.is_limited:
            return resolve(source, info, **arguments)
        if shared is None:
            raise ForbiddenError(_ANOTHERS)
        return _resolve_by_grant(resolve, _wanted(source.id, shared, what), source, info, **arguments)

    return guarded


async def _resolve_by_grant(
    resolve: Callable[..., Any], wanted: Wanted, source: Any, info: Any, **arguments: Any
) -> Any:
    if not await info.context.may_read(wanted):
        raise ForbiddenError(_ANOTHERS)
    result = resolve(source, info, **arguments)
    return await result if isawaitable(result) else result


def _wanted(owner_id: str, shared: Shared, what: str) -> Wanted:
    return Wanted(owner_id, shared.area or None, what)


def _shared(declared: StrawberryField | StrawberryObjectDefinition) -> Shared | None:
    """None for what is shut."""
    return next((each for each in declared.directives or () if isinstance(each, Shared)), None)
