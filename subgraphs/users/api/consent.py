"""What people agree to, in GraphQL: texts in force, what holds, what is missing, its history, and the changes to it."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.errors import Checks
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.pagination import After, Before, Connection, First, Last, connect
from subgraphs.shell.scalars import describe_enum
from subgraphs.shell.scopes import OF_OWN_ACCOUNT
from subgraphs.shell.security_log import Recorded
from subgraphs.users.commands import consent as commands
from subgraphs.users.domain import consent as domain
from subgraphs.users.domain.consent import ConsentPurpose, ConsentWay
from subgraphs.users.loaders import loaders_of
from subgraphs.users.queries.consent import ConsentRecord

if TYPE_CHECKING:
    from subgraphs.users.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.users.api.user")]
_PURPOSES = len(ConsentPurpose)

describe_enum(
    ConsentPurpose,
    "What somebody agrees to.",
    TERMS="The terms of use: the contract, which ends with the account alone.",
    HEALTH_DATA="That weights, meals, workouts and what follows from them are processed: data concerning health, for which the"
    " GDPR asks an express consent in article 9. Withdrawn with `withdrawHealthDataConsent`, after which the account is erased.",
    EMAILS="Mails of reports, reminders and other news, of the kinds that NotificationPreferences name. Withdrawn, none is sent,"
    " whatever was chosen there; mails about the safety of the account go on.",
    STATISTICS="To be counted among the people of the operator's statistics, which hold numbers alone.",
)
describe_enum(
    ConsentWay,
    "How somebody decided about a consent.",
    REGISTRATION="With the registration.",
    SETTINGS="Signed in.",
)


@strawberry.type(description="A text that this platform asks people to agree to.")
class ConsentText:
    purpose: ConsentPurpose = strawberry.field(description="What it is about.")
    version: str = strawberry.field(description="Its version in force, which whoever agrees names.")
    is_required: bool = strawberry.field(description="Whether there is no account without it.")


@strawberry.type(description="How it stands with one purpose.")
class ConsentState:
    purpose: ConsentPurpose = strawberry.field(description="What it is about.")
    is_given: bool | None = strawberry.field(
        description="Whether the person agreed, and has not withdrawn it; null: never decided."
    )
    version: str | None = strawberry.field(
        description="Of the text that was decided about; null: no decision, or no text had a version then."
    )
    decided_at: datetime | None = strawberry.field(description="When the person decided last; null: never.")
    version_in_force: str | None = strawberry.field(
        description="Of the text that whoever agrees now agrees to; null: none has a version."
    )
    is_missing: bool = strawberry.field(
        description="Whether to ask the person: the text in force was not decided about, or is required and was refused."
    )


@strawberry.type(description="One decision about a consent.")
class ConsentDecision:
    id: strawberry.ID = strawberry.field(description="Identifies the decision in the whole graph, for caches.")
    purpose: ConsentPurpose = strawberry.field(description="What it is about.")
    is_given: bool = strawberry.field(description="Whether the person agreed; false: refused, or withdrew it.")
    version: str | None = strawberry.field(description="Of the text that was shown; null: none had a version.")
    decided_at: datetime = strawberry.field(description="When.")
    way: ConsentWay = strawberry.field(description="How.")


@strawberry.type
class ConsentsOfUser:
    """Fields of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)

    @strawberry.field(
        description="How it stands with each purpose, in the order of ConsentPurpose.",
        directives=[list_size(_PURPOSES)],
    )
    async def consents(self, info: Info) -> list[ConsentState]:
        in_force = commands.versions_in_force(info.context.resources.settings)
        held = {each.purpose: each for each in await loaders_of(info).consents_by_user.load(self.id)}
        return [_state(purpose, held.get(purpose), in_force.get(purpose)) for purpose in ConsentPurpose]

    @strawberry.field(
        description="What the person has decided, newest first, withdrawals too; the newest"
        f" {domain.MOST_KEPT} decisions, and those that hold. `totalCount` counts all of them."
    )
    async def consent_history(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[ConsentDecision]:
        page = KeysetList("User.consentHistory", self.id, (datetime, str)).page(first, after, last, before)
        loaders = loaders_of(info)
        records = await loaders.consent_history_by_user.load((self.id, page))
        count = partial(loaders.consent_count_by_user.load, self.id)
        return connect(records, page, _decision_node, lambda record: (record.decided_at, record.id), count)


def _state(purpose: ConsentPurpose, held: ConsentRecord | None, in_force: str | None) -> ConsentState:
    decided = None if held is None else domain.Decided(held.is_given, held.version)
    return ConsentState(
        purpose=purpose,
        is_given=None if held is None else held.is_given,
        version=None if held is None else held.version,
        decided_at=None if held is None else held.decided_at,
        version_in_force=in_force,
        is_missing=domain.is_missing(purpose, decided, {} if in_force is None else {purpose: in_force}),
    )


def _decision_node(record: ConsentRecord) -> ConsentDecision:
    return ConsentDecision(
        id=strawberry.ID(record.id),
        purpose=ConsentPurpose(record.purpose),
        is_given=record.is_given,
        version=record.version,
        decided_at=record.decided_at,
        way=ConsentWay(record.way),
    )


@strawberry.type
class ConsentQuery:
    @strawberry.field(
        description="The texts that this platform asks people to agree to, for whoever is about to register too.",
        directives=[list_size(_PURPOSES)],
    )
    def consent_texts(
        self,
        info: Info,
        purpose: Annotated[
            ConsentPurpose | None, strawberry.argument(description="Only that of it. Null: of all.")
        ] = None,
    ) -> list[ConsentText]:
        in_force = commands.versions_in_force(info.context.resources.settings)
        return [
            ConsentText(purpose=each, version=version, is_required=each in domain.REQUIRED)
            for each, version in in_force.items()
            if purpose in (None, each)
        ]


@strawberry.input(description="What somebody decides about one purpose.")
class ConsentInput:
    purpose: ConsentPurpose = strawberry.field(description="What it is about.")
    is_given: bool = strawberry.field(description="Whether the person agrees.")
    version: str | None = strawberry.field(
        default=None,
        description="Of the text that was shown: whoever agrees names the one of `consentTexts`. Null: it has none.",
    )


def consent_choices(inputs: Sequence[ConsentInput]) -> tuple[domain.ConsentChoice, ...]:
    """Raises ValidationError for more than there are purposes."""
    checks = Checks()
    checks.require(len(inputs) <= _PURPOSES, "consents", f"may have at most {_PURPOSES} entries")
    checks.require(all(len(each.version or "") <= 50 for each in inputs), "consents", "has a version that is none")
    checks.done()
    return tuple(domain.ConsentChoice(each.purpose, each.is_given, each.version) for each in inputs)


@strawberry.input(description="What the viewer agrees to from now on, and what no more.")
class UpdateConsentsInput:
    consents: list[ConsentInput] = strawberry.field(
        description=f"Each purpose once, up to {_PURPOSES}; the others stay as they are."
    )


@strawberry.type(description="What came of deciding about consents.")
class UpdateConsentsPayload(Payload):
    user: LazyUser | None = strawberry.field(default=None, description="The person as decided; null if it was refused.")


@strawberry.type
class ConsentMutation:
    @mutation(
        recorded=Recorded.ALWAYS,
        description="Agree, or withdraw a consent; the same again changes nothing. Whoever agrees to HEALTH_DATA before the"
        " erasure keeps the account, and has all rights with the next `refresh`. The terms end with `deleteAccount`.",
        directives=[OF_OWN_ACCOUNT],
    )
    async def update_consents(self, info: Info, input: UpdateConsentsInput) -> UpdateConsentsPayload | None:
        from subgraphs.users.api.user import load_viewer

        context = info.context
        choices = consent_choices(input.consents)
        await commands.update_consents(context.viewer, choices, resources=context.resources)
        context.renew_loaders()
        return UpdateConsentsPayload(user=await load_viewer(info))
