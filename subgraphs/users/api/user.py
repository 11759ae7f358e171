"""The person in GraphQL: the User entity, its settings, profile and physiology, and the changes to them."""

from datetime import date, datetime
from functools import partial
from typing import Annotated, Any

import strawberry

from subgraphs.shell.calendar import WeekStart, local_date
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.errors import NotFoundError
from subgraphs.shell.inputs import expected_version, given
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.look_ahead import LookAhead
from subgraphs.shell.measurement_kind_type import MeasurementKind
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import Node
from subgraphs.shell.pagination import After, Before, Connection, First, FromDay, Last, ToDay, connect
from subgraphs.shell.physiology import ActivityLevel, FitnessGoal, Sex, age_years
from subgraphs.shell.quantities import Mass, mass
from subgraphs.shell.scalars import (
    CACHE_PRIVATE_BRIEFLY,
    TimeZone,
    decimal_of,
    describe_enum,
    rounded,
    rounded_or_none,
)
from subgraphs.shell.scopes import ANY_KEY
from subgraphs.shell.sharing import SHARED_BODY, SHARED_WITH_ANY, may_read
from subgraphs.shell.viewer_field import viewer_field
from subgraphs.users.api.api_key import ApiKeysOfUser
from subgraphs.users.api.changes import ChangesOfUser
from subgraphs.users.api.consent import ConsentsOfUser
from subgraphs.users.api.grant import GrantsOfUser
from subgraphs.users.api.heart_rate import HeartRatesOfUser, PhysiologyOfUser
from subgraphs.users.api.measurement import (
    LENGTH_UNIT_OF,
    BodyComposition,
    Length,
    LengthInOrSetting,
    Measurement,
    length,
    measurement_node,
    read_composition,
)
from subgraphs.users.api.notification import NotificationsOfUser
from subgraphs.users.api.notification_preference import PreferencesOfUser
from subgraphs.users.api.open_session import Session, session_connection
from subgraphs.users.api.passkey import PasskeysOfUser
from subgraphs.users.api.push_subscription import PushSubscriptionsOfUser
from subgraphs.users.api.reminder import RemindersOfUser
from subgraphs.users.api.step_count import StepCountsOfUser
from subgraphs.users.api.webhook import WebhooksOfUser
from subgraphs.users.api.weight import MASS_UNIT_OF, MassInOrSetting, WeightEntry, weight_connection, weight_node
from subgraphs.users.commands import account as commands
from subgraphs.users.domain import account as domain
from subgraphs.users.domain.body import body_mass_index
from subgraphs.users.loaders import loaders_of
from subgraphs.users.queries.account import AccountRecord
from subgraphs.users.queries.measurement import MeasurementPage
from subgraphs.users.queries.weight import WeightPage, WeightRecord

describe_enum(
    WeekStart,
    "The day on which somebody's week begins.",
    MONDAY="From Monday to Sunday, as ISO 8601 counts.",
    SATURDAY="From Saturday to Friday.",
    SUNDAY="From Sunday to Saturday.",
)
describe_enum(
    domain.Units,
    "The units that somebody reads and enters.",
    METRIC="Kilograms, centimetres, kilometres, millilitres.",
    IMPERIAL="Pounds, feet and inches, miles, fluid ounces.",
)
describe_enum(
    domain.Theme,
    "In which colours somebody wants pages.",
    SYSTEM="As the device has it.",
    LIGHT="Dark on light.",
    DARK="Light on dark.",
)
describe_enum(
    domain.DateFormat,
    "In which order somebody wants the parts of a date in figures.",
    BY_LANGUAGE="As the language has it.",
    YEAR_MONTH_DAY="2026-01-31.",
    DAY_MONTH_YEAR="31/01/2026.",
    MONTH_DAY_YEAR="01/31/2026.",
)
describe_enum(
    domain.Role,
    "What somebody may do.",
    USER="Read and write what is one's own.",
    PREMIUM="Ask what takes much to answer, such as `rangeReport`. It has an end, `User.premiumUntil`.",
    ADMIN="Read what anybody has, suspend accounts, and set roles.",
)
describe_enum(
    domain.AccountStatus,
    "Whether the person of an account may sign in.",
    ACTIVE="The person may.",
    SUSPENDED="Nobody may, until an administrator opens it again.",
)
Role = domain.Role


