"""What administrators may do in GraphQL: suspend, reinstate, set roles, list all people, and read what was done."""

from datetime import datetime
from typing import Annotated

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.inputs import expected_version
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.mutation import mutation
from subgraphs.shell.pagination import After, Before, Connection, First, Last, connect
from subgraphs.shell.scalars import describe_enum
from subgraphs.shell.scopes import ADMINISTRATORS_ONLY
from subgraphs.shell.security_log import Recorded
from subgraphs.users.api.user import User, UserPayload, user_node
from subgraphs.users.commands import administration as commands
from subgraphs.users.domain import account as domain
from subgraphs.users.queries.account import AccountRecord, PeopleFilter, people_page
from subgraphs.users.queries.audit import AuditRecord, audit_page

describe_enum(
    domain.AuditAction,
    "What was done to an account, or to what its person published.",
    SUSPENDED="It was closed for its person.",
    REINSTATED="It was opened again.",
    ROLES_CHANGED="It was given roles, or they were taken.",
    PREMIUM_SET="It was given the role PREMIUM until a moment, or that was taken.",
    TEMPLATE_WITHDRAWN="A template that its person had published was withdrawn.",
    TEMPLATE_KEPT="A template that its person had published was kept, or brought back.",
    FOOD_WITHDRAWN="A food that its person had published was withdrawn.",
    FOOD_KEPT="A food that its person had published was kept, or brought back.",
    HEALTH_DATA_WITHDRAWN="Its person withdrew the consent to health data: it is erased a fortnight later.",
    HEALTH_DATA_AGREED_AGAIN="Its person agreed to health data again before that: it stays.",
)


@strawberry.type(
    description="One thing that an administrator, or an operator, did to an account, or to what its person published; and where"
    " its person withdraws the consent to health data, that."
)
class AuditEntry:
    id: strawberry.ID = strawberry.field(description="Identifies the entry in the whole graph.")
    at: datetime = strawberry.field(description="When it was done.")
    action: domain.AuditAction = strawberry.field(description="What was done.")
    actor_id: strawberry.ID = strawberry.field(description="Who did it: a person's id, or `operator`.")
    subject_id: strawberry.ID = strawberry.field(description="Whose account it was done to; it may be gone.")
    reason: str = strawberry.field(description="Why, in the actor's words.")
    before: str = strawberry.field(description="Status, roles, end of PREMIUM or visibility before.")
    after: str = strawberry.field(description="Status, roles, end of PREMIUM or visibility since.")


@strawberry.input(description="Whose account to suspend or reinstate, and why.")
class SetUserStatusInput:
    user_id: strawberry.ID = strawberry.field(description="The person's id; not the viewer's own.")
    status: domain.AccountStatus = strawberry.field(description="What the account is to be.")
    reason: str = strawberry.field(description="For the audit trail, 3 to 500 characters.")
    expected_version: int | None = expected_version()


@strawberry.input(description="Whose roles to set, and why.")
class SetUserRolesInput:
    user_id: strawberry.ID = strawberry.field(description="The person's id; not the viewer's own.")
    roles: list[domain.Role] = strawberry.field(
        description="All roles for good. Everybody is a USER besides; PREMIUM has an end, and is given by `setPremium`."
    )
    reason: str = strawberry.field(description="For the audit trail, 3 to 500 characters.")
    expected_version: int | None = expected_version()


@strawberry.input(description="Who is to have the role PREMIUM, until when, and why.")
class SetPremiumInput:
    user_id: strawberry.ID = strawberry.field(description="The person's id; not the viewer's own.")
    until: datetime = strawberry.field(
        description="When it ends, within ten years. A moment that is past: it ends now, and the person is signed out."
    )
    reason: str = strawberry.field(description="For the audit trail, 3 to 500 characters.")
    expected_version: int | None = expected_version()


def _measure(input: SetUserStatusInput | SetUserRolesInput | SetPremiumInput) -> commands.Measure:
    return commands.Measure(user_id=input.user_id, reason=input.reason, expected_version=input.expected_version)


def _changed(info: Info, record: AccountRecord) -> UserPayload:
    info.context.renew_loaders()
    return UserPayload(user=user_node(record))


def _entry(record: AuditRecord) -> AuditEntry:
    return AuditEntry(
        id=strawberry.ID(record.id),
        at=record.at,
        action=domain.AuditAction(record.action),
        actor_id=strawberry.ID(record.actor_id),
        subject_id=strawberry.ID(record.subject_id),
        reason=record.reason,
        before=record.before,
        after=record.after,
    )


@strawberry.type
class AdministrationQuery:
    @strawberry.field(
        description="What was done to accounts, newest first; for administrators. `totalCount` is null.",
        directives=[ADMINISTRATORS_ONLY],
    )
    async def audit_trail(
        self,
        info: Info,
        user_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only what was done to this person's. Null: to all.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[AuditEntry]:
        page = KeysetList("Query.auditTrail", user_id or "", (datetime, str)).page(first, after, last, before)
        read = info.context.resources.database.batch_reader(audit_page)
        records = await read(user_id, page)
        return connect(records, page, _entry, lambda record: (record.at, record.id))

    @strawberry.field(
        description="Everybody who has an account, the newest first; for administrators. Who registered and has not confirmed"
        " the address is not among them. `totalCount` is null.",
        directives=[ADMINISTRATORS_ONLY],
    )
    async def people(
        self,
        info: Info,
        status: Annotated[
            domain.AccountStatus | None, strawberry.argument(description="Only with this status. Null: any.")
        ] = None,
        role: Annotated[
            domain.Role | None,
            strawberry.argument(description="Only who has this role now; USER is everybody. Null: any."),
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[User]:
        which = f"{status and status.value}/{role and role.value}"
        page = KeysetList("Query.people", which, (datetime, str)).page(first, after, last, before)
        resources = info.context.resources
        wanted = PeopleFilter(status, role, resources.now())
        records = await resources.database.batch_reader(people_page)(wanted, page)
        return connect(records, page, user_node, lambda record: (record.created_at, record.id))


@strawberry.type
class AdministrationMutation:
    @mutation(
        recorded=Recorded.ALWAYS,
        description="Suspend an account, or open it again; for administrators. Its sessions end, and nobody signs in to a"
        " suspended one.",
        directives=[ADMINISTRATORS_ONLY],
    )
    async def set_user_status(self, info: Info, input: SetUserStatusInput) -> UserPayload | None:
        context = info.context
        record = await commands.set_status(context.viewer, input.status, _measure(input), resources=context.resources)
        return _changed(info, record)

    @mutation(
        recorded=Recorded.ALWAYS,
        description="Set the roles of an account; for administrators. Its sessions end, so that they hold at once.",
        directives=[ADMINISTRATORS_ONLY],
    )
    async def set_user_roles(self, info: Info, input: SetUserRolesInput) -> UserPayload | None:
        context = info.context
        record = await commands.set_roles(context.viewer, input.roles, _measure(input), resources=context.resources)
        return _changed(info, record)

    @mutation(
        recorded=Recorded.ALWAYS,
        description="Give an account the role PREMIUM until a moment, or take it away; for administrators. Tokens have it from"
        " the next `refresh` on. Where it ends earlier than it did, the account's sessions end.",
        directives=[ADMINISTRATORS_ONLY],
    )
    async def set_premium(self, info: Info, input: SetPremiumInput) -> UserPayload | None:
        context = info.context
        record = await commands.set_premium(context.viewer, input.until, _measure(input), resources=context.resources)
        return _changed(info, record)
