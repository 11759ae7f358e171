"""The operation's loaders: each gathers the keys of one tick and answers them with one statement."""

import asyncio
from functools import cached_property, partial

from loaders.dataloader import DataLoader, keeping_parts, load_list, load_one, load_with_arguments, nothing
from subgraphs.shell.change_log import ChangePage, ChangesRecord, changes_by_user
from subgraphs.shell.context import Info, Resources
from subgraphs.shell.grants import Grant, ReadRecord, reads_by_owner
from subgraphs.shell.keyset import Page
from subgraphs.shell.telemetry import batch_span
from subgraphs.users.queries.account import AccountRecord, accounts_with_weights
from subgraphs.users.queries.api_key import ApiKeyRecord, api_keys_by_user
from subgraphs.users.queries.consent import (
    ConsentRecord,
    consent_counts,
    consent_history_by_user,
    consents_by_user,
)
from subgraphs.users.queries.grant import (
    InvitationRecord,
    grant_counts_by_owner,
    grant_counts_by_reader,
    grants_by_owner,
    grants_by_reader,
    invitations_by_email,
    invitations_by_owner,
)
from subgraphs.users.queries.heart_rate import (
    HeartRatePage,
    HeartRateRecord,
    all_heart_rates_by_user,
    heart_rate_counts,
    heart_rates_by_id,
    heart_rates_by_user,
)
from subgraphs.users.queries.measurement import (
    MeasurementPage,
    MeasurementRecord,
    measurement_counts,
    measurements_by_id,
    measurements_by_user,
    newest_girths,
)
from subgraphs.users.queries.notification import (
    NotificationPage,
    NotificationRecord,
    notification_counts,
    notifications_by_user,
    unread_counts,
)
from subgraphs.users.queries.notification_preference import PreferenceRecord, preferences_by_user
from subgraphs.users.queries.passkey import PasskeyRecord, passkeys_by_user
from subgraphs.users.queries.push_subscription import PushSubscriptionRecord, push_subscriptions_by_user
from subgraphs.users.queries.reminder import ReminderRecord, reminders_by_id, reminders_by_user
from subgraphs.users.queries.session import SessionRecord, session_counts, sessions_by_user
from subgraphs.users.queries.step_count import (
    StepCountPage,
    StepCountRecord,
    step_count_counts,
    step_counts_by_id,
    step_counts_by_user,
)
from subgraphs.users.queries.webhook import (
    WebhookDeliveryRecord,
    WebhookEndpointRecord,
    webhook_deliveries_by_endpoint,
    webhook_endpoints_by_user,
)
from subgraphs.users.queries.weight import (
    WeightPage,
    WeightRecord,
    newest_weights,
    weight_counts,
    weights_by_id,
    weights_by_user,
)
from subgraphs.users.queries.workout_reminder import PlanAheadRecord, workout_reminders_by_user


