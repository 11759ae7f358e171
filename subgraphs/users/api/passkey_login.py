"""Signing in with a passkey in GraphQL."""

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.mutation import mutation
from subgraphs.shell.security_log import Recorded
from subgraphs.users.api.passkey import PasskeyCeremonyPayload
from subgraphs.users.api.session import SessionPayload, payload_as_its_owner
from subgraphs.users.commands import passkey_login as commands


@strawberry.input(description="Who is about to sign in; nothing has to be told.")
class BeginPasskeyLoginInput:
    email: str | None = strawberry.field(
        default=None,
        description="Only for a platform of several cells, where it leads to the person's; it changes nothing else."
        " Null: the first cell, or the only one.",
    )


@strawberry.input(description="What a passkey signed.")
class LoginWithPasskeyInput:
    challenge_id: str = strawberry.field(description="Of `beginPasskeyLogin`, five minutes old at most. It holds once.")
    credential: str = strawberry.field(
        description="What `navigator.credentials.get` gave, as JSON: AuthenticationResponseJSON, up to 5,000 characters."
    )
    device_name: str | None = strawberry.field(
        default=None, description="What `User.sessions` calls this sign-in, up to 100 characters. Null: nothing."
    )


@strawberry.type
class PasskeyLoginMutation:
    @mutation(
        is_public=True,
        description="Get what a browser is asked for to sign in with any passkey of this site. CONFLICT where the platform has none.",
    )
    async def begin_passkey_login(self, info: Info, input: BeginPasskeyLoginInput) -> PasskeyCeremonyPayload | None:
        context = info.context
        begun = await commands.begin_passkey_login(
            input.email, resources=context.resources, address=context.client_address
        )
        return PasskeyCeremonyPayload(challenge_id=begun.challenge_id, options=begun.options)

    @mutation(
        recorded=Recorded.ALWAYS,
        is_public=True,
        description="Sign in with a passkey; no code of a second factor is asked for. UNAUTHENTICATED tells neither what was"
        " wrong nor who exists.",
    )
    async def login_with_passkey(self, info: Info, input: LoginWithPasskeyInput) -> SessionPayload | None:
        context = info.context
        entered = await commands.login_with_passkey(
            input.challenge_id,
            input.credential,
            device=input.device_name,
            resources=context.resources,
            address=context.client_address,
        )
        return payload_as_its_owner(info, entered)