@strawberry.type(
    description="When the person's day and week begin, in which units the person reads, how pages are to look and speak, and who may"
    " invite the person."
)
class UserSettings:
    id: strawberry.ID = strawberry.field(description="Identifies the settings in the whole graph, for caches.")
    time_zone: TimeZone = strawberry.field(description="Where the person's days begin.")
    day_start_hour: int = strawberry.field(description="Entries before this hour, 0 to 12, belong to the day before.")
    week_start: WeekStart = strawberry.field(description="The day on which the person's week begins.")
    units: domain.Units = strawberry.field(description="The units that the person reads and enters.")
    language: str | None = strawberry.field(
        description="The language of pages, as a BCP 47 tag such as `de` or `zh-Hant-TW`; null: that of the device. Messages of the"
        " API are English, and clients say the rest by code."
    )
    theme: domain.Theme = strawberry.field(description="In which colours pages are to be.")
    date_format: domain.DateFormat = strawberry.field(description="In which order dates are shown in figures.")
    invitable_by_email: bool = strawberry.field(
        description="Whether others who know the person's address may invite the person to read what is theirs; if not, such"
        " invitations neither reach the person nor say so."
    )


@strawberry.type(description="What the person told of the body and the aim; null is what was not told.")
class UserProfile:
    id: strawberry.ID = strawberry.field(description="Identifies the profile in the whole graph, for caches.")
    date_of_birth: date | None = strawberry.field(description="The day of birth; null if not told.")
    sex: Sex | None = strawberry.field(description="For formulas of energy; null if not told.")
    height_cm: float | None = strawberry.field(description="In centimetres; null if not told.")
    activity_level: ActivityLevel | None = strawberry.field(
        description="How much the person moves apart from workouts; null if not told."
    )
    fitness_goal: FitnessGoal | None = strawberry.field(description="What the person is here for; null if not told.")
    target_weight_kg: float | None = strawberry.field(description="Wanted body weight in kilograms; null if not told.")
    record: strawberry.Private[AccountRecord]

    @strawberry.field(description="The height in a unit; null if not told.")
    def height(self, unit: LengthInOrSetting = None) -> Length | None:
        height_cm = self.record.height_cm
        return None if height_cm is None else length(height_cm, unit or LENGTH_UNIT_OF[domain.Units(self.record.units)])

    @strawberry.field(description="The wanted body weight in a unit; null if not told.")
    def target_weight(self, unit: MassInOrSetting = None) -> Mass | None:
        target_kg = self.record.target_weight_kg
        return None if target_kg is None else mass(target_kg, unit or MASS_UNIT_OF[domain.Units(self.record.units)])


#: What is selected of a person that rests on the newest weighing, which is then read with the account.
_OF_USER = LookAhead(weight=["currentWeight", "physiology", "bmi", "bodyComposition"])


