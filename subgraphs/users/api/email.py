"""Proving an address, changing it, and a forgotten password in GraphQL: a mail is asked for, and its token taken."""

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import PASSWORD_COST, Cost
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.security_log import Recorded
from subgraphs.users.api.user import User, load_user
from subgraphs.users.commands import email as commands

_MAIL_COST = Cost(weight=100)


@strawberry.input(description="Which address to prove.")
class RequestEmailVerificationInput:
    email: str = strawberry.field(
        description="The viewer's address, or another one, which takes its place once it is proven."
    )
    current_password: str | None = strawberry.field(
        default=None, description="The password that holds now. Null: only where the address stays the same."
    )


@strawberry.input(description="What a mail brought.")
class VerifyEmailInput:
    token: str = strawberry.field(description="The token that the mail brought. It holds once, for an hour or a day.")


@strawberry.input(description="Who forgot a password.")
class RequestPasswordResetInput:
    email: str = strawberry.field(description="The address of the account; case does not matter.")


@strawberry.input(description="What the mail brought, and the new password.")
class ResetPasswordInput:
    token: str = strawberry.field(description="The token that the mail brought. It holds for half an hour, once.")
    new_password: str = strawberry.field(description="The new password, by the rules of RegisterInput.password.")


@strawberry.type(description="What came of asking for a mail.")
class MailPayload(Payload):
    sent_to: str | None = strawberry.field(
        default=None,
        description="The address as it was given, whether or not anything is sent to it; null if it was refused.",
    )


@strawberry.type(description="What came of proving an address.")
class VerifyEmailPayload(Payload):
    is_verified: bool | None = strawberry.field(
        default=None, description="True once the address is proven; null if it was refused."
    )
    user: User | None = strawberry.field(
        default=None, description="The person, for the person alone; null for anybody else, and if it was refused."
    )


@strawberry.type(description="What came of choosing a new password.")
class ResetPasswordPayload(Payload):
    ended_sessions: int | None = strawberry.field(
        default=None, description="How many sessions ended with the old password; null if it was refused."
    )


@strawberry.type
class EmailMutation:
    @mutation(
        recorded=Recorded.ALWAYS,
        description="Have a mail sent that proves the viewer's address, or a new one in its place. The answer does not tell"
        " whether another account has that address.",
        directives=[_MAIL_COST],
    )
    async def request_email_verification(self, info: Info, input: RequestEmailVerificationInput) -> MailPayload | None:
        context = info.context
        await commands.request_verification(
            context.viewer, input.email, input.current_password, resources=context.resources
        )
        return MailPayload(sent_to=input.email.strip())

    @mutation(
        recorded=Recorded.ALWAYS,
        is_public=True,
        description="Prove an address with the token of a mail; a new one becomes the account's with that.",
    )
    async def verify_email(self, info: Info, input: VerifyEmailInput) -> VerifyEmailPayload | None:
        context = info.context
        user_id = await commands.verify_email(input.token, resources=context.resources)
        context.renew_loaders()
        viewer = context.viewer_or_none
        is_own = viewer is not None and viewer.id == user_id
        return VerifyEmailPayload(is_verified=True, user=await load_user(info, user_id) if is_own else None)

    @mutation(
        recorded=Recorded.ALWAYS,
        is_public=True,
        description="Have a mail sent with which a forgotten password is replaced. The answer does not tell whether there is"
        " such an account.",
        directives=[_MAIL_COST],
    )
    async def request_password_reset(self, info: Info, input: RequestPasswordResetInput) -> MailPayload | None:
        context = info.context
        await commands.request_password_reset(input.email, resources=context.resources, address=context.client_address)
        return MailPayload(sent_to=input.email.strip())

    @mutation(
        recorded=Recorded.ALWAYS,
        is_public=True,
        description="Choose a new password with the token of a mail. All sessions of the account end; sign in afterwards.",
        directives=[PASSWORD_COST],
    )
    async def reset_password(self, info: Info, input: ResetPasswordInput) -> ResetPasswordPayload | None:
        ended = await commands.reset_password(input.token, input.new_password, resources=info.context.resources)
        return ResetPasswordPayload(ended_sessions=ended)
