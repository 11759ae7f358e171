"""Word that a person takes along everything that is kept about them: a line of the security log, and nothing else."""

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.scopes import OF_OWN_ACCOUNT
from subgraphs.shell.security_log import Recorded
from subgraphs.users.api.user import User, load_viewer


@strawberry.input(description="That an export begins.")
class BeginExportInput:
    is_continued: bool = strawberry.field(
        default=False, description="Whether one that was cut off goes on, in place of a new one."
    )


@strawberry.type(description="What came of telling that an export begins.")
class BeginExportPayload(Payload):
    user: User | None = strawberry.field(
        default=None, description="The person whose data it is; null if it was refused."
    )


@strawberry.type
class ExportMutation:
    @mutation(
        recorded=Recorded.ALWAYS,
        description="Tell, before the first page, that the viewer takes along everything that is kept about them. Operators find it"
        " in the security log; nothing is changed, and reading asks for it nowhere.",
        directives=[OF_OWN_ACCOUNT],
    )
    async def begin_export(self, info: Info, input: BeginExportInput) -> BeginExportPayload | None:  # noqa: ARG002 - for the log
        return BeginExportPayload(user=await load_viewer(info))
