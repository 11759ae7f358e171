"""Registration, signing in and out, and passwords in GraphQL."""

from datetime import date

import strawberry

from subgraphs.shell.calendar import WeekStart
from subgraphs.shell.context import Info
from subgraphs.shell.cost import PASSWORD_COST
from subgraphs.shell.errors import Checks
from subgraphs.shell.inputs import idempotency_key, request_key
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.physiology import ActivityLevel, FitnessGoal, Sex
from subgraphs.shell.scalars import IdempotencyKey, TimeZone, decimal_of
from subgraphs.shell.scopes import OF_OWN_ACCOUNT
from subgraphs.shell.security_log import Recorded
from subgraphs.users.api.consent import ConsentInput, consent_choices
from subgraphs.users.api.user import User, load_viewer, user_node
from subgraphs.users.commands import account, health_data, registration, session
from subgraphs.users.domain import account as domain


@strawberry.input(description="Who registers. Everything about the body may be left out and told later.")
class RegisterInput:
    email: str = strawberry.field(
        description="The address to sign in with, up to 254 characters; case does not matter. Domains of any script."
    )
    password: str = strawberry.field(
        description="8 to 100 characters, with an upper-case and a lower-case letter, a digit and a special character."
    )
    display_name: str = strawberry.field(description="How the person is called, 2 to 100 characters.")
    time_zone: TimeZone = strawberry.field(default=TimeZone("UTC"), description="Where the person's days begin.")
    day_start_hour: int = strawberry.field(
        default=0, description="Entries before this hour, 0 to 12, belong to the day before."
    )
    week_start: WeekStart = strawberry.field(
        default=WeekStart.MONDAY, description="The day on which the person's week begins."
    )
    units: domain.Units = strawberry.field(
        default=domain.Units.METRIC, description="The units that the person reads and enters."
    )
    date_of_birth: date | None = strawberry.field(default=None, description="13 to 120 years ago. Null: not told.")
    sex: Sex | None = strawberry.field(default=None, description="For formulas of energy. Null: not told.")
    height_cm: float | None = strawberry.field(default=None, description="In centimetres, 50 to 300. Null: not told.")
    activity_level: ActivityLevel | None = strawberry.field(
        default=None, description="How much the person moves apart from workouts. Null: not told."
    )
    fitness_goal: FitnessGoal | None = strawberry.field(
        default=None, description="What the person is here for. Null: not told."
    )
    target_weight_kg: float | None = strawberry.field(
        default=None, description="Wanted body weight in kilograms, 20 to 500. Null: not told."
    )
    device_name: str | None = strawberry.field(
        default=None, description="What `User.sessions` calls this sign-in, up to 100 characters. Null: nothing."
    )
    consents: list[ConsentInput] | None = strawberry.field(
        default=None,
        description="What the person agrees to, or does not, each purpose once, up to 4. Those of `consentTexts` that are required"
        " have to be agreed to. Null: nothing.",
    )
    idempotency_key: IdempotencyKey | None = idempotency_key()

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
            request=request_key(self, without=("password", "device_name")),
            consents=consent_choices(self.consents or ()),
        )


@strawberry.input(description="Who signs in.")
class LoginInput:
    email: str = strawberry.field(description="The address of the account; case does not matter.")
    password: str = strawberry.field(description="The account's password.")
    second_factor: str | None = strawberry.field(
        default=None,
        description="The code that the authenticator app shows, or a recovery code. Null: none, and UNAUTHENTICATED with the"
        " reason SECOND_FACTOR where one is needed.",
    )
    device_name: str | None = strawberry.field(
        default=None, description="What `User.sessions` calls this sign-in, up to 100 characters. Null: nothing."
    )


@strawberry.input(description="What the mail brought, and what was chosen at registration.")
class ConfirmRegistrationInput:
    token: str = strawberry.field(description="The token that the mail brought. It holds for a day, once.")
    password: str = strawberry.field(description="The password that was chosen at registration.")
    device_name: str | None = strawberry.field(
        default=None, description="What `User.sessions` calls this sign-in, up to 100 characters. Null: nothing."
    )


@strawberry.input(description="The session to go on with.")
class RefreshInput:
    refresh_token: str = strawberry.field(description="The newest refresh token of the session.")


@strawberry.input(description="Which sessions to end.")
class LogoutInput:
    everywhere: bool = strawberry.field(
        default=False, description="Whether to end all of the viewer's sessions and not only this one."
    )


@strawberry.input(description="Withdrawing the consent to health data.")
class WithdrawHealthDataConsentInput:
    confirm: bool = strawberry.field(
        description="True: the person knows that the account is erased 14 days later, unless they agree again."
    )


@strawberry.input(description="Which session to end.")
class RevokeSessionInput:
    id: strawberry.ID = strawberry.field(description="The session's id, of `User.sessions`.")


@strawberry.input(description="A password and the one in its place.")
class ChangePasswordInput:
    current_password: str = strawberry.field(description="The password that holds now.")
    new_password: str = strawberry.field(description="Another one, by the rules of RegisterInput.password.")


@strawberry.type(description="A session's tokens and whose it is; all null if there is none.")
class SessionPayload(Payload):
    access_token: str | None = strawberry.field(
        default=None, description="Send it as: Authorization: Bearer <token>. Null if it was refused."
    )
    refresh_token: str | None = strawberry.field(
        default=None, description="Good for one `refresh`, which brings the next. Null if it was refused."
    )
    token_type: str | None = strawberry.field(
        default=None, description="How the access token is sent: Bearer. Null if it was refused."
    )
    expires_in: int | None = strawberry.field(
        default=None, description="Seconds until the access token expires. Null if it was refused."
    )
    user: User | None = strawberry.field(default=None, description="Whose session it is. Null if it was refused.")
    confirmation_sent_to: str | None = strawberry.field(
        default=None,
        description="Where a mail goes whose token `confirmRegistration` takes: then everything else is null, and there"
        " may be an account already or not. Null if no confirmation is needed.",
    )


