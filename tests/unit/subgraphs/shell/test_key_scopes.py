"""What API keys may do, by what the four schemas declare, and as their subgraphs keep to it: nothing here needs a database."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from graphql import GraphQLSchema
from strawberry.types.base import StrawberryObjectDefinition

from subgraphs.shell.app import open_resources
from subgraphs.shell.auth import KeyRing
from subgraphs.shell.context import Context
from subgraphs.shell.graphql_schema import SubgraphSchema
from subgraphs.shell.key_scope import KEY, KeyScope
from subgraphs.shell.scopes import required_scopes
from subgraphs.shell.settings import Settings
from subgraphs.shell.sharing import scopes_of
from tests.testkit.access_matrix import Asker
from tests.testkit.subgraph import SECRET, claims_of, codes_of

SUBGRAPHS = ("users", "nutrition", "workouts", "analytics")
#: For everybody, signed in or not; `node` asks of each thing who may read it.
PUBLIC = {
    "Query.consentTexts", "Query.food", "Query.foodByBarcode", "Query.foods", "Query.node", "Query.nodes",
    "Mutation.register", "Mutation.confirmRegistration", "Mutation.login", "Mutation.refresh", "Mutation.verifyEmail",
    "Mutation.requestPasswordReset", "Mutation.resetPassword", "Mutation.exchangeApiKey", "Mutation.unsubscribe",
    "Mutation.beginPasskeyLogin", "Mutation.loginWithPasskey",
}  # fmt: skip
#: What no key may do, whatever its scopes.
PERSONS_OWN = {
    "Query.auditTrail", "Query.people", "Query.reportedTemplates", "Mutation.moderateTemplate",
    "Mutation.publishTemplate", "Mutation.unpublishTemplate", "Mutation.reportTemplate",
    "Query.reportedFoods", "Mutation.moderateFood", "Mutation.publishFood", "Mutation.unpublishFood", "Mutation.reportFood",
    "Mutation.beginExport", "Mutation.logout", "Mutation.revokeSession", "Mutation.changePassword", "Mutation.deleteAccount",
    "Mutation.requestEmailVerification", "Mutation.beginSecondFactor", "Mutation.confirmSecondFactor",
    "Mutation.removeSecondFactor", "Mutation.setUserStatus", "Mutation.setUserRoles", "Mutation.setPremium",
    "Query.rangeReport", "User.premiumUntil", "Mutation.inviteReader",
    "Mutation.acceptInvitation", "Mutation.revokeAccess", "Mutation.createApiKey", "Mutation.revokeApiKey",
    "Mutation.beginPasskey", "Mutation.addPasskey", "Mutation.renamePasskey", "Mutation.removePasskey", "User.passkeys",
    "Mutation.markNotificationsRead", "Mutation.deleteNotification", "Subscription.notification", "User.notifications",
    "User.unreadNotificationCount", "User.reminders", "User.workoutReminders", "Mutation.createReminder", "Mutation.updateReminder",
    "Mutation.deleteReminder", "User.notificationPreferences", "User.pushSubscriptions", "Query.webPushKey",
    "Mutation.registerPushSubscription", "Mutation.removePushSubscription", "Mutation.updateNotificationPreferences",
    "Mutation.updateProfile", "Mutation.updateSettings",
    "User.email", "User.emailVerified", "User.roles", "User.hasSecondFactor", "User.status", "User.createdAt",
    "User.version", "User.sessions", "User.apiKeys", "User.webhookEndpoints", "User.readers", "User.clients", "User.sentInvitations",
    "User.receivedInvitations", "User.bodyReads", "User.diaryReads", "User.trainingReads", "User.progressReads",
    "User.recentFoods", "User.frequentFoods", "User.favouriteFoods", "User.recipes", "User.savedMeals",
    "User.plannedMeals", "User.diaryWrites", "User.trainingWrites", "User.progressWrites",
    "User.accountChanges", "User.diaryChanges", "User.trainingChanges", "User.goalChanges",
    "User.consents", "User.consentHistory", "User.erasureDueAt", "Mutation.updateConsents", "Mutation.withdrawHealthDataConsent",
    "User.dietaryPreferences", "Mutation.setDietaryPreferences", "User.streakProtection", "Mutation.setStreakProtection",
}  # fmt: skip
AREA_OF = {"nutrition": "diary", "workouts": "training", "analytics": "progress", "users": "body"}


def schema_of(name: str) -> SubgraphSchema:
    found: SubgraphSchema = import_module(f"subgraphs.{name}.schema").schema
    return found


def core(name: str) -> GraphQLSchema:
    return schema_of(name)._schema


def declared(name: str) -> dict[str, list[list[str]] | None]:
    """By coordinate: what each query, mutation, subscription and field of User asks for."""
    schema, found = schema_of(name), {}
    for type_name in ("Query", "Mutation", "Subscription", "User"):
        concrete = schema.schema_converter.type_map.get(type_name)
        if concrete is None:
            continue
        assert isinstance(concrete.definition, StrawberryObjectDefinition)
        for field in concrete.definition.fields:
            graphql_name = schema.config.name_converter.get_graphql_name(field)
            is_told_elsewhere = any(type(each).__name__ == "External" for each in field.directives)
            if graphql_name not in ("_entities", "_service", "id", "nodeId") and not is_told_elsewhere:
                found[f"{type_name}.{graphql_name}"] = required_scopes(field)
                if name == "users" and type_name == "User":  # told to no router, for `login` answers with a User too
                    found[f"{type_name}.{graphql_name}"] = scopes_of(field).scopes
    return found


@pytest.mark.parametrize("name", SUBGRAPHS)
def test_every_field_says_what_keys_may_use_it(name: str) -> None:
    """What is undeclared is public, or a name that everybody who has the person has."""
    fields = declared(name)
    undeclared = {coordinate for coordinate, scopes in fields.items() if scopes is None}
    assert undeclared - {"User.displayName"} == PUBLIC & set(fields)


@pytest.mark.parametrize("name", SUBGRAPHS)
def test_a_key_never_reaches_what_only_the_person_does(name: str) -> None:
    every_key = {KEY, *(scope.value for scope in KeyScope)}
    shut = {
        coordinate
        for coordinate, scopes in declared(name).items()
        if scopes is not None and not any(every_key.issuperset(each) for each in scopes)
    }
    assert shut == PERSONS_OWN & set(declared(name))


@pytest.mark.parametrize("name", SUBGRAPHS)
def test_a_mutation_asks_for_the_writing_of_its_own_domain(name: str) -> None:
    wanted = {
        str(scopes)
        for coordinate, scopes in declared(name).items()
        if coordinate.startswith("Mutation.") and "Webhook" not in coordinate
    }
    scope = f"write:{AREA_OF[name]}"
    expected = {str([["write"], [scope]])}
    assert wanted - {"None", str([["write"]]), str([["write"], ["account"]]), str([["admin"]])} == expected


def test_webhooks_have_a_scope_of_their_own() -> None:
    fields = {coordinate: scopes for coordinate, scopes in declared("users").items() if "ebhook" in coordinate}
    managed = {coordinate for coordinate, scopes in fields.items() if scopes and ["manage:webhooks"] in scopes}
    assert managed == set(fields) - {"User.webhookEndpoints"}
    assert len(managed) == 7


class _Asker(Asker):
    """Names things that are not there: whoever is let in would look for them."""

    def _scalar(self, name: str, place: str) -> Any:
        return "thing_1" if name == "ID" else super()._scalar(name, place)


def operations(name: str) -> Iterator[tuple[str, dict[str, Any], list[list[str]]]]:
    fields = declared(name)
    for asked in _Asker(core(name), {}).roots():
        scopes = fields[asked.coordinate]
        if scopes is not None and [KEY] not in scopes:
            yield asked.coordinate, asked.body, scopes


@pytest.mark.parametrize("name", SUBGRAPHS)
async def test_a_key_with_all_scopes_but_the_one_that_is_asked_for_is_refused(name: str) -> None:
    """At the subgraph itself, past any router, and before anything is looked up: there is no database here."""
    resources = open_resources(Settings(subgraph=name, database_url="postgresql://127.0.0.1:1/none", jwt_secret=SECRET))
    tried = 0
    for coordinate, body, scopes in operations(name):
        wanted = {each for alternative in scopes for each in alternative}
        held = [KEY, *(scope.value for scope in KeyScope if scope.value not in wanted)]
        token = KeyRing(SECRET).sign(claims_of("ann") | {"scope": " ".join(held), "roles": []})
        context = Context(resources, lambda _: None, authorization=f"Bearer {token}")
        result = await schema_of(name).execute(body["query"], body["variables"], context_value=context)
        assert codes_of(result) == ["FORBIDDEN"], coordinate
        tried += 1
    assert tried >= 5
