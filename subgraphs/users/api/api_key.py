"""API keys in GraphQL: a person's keys, what makes and ends them, and the token that a program gets for one."""

from datetime import date, datetime

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import PASSWORD_COST, list_size
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.scalars import describe_enum
from subgraphs.shell.security_log import Recorded
from subgraphs.users.commands import api_key as commands
from subgraphs.users.domain import api_key as domain
from subgraphs.users.loaders import loaders_of
from subgraphs.users.queries.api_key import ApiKeyRecord

describe_enum(
    KeyScope,
    "What an API key may do. No key may do what is not here, such as changing the account, its keys, sessions or grants.",
    READ_BODY="Read profile, weighings and measurements.",
    WRITE_BODY="Log, change and delete weighings and measurements.",
    READ_DIARY="Read meals, drinks, fasts, targets and own foods.",
    WRITE_DIARY="Log, change and delete meals, drinks, fasts, targets and own foods.",
    READ_TRAINING="Read workouts, templates, records, training load and exercises.",
    WRITE_TRAINING="Log, change and delete workouts and templates, and make exercises.",
    READ_PROGRESS="Read days and weeks in numbers, goals, reports, achievements, the timeline and the weight trend.",
    WRITE_PROGRESS="Set, change and delete goals.",
    PLAN_FOR_CLIENTS="Plan for people who let the key's person plan for them, in the areas that the key may read and write. Answers show"
    " what was written; nothing else of those people can be read.",
    MANAGE_WEBHOOKS="Register, change and delete endpoints of webhooks of its own, for what it may read.",
)


@strawberry.type(description="What lets a program do something in a person's name, until a moment.")
class ApiKey:
    id: strawberry.ID = strawberry.field(description="Identifies the key in the whole graph; it is not the secret.")
    name: str = strawberry.field(description="What the person calls it.")
    scopes: list[KeyScope] = strawberry.field(description="What it may do.", directives=[list_size(4)])
    hint: str = strawberry.field(description="The last four characters of the secret, to tell keys apart.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime = strawberry.field(description="When it ends by itself.")
    last_used_on: date | None = strawberry.field(
        description="The last day, in UTC, on which a token was made for it; null before the first."
    )


@strawberry.type
class ApiKeysOfUser:
    """Fields of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)

    @strawberry.field(
        description=f"The API keys of the person that hold, the newest first; at most {domain.MOST_KEYS}.",
        directives=[list_size(3)],
    )
    async def api_keys(self, info: Info) -> list[ApiKey]:
        return [api_key_node(record) for record in await loaders_of(info).api_keys_by_user.load(self.id)]


def api_key_node(record: ApiKeyRecord) -> ApiKey:
    return ApiKey(
        id=strawberry.ID(record.id),
        name=record.name,
        scopes=[KeyScope[name] for name in record.scopes],
        hint=record.hint,
        created_at=record.created_at,
        expires_at=record.expires_at,
        last_used_on=record.last_used_on,
    )


@strawberry.input(description="A key to make.")
class CreateApiKeyInput:
    name: str = strawberry.field(description=f"What to call it, 1 to {domain.LONGEST_KEY_NAME} characters.")
    scopes: list[KeyScope] = strawberry.field(description="What it may do; at least one.")
    days: int = strawberry.field(default=90, description=f"For how many days it holds, 1 to {domain.LONGEST_KEY_DAYS}.")
    current_password: str = strawberry.field(description="The password that holds now.")


@strawberry.input(description="Which key to end.")
class RevokeApiKeyInput:
    id: strawberry.ID = strawberry.field(description="The key's id, of `User.apiKeys`.")


@strawberry.input(description="The key of a program that asks for a token.")
class ExchangeApiKeyInput:
    key: str = strawberry.field(description="The secret, as it was shown when the key was made.")


@strawberry.type(description="What came of making a key.")
class CreateApiKeyPayload(Payload):
    api_key: ApiKey | None = strawberry.field(default=None, description="The key; null if it was refused.")
    secret: str | None = strawberry.field(
        default=None, description="What the program is given, shown this once; null if it was refused."
    )


@strawberry.type(description="What came of ending a key.")
class RevokeApiKeyPayload(Payload):
    revoked_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the key that ended; null if it was refused."
    )


@strawberry.type(description="A token for a key.")
class ExchangeApiKeyPayload(Payload):
    access_token: str | None = strawberry.field(
        default=None, description="Send it as: Authorization: Bearer <token>. Null if it was refused."
    )
    token_type: str | None = strawberry.field(
        default=None, description="How the access token is sent: Bearer. Null if it was refused."
    )
    expires_in: int | None = strawberry.field(
        default=None, description="Seconds until it expires; then ask for another. Null if it was refused."
    )
    scopes: list[KeyScope] | None = strawberry.field(
        default=None, description="What it may do. Null if it was refused.", directives=[list_size(4)]
    )


@strawberry.type
class ApiKeyMutation:
    @mutation(
        recorded=Recorded.ALWAYS,
        description="Make an API key of the viewer; CONFLICT for more than there may be. The person is told by mail.",
        directives=[PASSWORD_COST],
    )
    async def create_api_key(self, info: Info, input: CreateApiKeyInput) -> CreateApiKeyPayload | None:
        context = info.context
        new = domain.new_key(input.name, input.scopes, input.days)
        record, secret = await commands.create_api_key(
            context.viewer, new, input.current_password, resources=context.resources
        )
        context.renew_loaders()
        return CreateApiKeyPayload(api_key=api_key_node(record), secret=secret)

    @mutation(
        recorded=Recorded.ALWAYS,
        description="End one of the viewer's API keys and its tokens, at once. NOT_FOUND where there is none that holds.",
    )
    async def revoke_api_key(self, info: Info, input: RevokeApiKeyInput) -> RevokeApiKeyPayload | None:
        context = info.context
        await commands.revoke_api_key(context.viewer, input.id, resources=context.resources)
        context.renew_loaders()
        return RevokeApiKeyPayload(revoked_id=input.id)

    @mutation(
        recorded=Recorded.REFUSALS,
        is_public=True,
        description="Get a short-lived access token for an API key. UNAUTHENTICATED for one that does not hold, without a reason.",
    )
    async def exchange_api_key(self, info: Info, input: ExchangeApiKeyInput) -> ExchangeApiKeyPayload | None:
        made = await commands.exchange_api_key(input.key, resources=info.context.resources)
        return ExchangeApiKeyPayload(
            access_token=made.access_token,
            token_type="Bearer",  # noqa: S106 - a scheme, not a secret
            expires_in=made.expires_in,
            scopes=[KeyScope[name] for name in made.scopes],
        )
