"""Webhooks in GraphQL: the endpoints of a person or a key, and the log of what was sent to them."""

from datetime import datetime

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.pagination import After, Before, Connection, First, Last, connect
from subgraphs.shell.scalars import describe_enum, id_or_none
from subgraphs.shell.scopes import READS_WEBHOOKS
from subgraphs.users.commands.webhook import is_own
from subgraphs.users.domain import webhook as domain
from subgraphs.users.loaders import loaders_of
from subgraphs.users.queries.webhook import WebhookDeliveryRecord, WebhookEndpointRecord

describe_enum(
    domain.WebhookEventKind,
    "What an endpoint can be told. A message says which thing changed, and no figure of it. The list may grow.",
    DIARY_DAY_CHANGED="Meals or drinks of a day changed: type `diary_day.changed`, data `id` of the DiaryDay and `date`.",
    DAILY_SUMMARY_CHANGED="What a day came to is another: type `daily_summary.changed`, data `id` of the DailySummary and `date`.",
    WEIGHT_CHANGED="A weighing was logged, changed or deleted: type `weight.changed`, data its `id`.",
    WORKOUT_COMPLETED="A workout was finished, once for each: type `workout.completed`, data its `id` and `version`.",
    PERSONAL_RECORD_SET="A workout has more of an exercise than every one before: type `personal_record.set`, data the"
    " workout's `id`.",
    GOAL_COMPLETED="A goal was reached: type `goal.completed`, data its `id`.",
    ACHIEVEMENT_UNLOCKED="Something was achieved for the first time: type `achievement.unlocked`, data its kind as `achievement`.",
    WEEKLY_REPORT_READY="The report of a week is there: type `weekly_report.ready`, data its first day as `week`.",
)
describe_enum(
    domain.DeliveryStatus,
    "How far a message to an endpoint is.",
    WAITING="It is sent as soon as it can be, or tried again at `nextAttemptAt`.",
    DELIVERED="The endpoint has taken it.",
    FAILED="It was tried for some 28 hours and is not tried any more, unless it is redelivered.",
)
describe_enum(
    domain.DeliveryFailure,
    "Why the last attempt to send a message failed.",
    RESPONSE="The endpoint answered, with another code than one of 200 to 299.",
    TIMEOUT="It did not answer within ten seconds.",
    CONNECTION="It could not be reached, or its name is not known.",
    TLS="Its certificate does not hold, or it speaks no TLS that is spoken today.",
    ADDRESS="Its name leads to no address of the internet.",
    SECRET="This platform can no longer read the endpoint's secret: rotate it.",  # noqa: S106 - a kind of failure
)
describe_enum(
    domain.DisabledReason,
    "Why an endpoint is off.",
    OWNER="Whoever it belongs to switched it off.",
    FAILING="It has taken no message for 28 hours. What waits is kept for ten days, and sent when it is on again.",
    GONE="It answered 410.",
    TOO_MANY_WAITING=f"More than {domain.MOST_WAITING:,} messages waited for it.",
)


@strawberry.type(description="A message to an endpoint, and what became of it.")
class WebhookDelivery:
    id: strawberry.ID = strawberry.field(description="The header `webhook-id` of the message, whenever it is sent.")
    type: str = strawberry.field(description="What it tells, as its body says it; `ping` for a test.")
    payload: str = strawberry.field(description="The body of the message: JSON.")
    status: domain.DeliveryStatus = strawberry.field(description="How far it is.")
    created_at: datetime = strawberry.field(description="When it was queued.")
    attempts: int = strawberry.field(description="How often it was sent, since it was queued or last redelivered.")
    last_attempt_at: datetime | None = strawberry.field(description="When it was sent last; null: not yet.")
    next_attempt_at: datetime | None = strawberry.field(
        description="When it is tried next, at the earliest: an endpoint that fails is left alone for a while. Null: not any more."
    )
    response_code: int | None = strawberry.field(
        description="The code that the endpoint answered to the last attempt; null where it did not answer."
    )
    failure: domain.DeliveryFailure | None = strawberry.field(
        description="Why the last attempt failed; null where it did not."
    )


