"""Passkeys in GraphQL: a person's passkeys, what adds, renames and removes them, and signing in with one.

Options and answers are the JSON that browsers read and write by themselves: `PublicKeyCredential.parseCreationOptionsFromJSON`,
`parseRequestOptionsFromJSON` and `toJSON` of WebAuthn level 3.
"""

from datetime import datetime

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import PASSWORD_COST, list_size
from subgraphs.shell.inputs import expected_version
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.security_log import Recorded
from subgraphs.users.commands import passkey as commands
from subgraphs.users.domain import passkey as domain
from subgraphs.users.loaders import loaders_of
from subgraphs.users.queries.passkey import PasskeyRecord


@strawberry.type(
    description="What a person signs in with instead of a password: a key that a device, or a password manager, keeps."
)
class Passkey:
    id: strawberry.ID = strawberry.field(description="Identifies the passkey in the whole graph.")
    name: str = strawberry.field(description="What the person calls it.")
    is_synced: bool = strawberry.field(
        description="Whether its keeper has copies of it on other devices, as of its last use."
    )
    created_at: datetime = strawberry.field(description="When it was added.")
    last_used_at: datetime | None = strawberry.field(
        description="When somebody signed in with it last; null before the first time."
    )
    blocked_at: datetime | None = strawberry.field(
        description="Since when it signs in nobody any more, because its counter said that there is a copy; null: it holds."
    )
    version: int = strawberry.field(
        description="Counts its changes; send it as `expectedVersion` to change only this one."
    )


def passkey_node(record: PasskeyRecord) -> Passkey:
    return Passkey(
        id=strawberry.ID(record.id),
        name=record.name,
        is_synced=record.is_synced,
        created_at=record.created_at,
        last_used_at=record.last_used_at,
        blocked_at=record.blocked_at,
        version=record.version,
    )


@strawberry.type
class PasskeysOfUser:
    """Fields of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)

    @strawberry.field(
        description=f"The passkeys of the person, the newest first; at most {domain.MOST_PASSKEYS}.",
        directives=[list_size(3)],
    )
    async def passkeys(self, info: Info) -> list[Passkey]:
        return [passkey_node(record) for record in await loaders_of(info).passkeys_by_user.load(self.id)]


@strawberry.input(description="Who begins to add a passkey.")
class BeginPasskeyInput:
    current_password: str | None = strawberry.field(
        default=None, description="The password that holds now. Null: the sign-in is no older than ten minutes."
    )


@strawberry.input(description="A passkey that a browser made.")
class AddPasskeyInput:
    challenge_id: str = strawberry.field(description="Of `beginPasskey`, five minutes old at most. It holds once.")
    credential: str = strawberry.field(
        description="What `navigator.credentials.create` gave, as JSON: RegistrationResponseJSON, up to 5,000 characters."
    )
    name: str = strawberry.field(description=f"What to call it, 1 to {domain.LONGEST_PASSKEY_NAME} characters.")


@strawberry.input(description="Which passkey to call something else.")
class RenamePasskeyInput:
    id: strawberry.ID = strawberry.field(description="The passkey's id, of `User.passkeys`.")
    name: str = strawberry.field(description=f"What to call it, 1 to {domain.LONGEST_PASSKEY_NAME} characters.")
    expected_version: int | None = expected_version()


@strawberry.input(description="Which passkey to remove.")
class RemovePasskeyInput:
    id: strawberry.ID = strawberry.field(description="The passkey's id, of `User.passkeys`.")
    current_password: str | None = strawberry.field(
        default=None, description="The password that holds now. Null: the sign-in is no older than ten minutes."
    )


@strawberry.type(description="What to ask a browser for.")
class PasskeyCeremonyPayload(Payload):
    challenge_id: str | None = strawberry.field(
        default=None, description="Names the challenge when the browser has answered; null if it was refused."
    )
    options: str | None = strawberry.field(
        default=None,
        description="For `navigator.credentials`, as JSON: PublicKeyCredentialCreationOptionsJSON to add a passkey,"
        " PublicKeyCredentialRequestOptionsJSON to sign in. Null if it was refused.",
    )


@strawberry.type(description="What came of adding or renaming a passkey.")
class PasskeyPayload(Payload):
    passkey: Passkey | None = strawberry.field(
        default=None, description="The passkey as it is now; null if it was refused."
    )


@strawberry.type(description="What came of removing a passkey.")
class RemovePasskeyPayload(Payload):
    removed_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the passkey that is gone; null if it was refused."
    )


@strawberry.type
class PasskeyMutation:
    @mutation(
        description="Get what a browser is asked for to make a passkey of the viewer. CONFLICT for more than there may be,"
        " and where the platform has none.",
        directives=[PASSWORD_COST],
    )
    async def begin_passkey(self, info: Info, input: BeginPasskeyInput) -> PasskeyCeremonyPayload | None:
        context = info.context
        begun = await commands.begin_passkey(context.viewer, input.current_password, resources=context.resources)
        return PasskeyCeremonyPayload(challenge_id=begun.challenge_id, options=begun.options)

    @mutation(recorded=Recorded.ALWAYS, description="Keep the passkey that a browser made. The person is told by mail.")
    async def add_passkey(self, info: Info, input: AddPasskeyInput) -> PasskeyPayload | None:
        context = info.context
        record = await commands.add_passkey(
            context.viewer, input.challenge_id, input.credential, input.name, resources=context.resources
        )
        context.renew_loaders()
        return PasskeyPayload(passkey=passkey_node(record))

    @mutation(
        recorded=Recorded.ALWAYS,
        description="Call one of the viewer's passkeys something else. NOT_FOUND where there is none.",
    )
    async def rename_passkey(self, info: Info, input: RenamePasskeyInput) -> PasskeyPayload | None:
        context = info.context
        record = await commands.rename_passkey(
            context.viewer, input.id, input.name, input.expected_version, resources=context.resources
        )
        context.renew_loaders()
        return PasskeyPayload(passkey=passkey_node(record))

    @mutation(
        recorded=Recorded.ALWAYS,
        description="Remove one of the viewer's passkeys. Sessions that it opened end with it, but not the one that asks."
        " NOT_FOUND where there is none.",
        directives=[PASSWORD_COST],
    )
    async def remove_passkey(self, info: Info, input: RemovePasskeyInput) -> RemovePasskeyPayload | None:
        context = info.context
        await commands.remove_passkey(context.viewer, input.id, input.current_password, resources=context.resources)
        context.renew_loaders()
        return RemovePasskeyPayload(removed_id=input.id)
