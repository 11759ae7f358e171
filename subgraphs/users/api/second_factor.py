"""The second factor in GraphQL: enrolling an authenticator app, and taking it away."""

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import PASSWORD_COST
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.security_log import Recorded
from subgraphs.users.api.user import User, load_viewer
from subgraphs.users.commands import second_factor as commands


@strawberry.input(description="Who begins to enrol an authenticator app.")
class BeginSecondFactorInput:
    current_password: str = strawberry.field(description="The password that holds now.")


@strawberry.input(description="What the app shows.")
class ConfirmSecondFactorInput:
    code: str = strawberry.field(description="The six digits that the app shows now.")


@strawberry.input(description="Who takes the second factor away.")
class RemoveSecondFactorInput:
    current_password: str = strawberry.field(description="The password that holds now.")
    code: str = strawberry.field(description="The six digits that the app shows now, or a recovery code.")


@strawberry.type(description="What came of beginning to enrol an app.")
class BeginSecondFactorPayload(Payload):
    secret: str | None = strawberry.field(
        default=None, description="In base 32, for typing it into the app; null if it was refused."
    )
    uri: str | None = strawberry.field(
        default=None, description="The same as `otpauth://`, for a QR code; null if it was refused."
    )


@strawberry.type(description="What came of confirming an app.")
class ConfirmSecondFactorPayload(Payload):
    recovery_codes: list[str] | None = strawberry.field(
        default=None,
        description="Ten codes that stand in for the app, each once. They are not shown again; null if it was refused.",
    )
    user: User | None = strawberry.field(default=None, description="The person; null if it was refused.")


@strawberry.type(description="What came of taking the second factor away.")
class RemoveSecondFactorPayload(Payload):
    user: User | None = strawberry.field(default=None, description="The person; null if it was refused.")


@strawberry.type
class SecondFactorMutation:
    @mutation(
        recorded=Recorded.ALWAYS,
        description="Get a secret for an authenticator app. Nothing is asked for until a code of it was confirmed.",
        directives=[PASSWORD_COST],
    )
    async def begin_second_factor(self, info: Info, input: BeginSecondFactorInput) -> BeginSecondFactorPayload | None:
        context = info.context
        enrolment = await commands.begin_enrolment(context.viewer, input.current_password, resources=context.resources)
        return BeginSecondFactorPayload(secret=enrolment.secret, uri=enrolment.uri)

    @mutation(
        recorded=Recorded.ALWAYS,
        description="Prove that the app has the secret: from now on `login` asks for its codes.",
    )
    async def confirm_second_factor(
        self, info: Info, input: ConfirmSecondFactorInput
    ) -> ConfirmSecondFactorPayload | None:
        context = info.context
        codes = await commands.confirm_enrolment(context.viewer, input.code, resources=context.resources)
        context.renew_loaders()
        return ConfirmSecondFactorPayload(recovery_codes=codes, user=await load_viewer(info))

    @mutation(
        recorded=Recorded.ALWAYS,
        description="Sign in without a code again. NOT_FOUND where there is no factor.",
        directives=[PASSWORD_COST],
    )
    async def remove_second_factor(
        self, info: Info, input: RemoveSecondFactorInput
    ) -> RemoveSecondFactorPayload | None:
        context = info.context
        await commands.remove_factor(context.viewer, input.current_password, input.code, resources=context.resources)
        context.renew_loaders()
        return RemoveSecondFactorPayload(user=await load_viewer(info))
