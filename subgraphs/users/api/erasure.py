"""Erasing one's account in GraphQL."""

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import PASSWORD_COST
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.scopes import OF_OWN_ACCOUNT
from subgraphs.shell.security_log import Recorded
from subgraphs.users.commands.erasure import erase_person


@strawberry.input(description="Who erases an account.")
class DeleteAccountInput:
    current_password: str = strawberry.field(description="The password that holds now: this cannot be undone.")


@strawberry.type(description="What came of erasing an account.")
class DeleteAccountPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the person who is gone; null if it was refused."
    )


@strawberry.type
class ErasureMutation:
    @mutation(
        recorded=Recorded.ALWAYS,
        description="Erase the viewer's account and everything of the viewer's in the whole graph, for good. Other subgraphs"
        " follow within moments.",
        directives=[PASSWORD_COST, OF_OWN_ACCOUNT],
    )
    async def delete_account(self, info: Info, input: DeleteAccountInput) -> DeleteAccountPayload | None:
        viewer = info.context.viewer
        await erase_person(viewer, input.current_password, resources=info.context.resources)
        return DeleteAccountPayload(deleted_id=strawberry.ID(viewer.id))
