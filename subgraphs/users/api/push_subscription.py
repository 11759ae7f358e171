"""Web push in GraphQL: which browsers of a person take notifications."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.scopes import NO_KEY
from subgraphs.users.commands import push_subscription as commands
from subgraphs.users.domain.web_push import LONGEST_ENDPOINT, MOST_SUBSCRIPTIONS, private_key_of, public_key_of
from subgraphs.users.loaders import loaders_of
from subgraphs.users.queries.push_subscription import PushSubscriptionRecord

if TYPE_CHECKING:
    from subgraphs.users.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.users.api.user")]


@strawberry.type(description="A browser that takes a person's notifications while no page is open.")
class PushSubscription:
    id: strawberry.ID = strawberry.field(description="Identifies it in the whole graph, for caches.")
    service: str = strawberry.field(description="The host of the browser's push service, through which they go.")
    created_at: datetime = strawberry.field(description="When it was registered last.")
    is_current: bool = strawberry.field(description="Whether the session that asks has registered it.")


@strawberry.type
class PushSubscriptionsOfUser:
    """Fields of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)

    @strawberry.field(
        description="The browsers that take the person's notifications, the newest first; at most"
        f" {MOST_SUBSCRIPTIONS}. One whose session ends is gone.",
        directives=[list_size(3)],
    )
    async def push_subscriptions(self, info: Info) -> list[PushSubscription]:
        records = await loaders_of(info).push_subscriptions_by_user.load(self.id)
        return [push_subscription_node(info, record) for record in records]


def push_subscription_node(info: Info, record: PushSubscriptionRecord) -> PushSubscription:
    return PushSubscription(
        id=strawberry.ID(record.id),
        service=urlsplit(record.endpoint).hostname or "",
        created_at=record.created_at,
        is_current=record.session_id == info.context.viewer.session_id,
    )


@strawberry.type
class PushQuery:
    @strawberry.field(
        description="What a browser is to be given as `applicationServerKey`; null where no push messages are sent.",
        directives=[NO_KEY],
    )
    def web_push_key(self, info: Info) -> str | None:
        key = info.context.resources.settings.web_push_key
        return None if key is None else public_key_of(private_key_of(key))


@strawberry.input(description="What `PushManager.subscribe` gave, with `userVisibleOnly` and the graph's `webPushKey`.")
class RegisterPushSubscriptionInput:
    endpoint: str = strawberry.field(
        description=f"An https address of a public host, up to {LONGEST_ENDPOINT} characters."
    )
    p256dh: str = strawberry.field(description="The browser's public key, `keys.p256dh`, in base64url.")
    auth: str = strawberry.field(description="The browser's secret, `keys.auth`, in base64url.")


@strawberry.input(description="Which browser gets no notifications any more.")
class RemovePushSubscriptionInput:
    id: strawberry.ID = strawberry.field(description="The id of the push subscription.")


@strawberry.type(description="What came of registering a browser.")
class RegisterPushSubscriptionPayload(Payload):
    push_subscription: PushSubscription | None = strawberry.field(
        default=None, description="The browser as it is registered; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(default=None, description="The person; null if it was refused.")


@strawberry.type(description="What came of removing a browser.")
class RemovePushSubscriptionPayload(Payload):
    removed_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )


@strawberry.type
class PushMutation:
    @mutation(
        description="Have the viewer's notifications sent to a browser, encrypted for it. The same one again is registered once,"
        " whoever had it before; its session's end ends it. CONFLICT where no push messages are sent."
    )
    async def register_push_subscription(
        self, info: Info, input: RegisterPushSubscriptionInput
    ) -> RegisterPushSubscriptionPayload | None:
        from subgraphs.users.api.user import load_viewer

        context = info.context
        record = await commands.register_push_subscription(
            context.viewer,
            endpoint=input.endpoint,
            p256dh=input.p256dh,
            auth=input.auth,
            resources=context.resources,
        )
        context.renew_loaders()
        node = push_subscription_node(info, record)
        return RegisterPushSubscriptionPayload(push_subscription=node, user=await load_viewer(info))

    @mutation(description="Send no more notifications to a browser of the viewer. NOT_FOUND where there is none.")
    async def remove_push_subscription(
        self, info: Info, input: RemovePushSubscriptionInput
    ) -> RemovePushSubscriptionPayload | None:
        context = info.context
        await commands.remove_push_subscription(context.viewer, input.id, resources=context.resources)
        context.renew_loaders()
        return RemovePushSubscriptionPayload(removed_id=input.id)