@strawberry.federation.type(
    keys=["id", "nodeId"], description="A person.", directives=[CACHE_PRIVATE_BRIEFLY, SHARED_WITH_ANY]
)
class User(
    Node,
    GrantsOfUser,
    NotificationsOfUser,
    RemindersOfUser,
    PreferencesOfUser,
    PushSubscriptionsOfUser,
    ApiKeysOfUser,
    PasskeysOfUser,
    ChangesOfUser,
    WebhooksOfUser,
    HeartRatesOfUser,
    ConsentsOfUser,
    StepCountsOfUser,
):
    record: strawberry.Private[AccountRecord]
    email: str = strawberry.field(description="The address that the person signs in with, as it was registered.")
    email_verified: bool = strawberry.field(
        description="Whether the person has proven, by a mail, to read that address."
    )
    display_name: str = strawberry.federation.field(
        shareable=True, description="How the person is called.", directives=[SHARED_WITH_ANY]
    )
    has_second_factor: bool = strawberry.field(description="Whether sign-in asks for a code of an authenticator app.")
    status: domain.AccountStatus = strawberry.field(description="Whether the person may sign in.")
    premium_until: datetime | None = strawberry.field(
        description="When the role PREMIUM ends, or has ended; null where there never was one."
    )
    erasure_due_at: datetime | None = strawberry.field(
        description="When the account is erased, since the person withdrew the consent to HEALTH_DATA; until then it can be read"
        " and exported, and nothing else. Null: it is not."
    )
    created_at: datetime = strawberry.field(description="When the account was made.")
    version: int = strawberry.field(
        description="Counts changes of settings, profile, address, status, roles and PREMIUM; send it as `expectedVersion` to change only this one."
    )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID, **_: object) -> "User | None":
        return await load_user(info, id)

    @strawberry.field(description="What the person may do now.", directives=[list_size(2)])
    def roles(self, info: Info) -> list[Role]:
        return domain.roles_at(self.record.roles, self.premium_until, info.context.resources.now())

    @strawberry.field(
        description="When the person's day and week begin, and the person's units.", directives=[SHARED_WITH_ANY]
    )
    def settings(self) -> UserSettings:
        return UserSettings(
            id=strawberry.ID(f"{self.id}:settings"),
            time_zone=TimeZone(self.record.time_zone),
            day_start_hour=self.record.day_start_hour,
            week_start=WeekStart(self.record.week_start),
            units=domain.Units(self.record.units),
            language=self.record.language,
            theme=domain.Theme(self.record.theme),
            date_format=domain.DateFormat(self.record.date_format),
            invitable_by_email=self.record.invitable_by_email,
        )

    @strawberry.field(description="What the person told of the body and the aim.", directives=[SHARED_BODY])
    def profile(self) -> UserProfile:
        goal = self.record.fitness_goal
        return UserProfile(
            record=self.record,
            id=strawberry.ID(f"{self.id}:profile"),
            date_of_birth=self.record.date_of_birth,
            sex=_sex(self.record),
            height_cm=rounded_or_none(self.record.height_cm),
            activity_level=_activity(self.record),
            fitness_goal=FitnessGoal(goal) if goal else None,
            target_weight_kg=rounded_or_none(self.record.target_weight_kg),
        )

    @strawberry.federation.field(
        inaccessible=True,
        description="The body as of now, for other subgraphs' formulas; clients read the profile.",
        directives=[SHARED_BODY],
    )
    def physiology(self, info: Info) -> PhysiologyOfUser | None:
        def with_weight(weight: WeightRecord | None) -> PhysiologyOfUser:
            record = self.record
            return PhysiologyOfUser(
                user_id=self.id,
                date_of_birth=record.date_of_birth,
                weight_kg=rounded(weight.weight_kg) if weight else None,
                height_cm=rounded_or_none(record.height_cm),
                age_years=self._age(info),
                sex=_sex(record),
                activity_level=_activity(record),
                fitness_goal=FitnessGoal(record.fitness_goal) if record.fitness_goal else None,
                body_fat_percent=rounded_or_none(weight.body_fat_percent) if weight else None,
            )

        return loaders_of(info).newest_weight_by_user.then(self.id, with_weight)

    @strawberry.field(
        description="Body mass index in kg/m²; for adults. Null without a weighing or a height.",
        directives=[SHARED_BODY],
    )
    async def bmi(self, info: Info) -> float | None:
        weight = await loaders_of(info).newest_weight_by_user.load(self.id)
        if weight is None or self.record.height_cm is None:
            return None
        return rounded(body_mass_index(weight.weight_kg, self.record.height_cm), 1)

    @strawberry.field(description="The latest weighing; null before the first.", directives=[SHARED_BODY])
    def current_weight(self, info: Info) -> WeightEntry | None:
        return loaders_of(info).newest_weight_by_user.then(self.id, _weight_node)

    @strawberry.field(
        description="The person's weighings, newest first. `totalCount` counts all of them, of any day.",
        directives=[SHARED_BODY],
    )
    async def weights(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        from_: FromDay = None,
        to: ToDay = None,
    ) -> Connection[WeightEntry]:
        page = KeysetList("User.weights", self.id, (datetime, str)).page(first, after, last, before)
        wanted = WeightPage(first_day=from_, last_day=to, page=page)
        records = await loaders_of(info).weights_by_user.load((self.id, wanted))
        return weight_connection(info, self.id, records, page)

    @strawberry.field(
        description="What the body is made of, by the newest weighing and measurements; null before the first weighing.",
        directives=[SHARED_BODY],
    )
    async def body_composition(self, info: Info) -> BodyComposition | None:
        return await read_composition(info, self.record, self._age(info))

    @strawberry.field(
        description="The person's measurements, newest first. `totalCount` counts those of every kind.",
        directives=[SHARED_BODY],
    )
    async def measurements(
        self,
        info: Info,
        kind: Annotated[MeasurementKind | None, strawberry.argument(description="Null: of any kind.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Measurement]:
        page = KeysetList("User.measurements", self.id, (datetime, str)).page(first, after, last, before)
        wanted = MeasurementPage(None if kind is None else kind.value, page)
        records = await loaders_of(info).measurements_by_user.load((self.id, wanted))
        count = partial(loaders_of(info).measurement_count_by_user.load, self.id)
        return connect(records, page, measurement_node, lambda record: (record.recorded_at, record.id), count)

    @strawberry.field(
        description="Where the person is signed in, newest first. `totalCount` counts all sessions that are open."
    )
    async def sessions(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Session]:
        page = KeysetList("User.sessions", self.id, (datetime, str)).page(first, after, last, before)
        return await session_connection(info, self.id, page)

    def _age(self, info: Info) -> int | None:
        born = self.record.date_of_birth
        if born is None:
            return None
        today = local_date(info.context.resources.now(), self.record.time_zone, self.record.day_start_hour)
        return age_years(born, today)


def _weight_node(record: WeightRecord | None) -> WeightEntry | None:
    return None if record is None else weight_node(record)


def _sex(record: AccountRecord) -> Sex | None:
    return Sex(record.sex) if record.sex else None


def _activity(record: AccountRecord) -> ActivityLevel | None:
    return ActivityLevel(record.activity_level) if record.activity_level else None


def user_node(record: AccountRecord) -> User:
    return User(
        record=record,
        id=strawberry.ID(record.id),
        email=record.email,
        email_verified=record.email_verified_at is not None,
        display_name=record.display_name,
        has_second_factor=record.totp_confirmed_at is not None,
        status=domain.AccountStatus(record.status),
        premium_until=record.premium_until,
        erasure_due_at=record.erase_at,
        created_at=record.created_at,
        version=record.version,
    )


async def load_user(info: Info, user_id: str) -> User | None:
    """The person, unless the viewer is another, and neither an administrator nor a reader of anything of theirs."""
    if not await may_read(info, User, user_id):
        return None
    loaders = loaders_of(info)
    load = loaders.account_with_weight if _OF_USER.of(info) else loaders.account_by_id.load
    record = await load(user_id)
    return None if record is None else user_node(record)


async def load_viewer(info: Info) -> User:
    """Raises NotFoundError for a token that outlived its account."""
    user = await load_user(info, info.context.viewer.id)
    if user is None:
        raise NotFoundError("This account does not exist any more.")
    return user


@strawberry.type
class UserQuery:
    @viewer_field
    async def me(self, info: Info) -> User:
        return await load_viewer(info)

    @strawberry.field(
        description="A person by id; null unless it is the viewer, somebody who gave the viewer a grant, or the viewer is an"
        " administrator.",
        directives=[ANY_KEY],
    )
    async def user(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The person's id.")]
    ) -> User | None:
        return await load_user(info, id)


@strawberry.input(description="What is absent stays; what is null is cleared.")
class UpdateProfileInput:
    display_name: str | None = strawberry.field(
        default=strawberry.UNSET, description="How the person is called, 2 to 100 characters. It cannot be null."
    )
    date_of_birth: date | None = strawberry.field(
        default=strawberry.UNSET, description="13 to 120 years ago. Null: not told."
    )
    sex: Sex | None = strawberry.field(default=strawberry.UNSET, description="For formulas of energy. Null: not told.")
    height_cm: float | None = strawberry.field(
        default=strawberry.UNSET, description="In centimetres, 50 to 300. Null: not told."
    )
    activity_level: ActivityLevel | None = strawberry.field(
        default=strawberry.UNSET, description="How much the person moves apart from workouts. Null: not told."
    )
    fitness_goal: FitnessGoal | None = strawberry.field(
        default=strawberry.UNSET, description="What the person is here for. Null: not told."
    )
    target_weight_kg: float | None = strawberry.field(
        default=strawberry.UNSET, description="Wanted body weight in kilograms, 20 to 500. Null: not told."
    )
    expected_version: int | None = expected_version()

    def changes(self) -> dict[str, Any]:
        names = ("date_of_birth", "sex", "height_cm", "activity_level", "fitness_goal", "target_weight_kg")
        changes = given(self, *names, never_null=("display_name",))
        return {name: decimal_of(value, 2) if isinstance(value, float) else value for name, value in changes.items()}


@strawberry.input(description="What is absent stays; only the language can be null.")
class UpdateSettingsInput:
    time_zone: TimeZone | None = strawberry.field(
        default=strawberry.UNSET, description="Where the person's days begin. It cannot be null."
    )
    day_start_hour: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Entries before this hour, 0 to 12, belong to the day before. It cannot be null.",
    )
    week_start: WeekStart | None = strawberry.field(
        default=strawberry.UNSET, description="The day on which the person's week begins. It cannot be null."
    )
    units: domain.Units | None = strawberry.field(
        default=strawberry.UNSET, description="The units that the person reads and enters. It cannot be null."
    )
    language: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The language of pages: a BCP 47 tag of a language and, if need be, a script and a region, in any case of"
        " letters. Null: that of the device.",
    )
    theme: domain.Theme | None = strawberry.field(
        default=strawberry.UNSET, description="In which colours pages are to be. It cannot be null."
    )
    date_format: domain.DateFormat | None = strawberry.field(
        default=strawberry.UNSET, description="In which order dates are shown in figures. It cannot be null."
    )
    invitable_by_email: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether others who know the person's address may invite the person as a reader. It cannot be null.",
    )
    expected_version: int | None = expected_version()

    def changes(self) -> dict[str, Any]:
        never_null = (
            "time_zone",
            "day_start_hour",
            "week_start",
            "units",
            "theme",
            "date_format",
            "invitable_by_email",
        )
        changes = given(self, "language", never_null=never_null)
        if changes.get("language") is not None:
            changes["language"] = domain.canonical_language(changes["language"])
        return changes


