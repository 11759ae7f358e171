"""The person in GraphQL: the User entity, its settings, profile and physiology, and the changes to them."""

from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from subgraphs.context import Info
from subgraphs.errors import NotFoundError
from subgraphs.pagination import Connection, read_page
from subgraphs.scalars import CACHE_PRIVATE_BRIEFLY, decimal_of, local_date, rounded, rounded_or_none
from subgraphs.users.api.weight import WeightEntry, weight_connection, weight_node
from subgraphs.users.commands import account as commands
from subgraphs.users.domain import account as domain
from subgraphs.users.domain.body import body_mass_index
from subgraphs.users.loaders import loaders_of
from subgraphs.users.queries.account import AccountRecord
from subgraphs.users.queries.weight import WeightPage

Sex = strawberry.enum(domain.Sex)
ActivityLevel = strawberry.enum(domain.ActivityLevel)
FitnessGoal = strawberry.enum(domain.FitnessGoal)
WeekStart = strawberry.enum(domain.WeekStart)
Units = strawberry.enum(domain.Units)


@strawberry.type(description="When the person's day and week begin, and in which units the person reads.")
class UserSettings:
    time_zone: str = strawberry.field(description="IANA name, such as Europe/Berlin.")
    day_start_hour: int = strawberry.field(description="Entries before this hour belong to the day before.")
    week_start: domain.WeekStart
    units: domain.Units


@strawberry.type
class UserProfile:
    date_of_birth: date | None
    sex: domain.Sex | None
    height_cm: float | None
    activity_level: domain.ActivityLevel | None
    fitness_goal: domain.FitnessGoal | None
    target_weight_kg: float | None


@strawberry.federation.type(shareable=True, description="The body as of now, for other subgraphs' formulas.")
class Physiology:
    weight_kg: float | None
    height_cm: float | None
    age_years: int | None
    sex: domain.Sex | None
    activity_level: domain.ActivityLevel | None


@strawberry.federation.type(keys=["id"], description="A person.", directives=[CACHE_PRIVATE_BRIEFLY])
class User:
    record: strawberry.Private[AccountRecord]
    id: strawberry.ID
    email: str
    display_name: str = strawberry.federation.field(shareable=True)
    roles: list[str]
    created_at: datetime
    version: int

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID, **_: object) -> "User | None":
        return await load_user(info, id)

    @strawberry.field
    def settings(self) -> UserSettings:
        return UserSettings(
            time_zone=self.record.time_zone,
            day_start_hour=self.record.day_start_hour,
            week_start=domain.WeekStart(self.record.week_start),
            units=domain.Units(self.record.units),
        )

    @strawberry.field
    def profile(self) -> UserProfile:
        goal = self.record.fitness_goal
        return UserProfile(
            date_of_birth=self.record.date_of_birth,
            sex=_sex(self.record),
            height_cm=rounded_or_none(self.record.height_cm),
            activity_level=_activity(self.record),
            fitness_goal=domain.FitnessGoal(goal) if goal else None,
            target_weight_kg=rounded_or_none(self.record.target_weight_kg),
        )

    @strawberry.field
    async def physiology(self, info: Info) -> Physiology | None:
        weight = await loaders_of(info).newest_weight_by_user.load(self.id)
        return Physiology(
            weight_kg=rounded(weight.weight_kg) if weight else None,
            height_cm=rounded_or_none(self.record.height_cm),
            age_years=self._age(info),
            sex=_sex(self.record),
            activity_level=_activity(self.record),
        )

    @strawberry.field(description="Body mass index, kg/m²; for adults.")
    async def bmi(self, info: Info) -> float | None:
        weight = await loaders_of(info).newest_weight_by_user.load(self.id)
        if weight is None or self.record.height_cm is None:
            return None
        return rounded(body_mass_index(weight.weight_kg, self.record.height_cm), 1)

    @strawberry.field(description="The latest weighing.")
    async def current_weight(self, info: Info) -> WeightEntry | None:
        record = await loaders_of(info).newest_weight_by_user.load(self.id)
        return None if record is None else weight_node(record)

    @strawberry.field(description="Newest first; `from` and `to` are local dates, both included.")
    async def weights(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        from_: Annotated[date | None, strawberry.argument(name="from")] = None,
        to: date | None = None,
    ) -> Connection[WeightEntry]:
        page = read_page(first, after, (datetime, str))
        wanted = WeightPage(first_day=from_, last_day=to, after=page.after, limit=page.limit)
        return weight_connection(await loaders_of(info).weights_by_user.load((self.id, wanted)), page)

    def _age(self, info: Info) -> int | None:
        born = self.record.date_of_birth
        if born is None:
            return None
        today = local_date(info.context.resources.now(), self.record.time_zone, self.record.day_start_hour)
        return domain.age_years(born, today)


