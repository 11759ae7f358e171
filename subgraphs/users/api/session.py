"""Registration, signing in and out, and passwords in GraphQL."""

from datetime import date

import strawberry

from subgraphs.context import Info
from subgraphs.scalars import decimal_of
from subgraphs.users.api.user import User, user_node
from subgraphs.users.commands import account, session
from subgraphs.users.domain import account as domain


@strawberry.input
class RegisterInput:
    email: str
    password: str = strawberry.field(
        description="8 to 100 characters, with an upper-case and a lower-case letter, a digit and a special character."
    )
    display_name: str
    time_zone: str = "UTC"
    day_start_hour: int = 0
    week_start: domain.WeekStart = domain.WeekStart.MONDAY
    units: domain.Units = domain.Units.METRIC
    date_of_birth: date | None = None
    sex: domain.Sex | None = None
    height_cm: float | None = None
    activity_level: domain.ActivityLevel | None = None
    fitness_goal: domain.FitnessGoal | None = None
    target_weight_kg: float | None = None

    def to_account(self) -> account.NewAccount:
        return account.NewAccount(
            email=self.email,
            password=self.password,
            display_name=self.display_name,
            profile=domain.Profile(
                date_of_birth=self.date_of_birth,
                sex=self.sex,
                height_cm=None if self.height_cm is None else decimal_of(self.height_cm, 2),
                activity_level=self.activity_level,
                fitness_goal=self.fitness_goal,
                target_weight_kg=None if self.target_weight_kg is None else decimal_of(self.target_weight_kg, 2),
            ),
            settings=domain.PersonalSettings(
                time_zone=self.time_zone,
                day_start_hour=self.day_start_hour,
                week_start=self.week_start,
                units=self.units,
            ),
        )


@strawberry.input
class LoginInput:
    email: str
    password: str


@strawberry.input
class ChangePasswordInput:
    current_password: str
    new_password: str


@strawberry.type(description="A session's tokens and whose it is.")
class SessionPayload:
    access_token: str = strawberry.field(description="Send it as: Authorization: Bearer <token>.")
    refresh_token: str = strawberry.field(description="Good for one `refresh`, which brings the next.")
    token_type: str
    expires_in: int = strawberry.field(description="Seconds until the access token expires.")
    user: User


@strawberry.type
class LogoutPayload:
    success: bool


def _payload(entered: session.SignIn) -> SessionPayload:
    return SessionPayload(
        access_token=entered.access_token,
        refresh_token=entered.refresh_token,
        token_type="Bearer",  # noqa: S106 - a scheme, not a secret
        expires_in=entered.expires_in,
        user=user_node(entered.account),
    )


def _payload_as_its_owner(info: Info, entered: session.SignIn) -> SessionPayload:
    """The caller came without a token, or with an older one; the rest of the answer is read as the new session."""
    info.context.become(entered.access_token)
    return _payload(entered)


@strawberry.type
class SessionMutation:
    @strawberry.mutation(description="Make an account and sign in.")
    async def register(self, info: Info, input: RegisterInput) -> SessionPayload:
        resources = info.context.resources
        record = await account.register(input.to_account(), database=resources.database, now=resources.now())
        async with resources.database.transaction() as transaction:
            entered = await session.open_session(transaction, record, resources)
        return _payload_as_its_owner(info, entered)

    @strawberry.mutation(description="Sign in. UNAUTHENTICATED tells neither which part was wrong nor who exists.")
    async def login(self, info: Info, input: LoginInput) -> SessionPayload:
        entered = await session.login(input.email, input.password, resources=info.context.resources)
        return _payload_as_its_owner(info, entered)

    @strawberry.mutation(description="New tokens for a refresh token. A token used before ends its session.")
    async def refresh(self, info: Info, refresh_token: str) -> SessionPayload:
        entered = await session.refresh(refresh_token, resources=info.context.resources)
        return _payload_as_its_owner(info, entered)

    @strawberry.mutation(description="End the viewer's session, or all of the viewer's sessions.")
    async def logout(self, info: Info, everywhere: bool = False) -> LogoutPayload:
        await session.logout(info.context.viewer, everywhere=everywhere, resources=info.context.resources)
        return LogoutPayload(success=True)

    @strawberry.mutation(description="Change the password. All sessions end, and a new one begins.")
    async def change_password(self, info: Info, input: ChangePasswordInput) -> SessionPayload:
        context = info.context
        entered = await session.change_password(
            context.viewer, input.current_password, input.new_password, resources=context.resources
        )
        return _payload_as_its_owner(info, entered)