class UsersLoaders:
    """One set an operation, each made when first wanted; named `<result>_by_<key>`."""

    def __init__(self, resources: Resources) -> None:
        self._read = resources.database.batch_reader
        self._weighed: set[str] = set()

    @cached_property
    def account_by_id(self) -> DataLoader[str, AccountRecord | None]:
        read = keeping_parts(self.newest_weight_by_user.prime_all, self._read(accounts_with_weights))
        return load_one("account_by_id", partial(read, weighed=self._weighed), batch_span)

    def account_with_weight(self, user_id: str) -> "asyncio.Future[AccountRecord | None]":
        """An account, whose statement also brings the newest weighing for the loader of that."""
        self._weighed.add(user_id)
        return self.account_by_id.load(user_id)

    @cached_property
    def weight_by_id(self) -> DataLoader[str, WeightRecord | None]:
        return load_one("weight_by_id", self._read(weights_by_id), batch_span)

    @cached_property
    def newest_weight_by_user(self) -> DataLoader[str, WeightRecord | None]:
        return load_one("newest_weight_by_user", self._read(newest_weights), batch_span)

    @cached_property
    def weight_count_by_user(self) -> DataLoader[str, int | None]:
        return load_one("weight_count_by_user", self._read(weight_counts), batch_span)

    @cached_property
    def weights_by_user(self) -> DataLoader[tuple[str, WeightPage], list[WeightRecord]]:
        return load_with_arguments("weights_by_user", self._read(weights_by_user), list, batch_span)

    @cached_property
    def measurement_by_id(self) -> DataLoader[str, MeasurementRecord | None]:
        return load_one("measurement_by_id", self._read(measurements_by_id), batch_span)

    @cached_property
    def measurements_by_user(self) -> DataLoader[tuple[str, MeasurementPage], list[MeasurementRecord]]:
        return load_with_arguments("measurements_by_user", self._read(measurements_by_user), list, batch_span)

    @cached_property
    def measurement_count_by_user(self) -> DataLoader[str, int | None]:
        return load_one("measurement_count_by_user", self._read(measurement_counts), batch_span)

    @cached_property
    def newest_girths_by_user(self) -> DataLoader[str, list[MeasurementRecord]]:
        return load_list("newest_girths_by_user", self._read(newest_girths), batch_span)

    @cached_property
    def heart_rate_by_id(self) -> DataLoader[str, HeartRateRecord | None]:
        return load_one("heart_rate_by_id", self._read(heart_rates_by_id), batch_span)

    @cached_property
    def heart_rates_by_user(self) -> DataLoader[tuple[str, HeartRatePage], list[HeartRateRecord]]:
        return load_with_arguments("heart_rates_by_user", self._read(heart_rates_by_user), list, batch_span)

    @cached_property
    def all_heart_rates_by_user(self) -> DataLoader[str, list[HeartRateRecord]]:
        return load_list("all_heart_rates_by_user", self._read(all_heart_rates_by_user), batch_span)

    @cached_property
    def heart_rate_count_by_user(self) -> DataLoader[str, int | None]:
        return load_one("heart_rate_count_by_user", self._read(heart_rate_counts), batch_span)

    @cached_property
    def consents_by_user(self) -> DataLoader[str, list[ConsentRecord]]:
        return load_list("consents_by_user", self._read(consents_by_user), batch_span)

    @cached_property
    def consent_history_by_user(self) -> DataLoader[tuple[str, Page], list[ConsentRecord]]:
        return load_with_arguments("consent_history_by_user", self._read(consent_history_by_user), list, batch_span)

    @cached_property
    def consent_count_by_user(self) -> DataLoader[str, int | None]:
        return load_one("consent_count_by_user", self._read(consent_counts), batch_span)

    @cached_property
    def step_count_by_id(self) -> DataLoader[str, StepCountRecord | None]:
        return load_one("step_count_by_id", self._read(step_counts_by_id), batch_span)

    @cached_property
    def step_counts_by_user(self) -> DataLoader[tuple[str, StepCountPage], list[StepCountRecord]]:
        return load_with_arguments("step_counts_by_user", self._read(step_counts_by_user), list, batch_span)

    @cached_property
    def step_count_count_by_user(self) -> DataLoader[str, int | None]:
        return load_one("step_count_count_by_user", self._read(step_count_counts), batch_span)

    @cached_property
    def sessions_by_user(self) -> DataLoader[tuple[str, Page], list[SessionRecord]]:
        return load_with_arguments("sessions_by_user", self._read(sessions_by_user), list, batch_span)

    @cached_property
    def session_count_by_user(self) -> DataLoader[str, int | None]:
        return load_one("session_count_by_user", self._read(session_counts), batch_span)

    @cached_property
    def grants_by_owner(self) -> DataLoader[tuple[str, Page], list[Grant]]:
        return load_with_arguments("grants_by_owner", self._read(grants_by_owner), list, batch_span)

    @cached_property
    def grants_by_reader(self) -> DataLoader[tuple[str, Page], list[Grant]]:
        return load_with_arguments("grants_by_reader", self._read(grants_by_reader), list, batch_span)

    @cached_property
    def grant_count_by_owner(self) -> DataLoader[str, int | None]:
        return load_one("grant_count_by_owner", self._read(grant_counts_by_owner), batch_span)

    @cached_property
    def grant_count_by_reader(self) -> DataLoader[str, int | None]:
        return load_one("grant_count_by_reader", self._read(grant_counts_by_reader), batch_span)

    @cached_property
    def invitations_by_owner(self) -> DataLoader[str, list[InvitationRecord]]:
        return load_list("invitations_by_owner", self._read(invitations_by_owner), batch_span)

    @cached_property
    def invitations_by_email(self) -> DataLoader[str, list[InvitationRecord]]:
        return load_list("invitations_by_email", self._read(invitations_by_email), batch_span)

    @cached_property
    def api_keys_by_user(self) -> DataLoader[str, list[ApiKeyRecord]]:
        return load_list("api_keys_by_user", self._read(api_keys_by_user), batch_span)

    @cached_property
    def passkeys_by_user(self) -> DataLoader[str, list[PasskeyRecord]]:
        return load_list("passkeys_by_user", self._read(passkeys_by_user), batch_span)

    @cached_property
    def reminder_by_id(self) -> DataLoader[str, ReminderRecord | None]:
        return load_one("reminder_by_id", self._read(reminders_by_id), batch_span)

    @cached_property
    def changes_by_user(self) -> DataLoader[tuple[str, ChangePage], ChangesRecord | None]:
        return load_with_arguments("changes_by_user", self._read(changes_by_user), nothing, batch_span)

    @cached_property
    def reads_by_owner(self) -> DataLoader[str, list[ReadRecord]]:
        return load_list("reads_by_owner", self._read(reads_by_owner), batch_span)

    @cached_property
    def notifications_by_user(self) -> DataLoader[tuple[str, NotificationPage], list[NotificationRecord]]:
        return load_with_arguments("notifications_by_user", self._read(notifications_by_user), list, batch_span)

    @cached_property
    def notification_count_by_user(self) -> DataLoader[str, int | None]:
        return load_one("notification_count_by_user", self._read(notification_counts), batch_span)

    @cached_property
    def unread_count_by_user(self) -> DataLoader[str, int | None]:
        return load_one("unread_count_by_user", self._read(unread_counts), batch_span)

    @cached_property
    def reminders_by_user(self) -> DataLoader[str, list[ReminderRecord]]:
        return load_list("reminders_by_user", self._read(reminders_by_user), batch_span)

    @cached_property
    def workout_reminders_by_user(self) -> DataLoader[str, list[PlanAheadRecord]]:
        return load_list("workout_reminders_by_user", self._read(workout_reminders_by_user), batch_span)

    @cached_property
    def preferences_by_user(self) -> DataLoader[str, PreferenceRecord | None]:
        return load_one("preferences_by_user", self._read(preferences_by_user), batch_span)

    @cached_property
    def push_subscriptions_by_user(self) -> DataLoader[str, list[PushSubscriptionRecord]]:
        return load_list("push_subscriptions_by_user", self._read(push_subscriptions_by_user), batch_span)

    @cached_property
    def webhook_endpoints_by_user(self) -> DataLoader[str, list[WebhookEndpointRecord]]:
        return load_list("webhook_endpoints_by_user", self._read(webhook_endpoints_by_user), batch_span)

    @cached_property
    def webhook_deliveries_by_endpoint(self) -> DataLoader[tuple[str, Page], list[WebhookDeliveryRecord]]:
        read = self._read(webhook_deliveries_by_endpoint)
        return load_with_arguments("webhook_deliveries_by_endpoint", read, list, batch_span)


def loaders_of(info: Info) -> UsersLoaders:
    loaders: UsersLoaders = info.context.loaders
    return loaders
