"""Changes to endpoints of webhooks, and what is sent to them because somebody asks for it."""

from typing import Any

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.inputs import expected_version, given, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.scalars import IdempotencyKey
from subgraphs.shell.security_log import Recorded
from subgraphs.users.api.webhook import WebhookDelivery, WebhookEndpoint, delivery_node, endpoint_node
from subgraphs.users.commands import webhook as commands
from subgraphs.users.domain import webhook as domain

_URL = (
    f"An https address of a public host, at port {' or '.join(map(str, domain.PORTS))}, up to {domain.LONGEST_URL} characters."
    " Redirects are not followed."
)
_SHOWN_ONCE = "What messages are signed with, as `whsec_` and base64, shown this once; null if it was refused, or was shown before."


@strawberry.input(description="An endpoint to register.")
class CreateWebhookEndpointInput:
    url: str = strawberry.field(description=_URL)
    name: str = strawberry.field(description=f"What to call it, 1 to {domain.LONGEST_NAME} characters.")
    kinds: list[domain.WebhookEventKind] = strawberry.field(
        description="What it is to be told of, at least one; for an API key, only what it may read."
    )
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.input(description="What is to be different of an endpoint: what is absent stays, and nothing can be null.")
class UpdateWebhookEndpointInput:
    id: strawberry.ID = strawberry.field(description="The endpoint's id.")
    url: str | None = strawberry.field(default=strawberry.UNSET, description=f"{_URL} It cannot be null.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"What to call it, 1 to {domain.LONGEST_NAME} characters. It cannot be null.",
    )
    kinds: list[domain.WebhookEventKind] | None = strawberry.field(
        default=strawberry.UNSET, description="What it is to be told of, at least one. It cannot be null."
    )
    is_on: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether it is told anything. Switched on again, it is sent what waits. It cannot be null.",
    )
    expected_version: int | None = expected_version()

    def changes(self) -> dict[str, Any]:
        return given(self, never_null=("url", "name", "kinds", "is_on"))


@strawberry.input(description="Which endpoint to delete.")
class DeleteWebhookEndpointInput:
    id: strawberry.ID = strawberry.field(description="The endpoint's id.")
    expected_version: int | None = expected_version()


@strawberry.input(description="Which endpoint to give another secret.")
class RotateWebhookSecretInput:
    id: strawberry.ID = strawberry.field(description="The endpoint's id.")
    expected_version: int | None = expected_version()


@strawberry.input(description="Which endpoint to try.")
class SendTestWebhookInput:
    id: strawberry.ID = strawberry.field(description="The endpoint's id.")


@strawberry.input(description="Which message to send once more.")
class RedeliverWebhookInput:
    id: strawberry.ID = strawberry.field(description="The id of the delivery.")


@strawberry.type(description="What came of registering an endpoint, or of giving it another secret.")
class WebhookSecretPayload(Payload):
    webhook_endpoint: WebhookEndpoint | None = strawberry.field(
        default=None, description="The endpoint as it is now; null if it was refused."
    )
    secret: str | None = strawberry.field(default=None, description=_SHOWN_ONCE)


@strawberry.type(description="What came of changing an endpoint.")
class UpdateWebhookEndpointPayload(Payload):
    webhook_endpoint: WebhookEndpoint | None = strawberry.field(
        default=None, description="The endpoint as it is now; null if it was refused."
    )


@strawberry.type(description="What came of deleting an endpoint.")
class DeleteWebhookEndpointPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )


@strawberry.type(description="What came of asking for a message.")
class WebhookDeliveryPayload(Payload):
    webhook_delivery: WebhookDelivery | None = strawberry.field(
        default=None, description="The message as it waits now; null if it was refused."
    )


@strawberry.type
class WebhookMutation:
    @mutation(
        recorded=Recorded.ALWAYS,
        description="Have an address told of what happens to the viewer's data. The secret is shown once. CONFLICT for more than"
        " there may be, and where no webhooks are sent.",
        key_scope=KeyScope.MANAGE_WEBHOOKS,
    )
    async def create_webhook_endpoint(
        self, info: Info, input: CreateWebhookEndpointInput
    ) -> WebhookSecretPayload | None:
        context = info.context
        new = commands.NewEndpoint(url=input.url, name=input.name, kinds=input.kinds, request=request_key(input))
        record, secret = await commands.create_webhook_endpoint(context.viewer, new, resources=context.resources)
        context.renew_loaders()
        return WebhookSecretPayload(webhook_endpoint=endpoint_node(record), secret=secret)

    @mutation(
        recorded=Recorded.ALWAYS,
        description="Change an endpoint, or switch it on or off. NOT_FOUND where there is none.",
        key_scope=KeyScope.MANAGE_WEBHOOKS,
    )
    async def update_webhook_endpoint(
        self, info: Info, input: UpdateWebhookEndpointInput
    ) -> UpdateWebhookEndpointPayload | None:
        context = info.context
        record = await commands.update_webhook_endpoint(
            context.viewer,
            input.id,
            input.changes(),
            expected_version=input.expected_version,
            resources=context.resources,
        )
        context.renew_loaders()
        return UpdateWebhookEndpointPayload(webhook_endpoint=endpoint_node(record))

    @mutation(
        recorded=Recorded.ALWAYS,
        description="Delete an endpoint, with what waits for it and the log. NOT_FOUND where there is none.",
        key_scope=KeyScope.MANAGE_WEBHOOKS,
    )
    async def delete_webhook_endpoint(
        self, info: Info, input: DeleteWebhookEndpointInput
    ) -> DeleteWebhookEndpointPayload | None:
        context = info.context
        await commands.delete_webhook_endpoint(
            context.viewer, input.id, expected_version=input.expected_version, resources=context.resources
        )
        context.renew_loaders()
        return DeleteWebhookEndpointPayload(deleted_id=input.id)

    @mutation(
        recorded=Recorded.ALWAYS,
        description="Sign with another secret, shown once; for a day with the one before too. CONFLICT while two hold.",
        key_scope=KeyScope.MANAGE_WEBHOOKS,
    )
    async def rotate_webhook_secret(self, info: Info, input: RotateWebhookSecretInput) -> WebhookSecretPayload | None:
        context = info.context
        record, secret = await commands.rotate_webhook_secret(
            context.viewer, input.id, expected_version=input.expected_version, resources=context.resources
        )
        context.renew_loaders()
        return WebhookSecretPayload(webhook_endpoint=endpoint_node(record), secret=secret)

    @mutation(
        description="Send an endpoint a message of type `ping`. CONFLICT where it is off, RATE_LIMITED for too many.",
        key_scope=KeyScope.MANAGE_WEBHOOKS,
    )
    async def send_test_webhook(self, info: Info, input: SendTestWebhookInput) -> WebhookDeliveryPayload | None:
        context = info.context
        record = await commands.send_test_webhook(context.viewer, input.id, resources=context.resources)
        context.renew_loaders()
        return WebhookDeliveryPayload(webhook_delivery=delivery_node(record))

    @mutation(
        description="Send a message once more, with the `webhook-id` that it had; one that waits is tried at once. CONFLICT where"
        " the endpoint is off, RATE_LIMITED for too many.",
        key_scope=KeyScope.MANAGE_WEBHOOKS,
    )
    async def redeliver_webhook(self, info: Info, input: RedeliverWebhookInput) -> WebhookDeliveryPayload | None:
        context = info.context
        record = await commands.redeliver_webhook(context.viewer, input.id, resources=context.resources)
        context.renew_loaders()
        return WebhookDeliveryPayload(webhook_delivery=delivery_node(record))