@strawberry.type(description="What came of signing out.")
class LogoutPayload(Payload):
    ended_sessions: int | None = strawberry.field(
        default=None, description="How many sessions ended with this; null if it was refused."
    )


@strawberry.type(description="What came of ending one session.")
class RevokeSessionPayload(Payload):
    revoked_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the session that ended; null if it was refused."
    )
    user: User | None = strawberry.field(
        default=None, description="The person without that session; null if it was the one that asks, or refused."
    )


def session_payload(entered: session.SignIn) -> SessionPayload:
    return SessionPayload(
        access_token=entered.access_token,
        refresh_token=entered.refresh_token,
        token_type="Bearer",  # noqa: S106 - a scheme, not a secret
        expires_in=entered.expires_in,
        user=user_node(entered.account),
    )


def payload_as_its_owner(info: Info, entered: session.SignIn) -> SessionPayload:
    """The caller came without a token, or with an older one; the rest of the answer is read as the new session."""
    info.context.become(entered.access_token)
    return session_payload(entered)


@strawberry.type
class SessionMutation:
    @mutation(
        recorded=Recorded.ALWAYS,
        is_public=True,
        description="Make an account and sign in; CONFLICT for an address that has one. Where the server asks for a"
        " confirmation, a mail is sent instead, whether or not the address has an account.",
        directives=[PASSWORD_COST],
    )
    async def register(self, info: Info, input: RegisterInput) -> SessionPayload | None:
        context, new = info.context, input.to_account()
        if context.resources.settings.confirm_registration:
            await registration.request_registration(new, resources=context.resources, address=context.client_address)
            return SessionPayload(confirmation_sent_to=new.email.strip())
        entered = await session.register(
            new, device=input.device_name, resources=context.resources, address=context.client_address
        )
        return payload_as_its_owner(info, entered)

    @mutation(
        recorded=Recorded.ALWAYS,
        is_public=True,
        description="Make the account that a mail confirmed, and sign in.",
        directives=[PASSWORD_COST],
    )
    async def confirm_registration(self, info: Info, input: ConfirmRegistrationInput) -> SessionPayload | None:
        entered = await registration.confirm_registration(
            input.token, input.password, device=input.device_name, resources=info.context.resources
        )
        return payload_as_its_owner(info, entered)

    @mutation(
        recorded=Recorded.ALWAYS,
        is_public=True,
        description="Sign in. UNAUTHENTICATED tells neither which part was wrong nor who exists.",
        directives=[PASSWORD_COST],
    )
    async def login(self, info: Info, input: LoginInput) -> SessionPayload | None:
        context = info.context
        viewer = context.viewer_or_none
        entered = await session.login(
            input.email,
            input.password,
            code=input.second_factor,
            device=input.device_name,
            resources=context.resources,
            viewer=viewer,
            address=context.client_address,
        )
        return payload_as_its_owner(info, entered)

    @mutation(
        recorded=Recorded.REFUSALS,
        is_public=True,
        description="New tokens for a refresh token. Sent again within a minute it brings the same refresh token, for an answer"
        " that was lost; used before in any other way it ends its session.",
    )
    async def refresh(self, info: Info, input: RefreshInput) -> SessionPayload | None:
        entered = await session.refresh(input.refresh_token, resources=info.context.resources)
        return payload_as_its_owner(info, entered)

    @mutation(
        recorded=Recorded.ALWAYS,
        description="End the viewer's session, or all of the viewer's sessions.",
        directives=[OF_OWN_ACCOUNT],
    )
    async def logout(self, info: Info, input: LogoutInput) -> LogoutPayload | None:
        ended = await session.logout(info.context.viewer, everywhere=input.everywhere, resources=info.context.resources)
        return LogoutPayload(ended_sessions=ended)

    @mutation(
        recorded=Recorded.ALWAYS,
        description="End one of the viewer's sessions, such as a lost phone's. NOT_FOUND where there is none that is open.",
        directives=[OF_OWN_ACCOUNT],
    )
    async def revoke_session(self, info: Info, input: RevokeSessionInput) -> RevokeSessionPayload | None:
        context = info.context
        viewer = context.viewer
        await session.revoke_session(viewer, input.id, resources=context.resources)
        context.renew_loaders()
        is_over = viewer.session_id == input.id
        return RevokeSessionPayload(revoked_id=input.id, user=None if is_over else await load_viewer(info))

    @mutation(
        recorded=Recorded.ALWAYS,
        description="Change the password. All sessions end, and a new one begins.",
        directives=[PASSWORD_COST, OF_OWN_ACCOUNT],
    )
    async def change_password(self, info: Info, input: ChangePasswordInput) -> SessionPayload | None:
        context = info.context
        entered = await session.change_password(
            context.viewer, input.current_password, input.new_password, resources=context.resources
        )
        return payload_as_its_owner(info, entered)

    @mutation(
        recorded=Recorded.ALWAYS,
        description="Withdraw the consent to process health data. From now on nothing is written, by nobody: all sessions, API keys"
        " and grants end, and the session that begins reads, exports, agrees again and erases. 14 days later the account is"
        " erased: `User.erasureDueAt`.",
    )
    async def withdraw_health_data_consent(
        self, info: Info, input: WithdrawHealthDataConsentInput
    ) -> SessionPayload | None:
        context = info.context
        checks = Checks()
        checks.require(input.confirm, "confirm", "must be true")
        checks.done()
        entered = await health_data.withdraw_health_data(context.viewer, resources=context.resources)
        return payload_as_its_owner(info, entered)