@strawberry.type(description="What came of changing a person's profile or settings.")
class UserPayload(Payload):
    user: User | None = strawberry.field(default=None, description="The person as changed; null if it was refused.")


@strawberry.type
class UserMutation:
    @mutation(description="Change parts of the viewer's profile.")
    async def update_profile(self, info: Info, input: UpdateProfileInput) -> UserPayload | None:
        context = info.context
        record = await commands.update_profile(
            context.viewer.id,
            input.changes(),
            expected_version=input.expected_version,
            database=context.resources.database,
            now=context.resources.now(),
        )
        context.renew_loaders()
        return UserPayload(user=user_node(record))

    @mutation(description="Change parts of the viewer's settings. Days that entries have already stay.")
    async def update_settings(self, info: Info, input: UpdateSettingsInput) -> UserPayload | None:
        context = info.context
        record = await commands.update_settings(
            context.viewer.id,
            input.changes(),
            expected_version=input.expected_version,
            database=context.resources.database,
            now=context.resources.now(),
        )
        await context.resources.recent_clocks.announce(
            record.id,
            record.version,
            time_zone=record.time_zone,
            day_start_hour=record.day_start_hour,
            week_start=WeekStart(record.week_start),
        )
        context.renew_loaders()
        return UserPayload(user=user_node(record))
