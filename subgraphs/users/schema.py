"""The users subgraph's federated schema: what `api/*` offers, merged."""

import strawberry

from subgraphs.shell.graphql_schema import SubgraphSchema
from subgraphs.users.api.administration import AdministrationMutation, AdministrationQuery
from subgraphs.users.api.api_key import ApiKeyMutation
from subgraphs.users.api.consent import ConsentMutation, ConsentQuery
from subgraphs.users.api.email import EmailMutation
from subgraphs.users.api.erasure import ErasureMutation
from subgraphs.users.api.export import ExportMutation
from subgraphs.users.api.grant import GrantMutation
from subgraphs.users.api.heart_rate import HeartRateMutation
from subgraphs.users.api.measurement import Measurement, MeasurementMutation
from subgraphs.users.api.node import ENTITIES_ELSEWHERE, NodeQuery
from subgraphs.users.api.notification import NotificationMutation
from subgraphs.users.api.notification_live import NotificationSubscription
from subgraphs.users.api.notification_preference import PreferenceMutation
from subgraphs.users.api.passkey import PasskeyMutation
from subgraphs.users.api.passkey_login import PasskeyLoginMutation
from subgraphs.users.api.push_subscription import PushMutation, PushQuery
from subgraphs.users.api.reminder import ReminderMutation
from subgraphs.users.api.second_factor import SecondFactorMutation
from subgraphs.users.api.session import SessionMutation
from subgraphs.users.api.step_count import StepCountMutation
from subgraphs.users.api.user import User, UserMutation, UserQuery
from subgraphs.users.api.webhook import WebhookQuery
from subgraphs.users.api.webhook_mutations import WebhookMutation
from subgraphs.users.api.weight import WeightEntry, WeightMutation


@strawberry.type
class Query(UserQuery, NodeQuery, AdministrationQuery, PushQuery, WebhookQuery, ConsentQuery):
    """Whoever asks, and whoever may be asked about."""


@strawberry.type
class Mutation(
    SessionMutation,
    SecondFactorMutation,
    PasskeyMutation,
    PasskeyLoginMutation,
    EmailMutation,
    ErasureMutation,
    ExportMutation,
    ConsentMutation,
    AdministrationMutation,
    GrantMutation,
    NotificationMutation,
    ReminderMutation,
    ApiKeyMutation,
    PreferenceMutation,
    PushMutation,
    WebhookMutation,
    UserMutation,
    WeightMutation,
    MeasurementMutation,
    HeartRateMutation,
    StepCountMutation,
):
    """Every change to accounts, consents, sessions, passkeys, grants, notifications, reminders, API keys, webhooks, weighings,
    measurements, heart rates and steps.
    """


@strawberry.type
class Subscription(NotificationSubscription):
    """What is told as it happens."""


schema = SubgraphSchema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[User, WeightEntry, Measurement, *ENTITIES_ELSEWHERE],
    tells_scopes_of_user=False,
)
