"""Letting others read and plan, in GraphQL: grants and invitations of a person, and what makes and ends them."""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import strawberry

from loaders.dataloader import DataLoader
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.grant_area import GrantArea, PlanArea
from subgraphs.shell.grants import Grant
from subgraphs.shell.keyset import KeysetList, Page
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.pagination import After, Before, Connection, First, Last, connect
from subgraphs.shell.scalars import describe_enum
from subgraphs.shell.security_log import Recorded
from subgraphs.shell.sharing import AccessRead, read_node
from subgraphs.users.commands import grant as commands
from subgraphs.users.domain import grant as domain
from subgraphs.users.domain.account import email_key
from subgraphs.users.loaders import loaders_of
from subgraphs.users.queries.account import AccountRecord
from subgraphs.users.queries.grant import InvitationRecord

if TYPE_CHECKING:
    from subgraphs.users.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.users.api.user")]

describe_enum(
    domain.GrantRelation,
    "As what somebody reads what a person has. It opens nothing by itself.",
    COACH="Who trains or advises the person.",
    FAMILY="Who is close to the person.",
)


@strawberry.type(description="That a person lets another read something of theirs, until a moment.")
class AccessGrant:
    record: strawberry.Private[Grant]
    id: strawberry.ID = strawberry.field(description="Identifies the grant in the whole graph.")
    relation: domain.GrantRelation = strawberry.field(description="As what the reader reads.")
    areas: list[GrantArea] = strawberry.field(description="What may be read.", directives=[list_size(4)])
    plans: list[PlanArea] = strawberry.field(
        description="What may be planned for the person; empty for reading alone.", directives=[list_size(3)]
    )
    granted_at: datetime = strawberry.field(description="When the reader accepted the invitation.")
    expires_at: datetime = strawberry.field(description="When it ends by itself.")

    @strawberry.field(description="How the person is called who lets the other read.")
    async def owner_name(self, info: Info) -> str:
        return await _name(info, self.record.owner_id)

    @strawberry.field(description="How the reader is called.")
    async def reader_name(self, info: Info) -> str:
        return await _name(info, self.record.reader_id)

    @strawberry.field(description="Whose things may be read. Null for a grant that ended meanwhile.")
    async def person(self, info: Info) -> LazyUser | None:
        from subgraphs.users.api.user import load_user

        return await load_user(info, self.record.owner_id)


@strawberry.type(description="An offer to read what a person has, which nobody has accepted yet.")
class GrantInvitation:
    record: strawberry.Private[InvitationRecord]
    id: strawberry.ID = strawberry.field(description="Identifies the invitation in the whole graph.")
    relation: domain.GrantRelation = strawberry.field(description="As what the reader is to read.")
    areas: list[GrantArea] = strawberry.field(description="What may be read then.", directives=[list_size(4)])
    plans: list[PlanArea] = strawberry.field(
        description="What may be planned for the person then; empty for reading alone.", directives=[list_size(3)]
    )
    days: int = strawberry.field(description="How many days the grant is to hold from its acceptance.")
    email: str | None = strawberry.field(
        description="Who may accept it: the account that has proven this address. Null where its code is what accepts it."
    )
    expires_at: datetime = strawberry.field(description="Until when it can be accepted.")

    @strawberry.field(description="How the person is called who made it.")
    async def owner_name(self, info: Info) -> str:
        return await _name(info, self.record.owner_id)


