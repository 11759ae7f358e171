"""Plans that others wrote, in GraphQL: the type that every subgraph with plans answers with, and who wrote one last."""

from datetime import datetime

import strawberry

from subgraphs.shell.plan_writing import PlanKind, PlanWriteRecord
from subgraphs.shell.scalars import describe_enum, id_or_none

#: The description of `authorId`, of whatever can be planned by a grant.
AUTHOR = "Who wrote it last, if that was somebody with a grant to plan; null: its person, or somebody who has been erased since."
#: The description of `personId`, of what is made anew.
PERSON = "For whom it is, who must let the viewer plan such things by a grant. Null: the viewer."

describe_enum(
    PlanKind,
    "What somebody may write for a person, by a grant.",
    TEMPLATE="A template of workouts.",
    ROUTINE="A routine.",
    PLANNED_WORKOUT="A workout planned for a day, or those of a routine, which is what `subjectId` is of then.",
    MEAL_PLAN="A plan of meals.",
    PLANNED_MEALS="The days that a plan of meals was put on.",
    NUTRITION_TARGET="What to eat and drink in a day.",
    GOAL="A goal.",
)


@strawberry.federation.type(shareable=True, description="That somebody wrote a plan of the person, by a grant.")
class PlanWrite:
    grant_id: strawberry.ID = strawberry.field(description="The grant by which it was written; it may have ended.")
    writer_id: strawberry.ID = strawberry.field(description="Who wrote it.")
    writer_name: str = strawberry.field(description="How the writer was called then.")
    api_key_id: strawberry.ID | None = strawberry.field(
        description="The API key of the writer by which a program of theirs wrote it; null: they did themselves."
    )
    what: PlanKind = strawberry.field(description="What was written.")
    subject_id: strawberry.ID = strawberry.field(
        description="The id of the plan, which may be gone meanwhile; of a target, the day from which it holds."
    )
    at: datetime = strawberry.field(description="When it was written.")


def write_node(record: PlanWriteRecord) -> PlanWrite:
    return PlanWrite(
        grant_id=strawberry.ID(record.grant_id),
        writer_id=strawberry.ID(record.writer_id),
        writer_name=record.writer_name,
        api_key_id=id_or_none(record.api_key_id),
        what=PlanKind(record.what),
        subject_id=strawberry.ID(record.subject_id),
        at=record.at,
    )