def _sex(record: AccountRecord) -> domain.Sex | None:
    return domain.Sex(record.sex) if record.sex else None


def _activity(record: AccountRecord) -> domain.ActivityLevel | None:
    return domain.ActivityLevel(record.activity_level) if record.activity_level else None


def user_node(record: AccountRecord) -> User:
    return User(
        record=record,
        id=strawberry.ID(record.id),
        email=record.email,
        display_name=record.display_name,
        roles=record.roles,
        created_at=record.created_at,
        version=record.version,
    )


async def load_user(info: Info, user_id: str) -> User | None:
    """The person, unless the viewer may not know of them."""
    if not info.context.viewer.may_read(user_id):
        return None
    record = await loaders_of(info).account_by_id.load(user_id)
    return None if record is None else user_node(record)


async def load_viewer(info: Info) -> User:
    """Raises NotFoundError for a token that outlived its account."""
    user = await load_user(info, info.context.viewer.id)
    if user is None:
        raise NotFoundError("This account does not exist any more.")
    return user


@strawberry.type
class UserQuery:
    @strawberry.field(description="The viewer.")
    async def me(self, info: Info) -> User:
        return await load_viewer(info)

    @strawberry.field(description="A person by id; null unless it is the viewer, or the viewer is an administrator.")
    async def user(self, info: Info, id: strawberry.ID) -> User | None:
        return await load_user(info, id)


@strawberry.input(description="What is absent stays; what is null is forgotten.")
class UpdateProfileInput:
    display_name: str | None = strawberry.UNSET
    date_of_birth: date | None = strawberry.UNSET
    sex: domain.Sex | None = strawberry.UNSET
    height_cm: float | None = strawberry.UNSET
    activity_level: domain.ActivityLevel | None = strawberry.UNSET
    fitness_goal: domain.FitnessGoal | None = strawberry.UNSET
    target_weight_kg: float | None = strawberry.UNSET
    expected_version: int | None = None

    def changes(self) -> dict[str, Any]:
        names = ("date_of_birth", "sex", "height_cm", "activity_level", "fitness_goal", "target_weight_kg")
        given = {name: getattr(self, name) for name in names}
        return {
            name: decimal_of(value, 2) if isinstance(value, float) else value
            for name, value in given.items()
            if value is not strawberry.UNSET
        }


@strawberry.input(description="What is absent stays.")
class UpdateSettingsInput:
    time_zone: str | None = None
    day_start_hour: int | None = None
    week_start: domain.WeekStart | None = None
    units: domain.Units | None = None
    expected_version: int | None = None

    def changes(self) -> dict[str, Any]:
        names = ("time_zone", "day_start_hour", "week_start", "units")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


@strawberry.type
class UserPayload:
    user: User


@strawberry.type
class UserMutation:
    @strawberry.mutation(description="Change parts of the viewer's profile.")
    async def update_profile(self, info: Info, input: UpdateProfileInput) -> UserPayload:
        context = info.context
        record = await commands.update_profile(
            context.viewer.id,
            input.changes(),
            display_name=input.display_name or None,
            expected_version=input.expected_version,
            database=context.resources.database,
            now=context.resources.now(),
        )
        context.renew_loaders()
        return UserPayload(user=user_node(record))

    @strawberry.mutation(description="Change parts of the viewer's settings. Days that entries have already stay.")
    async def update_settings(self, info: Info, input: UpdateSettingsInput) -> UserPayload:
        context = info.context
        record = await commands.update_settings(
            context.viewer.id,
            input.changes(),
            expected_version=input.expected_version,
            database=context.resources.database,
            now=context.resources.now(),
        )
        context.renew_loaders()
        return UserPayload(user=user_node(record))