@strawberry.type
class GrantsOfUser:
    """Fields of User."""

    record: strawberry.Private[AccountRecord]
    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)

    @strawberry.field(description="Who may read something of the person by a grant that holds, the newest first.")
    async def readers(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[AccessGrant]:
        page = KeysetList("User.readers", self.id, (datetime, str)).page(first, after, last, before)
        loaders = loaders_of(info)
        records = await loaders.grants_by_owner.load((self.id, page))
        return _grants(records, page, self.id, loaders.grant_count_by_owner)

    @strawberry.field(description="Of whom the person may read something, by grants that hold, the newest first.")
    async def clients(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[AccessGrant]:
        page = KeysetList("User.clients", self.id, (datetime, str)).page(first, after, last, before)
        loaders = loaders_of(info)
        records = await loaders.grants_by_reader.load((self.id, page))
        return _grants(records, page, self.id, loaders.grant_count_by_reader)

    @strawberry.field(
        description=f"Invitations of the person that wait, the newest first; at most {domain.MOST_INVITATIONS}.",
        directives=[list_size(3)],
    )
    async def sent_invitations(self, info: Info) -> list[GrantInvitation]:
        return [invitation_node(record) for record in await loaders_of(info).invitations_by_owner.load(self.id)]

    @strawberry.field(
        description="Invitations to the person's address that wait, the newest first; at most 20, and none before the"
        " address is proven, nor where `settings.invitableByEmail` is false.",
        directives=[list_size(3)],
    )
    async def received_invitations(self, info: Info) -> list[GrantInvitation]:
        if self.record.email_verified_at is None or not self.record.invitable_by_email:
            return []
        records = await loaders_of(info).invitations_by_email.load(email_key(self.record.email))
        return [invitation_node(record) for record in records]

    @strawberry.field(
        description="Who read of the body by a grant, the latest hours first; the latest 100 entries of 90 days.",
        directives=[list_size(20)],
    )
    async def body_reads(self, info: Info) -> list[AccessRead]:
        return [read_node(record) for record in await loaders_of(info).reads_by_owner.load(self.id)]


async def _name(info: Info, user_id: str) -> str:
    """Both sides of a grant know each other's name; the other's account goes with the grant."""
    account = await loaders_of(info).account_by_id.load(user_id)
    return "" if account is None else account.display_name


def _grants(
    records: list[Grant], page: Page, user_id: str, counts: DataLoader[str, int | None]
) -> Connection[AccessGrant]:
    """A page of what a person gave or was given, and how many there are of it, if that is asked."""
    count = partial(counts.load, user_id)
    return connect(records, page, grant_node, lambda record: (record.granted_at, record.id), count)


def grant_node(record: Grant) -> AccessGrant:
    return AccessGrant(
        record=record,
        id=strawberry.ID(record.id),
        relation=domain.GrantRelation(record.relation),
        areas=[GrantArea(area) for area in record.areas],
        plans=[PlanArea(plan) for plan in record.plans],
        granted_at=record.granted_at,
        expires_at=record.expires_at,
    )


def invitation_node(record: InvitationRecord) -> GrantInvitation:
    return GrantInvitation(
        record=record,
        id=strawberry.ID(record.id),
        relation=domain.GrantRelation(record.relation),
        areas=[GrantArea(area) for area in record.areas],
        plans=[PlanArea(plan) for plan in record.plans],
        days=record.days,
        email=record.email,
        expires_at=record.expires_at,
    )


@strawberry.input(description="Whom to let read what. It is an offer: nothing is open before it is accepted.")
class InviteReaderInput:
    relation: domain.GrantRelation = strawberry.field(description="As what the reader is to read.")
    areas: list[GrantArea] = strawberry.field(description="What may be read then; at least one.")
    plans: list[PlanArea] = strawberry.field(
        default_factory=list,
        description="What may be planned for the viewer then, by who reads the area that it belongs to. Empty: nothing is.",
    )
    days: int = strawberry.field(
        default=90, description=f"How many days the grant is to hold, 1 to {domain.LONGEST_GRANT_DAYS}."
    )
    email: str | None = strawberry.field(
        default=None,
        description="The reader's address, to which a mail tells of it. Null: whoever has the code may accept it.",
    )


@strawberry.input(description="Which invitation to accept: by `code` or by `id`.")
class AcceptInvitationInput:
    code: str | None = strawberry.field(default=None, description="What the person handed on. Null: by `id`.")
    id: strawberry.ID | None = strawberry.field(
        default=None, description="One of the viewer's `receivedInvitations`. Null: by `code`."
    )


@strawberry.input(description="Which grant to end, or which invitation to withdraw.")
class RevokeAccessInput:
    id: strawberry.ID = strawberry.field(description="The id of the grant or invitation.")
    plans_only: bool = strawberry.field(
        default=False, description="Whether a grant is to plan nothing any more, and to go on for reading."
    )


@strawberry.type(description="What came of an invitation.")
class InviteReaderPayload(Payload):
    invitation: GrantInvitation | None = strawberry.field(
        default=None, description="The invitation; null if it was refused."
    )
    code: str | None = strawberry.field(
        default=None,
        description="What accepts it, shown this once. Null if it was refused, or is for an address.",
    )


@strawberry.type(description="What came of accepting an invitation.")
class AcceptInvitationPayload(Payload):
    grant: AccessGrant | None = strawberry.field(
        default=None,
        description="What the viewer may read from now on, in all of the graph within seconds; null if it was refused.",
    )


@strawberry.type(description="What came of ending a grant.")
class RevokeAccessPayload(Payload):
    revoked_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what ended; null if it was refused."
    )


@strawberry.type
class GrantMutation:
    @mutation(
        recorded=Recorded.ALWAYS,
        description="Offer somebody to read something of the viewer's, and to plan some of it, for a time.",
    )
    async def invite_reader(self, info: Info, input: InviteReaderInput) -> InviteReaderPayload | None:
        context = info.context
        offer = domain.offer_of(input.relation, input.areas, input.days, input.email, input.plans)
        record, code = await commands.invite_reader(context.viewer, offer, resources=context.resources)
        context.renew_loaders()
        return InviteReaderPayload(invitation=invitation_node(record), code=code)

    @mutation(recorded=Recorded.ALWAYS, description="Accept an invitation to read, as the viewer.")
    async def accept_invitation(self, info: Info, input: AcceptInvitationInput) -> AcceptInvitationPayload | None:
        context = info.context
        grant = await commands.accept_invitation(
            context.viewer, code=input.code, invitation_id=input.id, resources=context.resources
        )
        context.renew_loaders()
        return AcceptInvitationPayload(grant=grant_node(grant))

    @mutation(
        recorded=Recorded.ALWAYS,
        description="End a grant at once, which the viewer gave or was given, or its planning alone, or withdraw an invitation of the"
        " viewer's."
        " NOT_FOUND where there is none.",
    )
    async def revoke_access(self, info: Info, input: RevokeAccessInput) -> RevokeAccessPayload | None:
        context = info.context
        end = commands.end_plans if input.plans_only else commands.revoke_access
        await end(context.viewer, input.id, resources=context.resources)
        context.renew_loaders()
        return RevokeAccessPayload(revoked_id=input.id)