def delivery_node(record: WebhookDeliveryRecord) -> WebhookDelivery:
    is_waiting = record.status == domain.DeliveryStatus.WAITING
    return WebhookDelivery(
        id=strawberry.ID(record.id),
        type=record.type,
        payload=domain.body_of(record.type, record.occurred_at, record.data).decode(),
        status=domain.DeliveryStatus(record.status),
        created_at=record.created_at,
        attempts=record.attempts,
        last_attempt_at=record.attempted_at,
        next_attempt_at=record.due_at if is_waiting else None,
        response_code=record.response_code,
        failure=None if record.failure is None else domain.DeliveryFailure(record.failure),
    )


@strawberry.type(description="An address that is told of what happens to a person's data, by signed messages.")
class WebhookEndpoint:
    id: strawberry.ID = strawberry.field(description="Identifies it in the whole graph, for caches.")
    name: str = strawberry.field(description="What its owner calls it.")
    url: str = strawberry.field(description="Where the messages go.")
    kinds: list[domain.WebhookEventKind] = strawberry.field(
        description="What it is told of.", directives=[list_size(4)]
    )
    api_key_id: strawberry.ID | None = strawberry.field(
        description="The API key that registered it, with which it ends; null where the person did."
    )
    is_on: bool = strawberry.field(description="Whether it is told anything.")
    disabled_reason: domain.DisabledReason | None = strawberry.field(description="Why it is off; null while it is on.")
    disabled_at: datetime | None = strawberry.field(description="When it was switched off; null while it is on.")
    failing_since: datetime | None = strawberry.field(
        description="Since when it has taken no message that was sent to it; null where it took the last one."
    )
    two_secrets_until: datetime | None = strawberry.field(
        description="Until when messages are signed with the secret before the last one too; null where none was before."
    )
    created_at: datetime = strawberry.field(description="When it was registered.")
    version: int = strawberry.field(
        description="Counts its changes; send it as `expectedVersion` to change only this one."
    )

    @strawberry.field(
        description=f"What was sent to it and what waits to be, the newest first, for {domain.KEPT_DAYS} days. It is not"
        " counted: `totalCount` is null."
    )
    async def deliveries(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[WebhookDelivery]:
        page = KeysetList("WebhookEndpoint.deliveries", self.id, (datetime, str)).page(first, after, last, before)
        records = await loaders_of(info).webhook_deliveries_by_endpoint.load((self.id, page))
        return connect(records, page, delivery_node, lambda record: (record.created_at, record.id))


def endpoint_node(record: WebhookEndpointRecord) -> WebhookEndpoint:
    return WebhookEndpoint(
        id=strawberry.ID(record.id),
        name=record.name,
        url=record.url,
        kinds=[domain.WebhookEventKind(kind) for kind in record.kinds],
        api_key_id=id_or_none(record.api_key_id),
        is_on=record.disabled_reason is None,
        disabled_reason=None if record.disabled_reason is None else domain.DisabledReason(record.disabled_reason),
        disabled_at=record.disabled_at,
        failing_since=record.failing_since,
        two_secrets_until=record.previous_until,
        created_at=record.created_at,
        version=record.version,
    )


@strawberry.type
class WebhooksOfUser:
    """Fields of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)

    @strawberry.field(
        description=f"The endpoints that the person and their API keys registered, the newest first; at most {domain.MOST_ENDPOINTS}.",
        directives=[list_size(3)],
    )
    async def webhook_endpoints(self, info: Info) -> list[WebhookEndpoint]:
        return [endpoint_node(record) for record in await loaders_of(info).webhook_endpoints_by_user.load(self.id)]


@strawberry.type
class WebhookQuery:
    @strawberry.field(
        description="The endpoints that whoever asks may change: of an API key those that it registered, of anybody else all of"
        " `me.webhookEndpoints`. The newest first.",
        directives=[list_size(3), READS_WEBHOOKS],
    )
    async def webhook_endpoints(self, info: Info, first: First = None) -> list[WebhookEndpoint]:
        viewer = info.context.viewer
        page = KeysetList("Query.webhookEndpoints", viewer.id, ()).page(first)
        records = await loaders_of(info).webhook_endpoints_by_user.load(viewer.id)
        return [endpoint_node(record) for record in records if is_own(viewer, record)][: page.size]
