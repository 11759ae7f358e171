"""A person's calendar of training in GraphQL: the days, what is planned, and the routines."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.errors import ValidationError
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.pagination import After, Before, Connection, First, Last, connect
from subgraphs.shell.sharing import SHARED_TRAINING
from subgraphs.workouts.api.person import load_today
from subgraphs.workouts.api.planned_workout import (
    PlannedWorkout,
    Routine,
    TrainingDay,
    planned_node,
    routine_node,
    training_day,
)
from subgraphs.workouts.domain.planned_workout import LONGEST_CALENDAR_DAYS, MOST_PLANNED
from subgraphs.workouts.domain.routine import MOST_ROUTINES
from subgraphs.workouts.loaders import loaders_of
from subgraphs.workouts.queries.planned_workout import PlannedWorkoutRecord
from subgraphs.workouts.queries.training import TrainedDays
from subgraphs.workouts.queries.workout import WorkoutRecord

FirstDay = Annotated[date, strawberry.argument(name="from", description="The first local day, included.")]
LastDay = Annotated[
    date, strawberry.argument(description=f"The last local day, included; at most {LONGEST_CALENDAR_DAYS - 1} later.")
]


@strawberry.type
class CalendarOfUser:
    """Fields of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)

    @strawberry.field(
        description="Every day of a span with what is planned for it and what was done on it, the oldest first.",
        directives=[SHARED_TRAINING, list_size(31)],
    )
    async def training_calendar(self, info: Info, from_: FirstDay, to: LastDay) -> list[TrainingDay]:
        if not 0 <= (to - from_).days < LONGEST_CALENDAR_DAYS:
            raise ValidationError(("to", f"must be at most {LONGEST_CALENDAR_DAYS - 1} days after from"))
        days, loaders = TrainedDays(from_, to), loaders_of(info)
        planned: defaultdict[date, list[PlannedWorkoutRecord]] = defaultdict(list)
        for one in await loaders.planned_workouts_of_days.load((self.id, days)):
            planned[one.local_date].append(one)
        workouts: defaultdict[date, list[WorkoutRecord]] = defaultdict(list)
        for workout in await loaders.workouts_of_days.load((self.id, days)):
            workouts[workout.local_date].append(workout)
        today = await load_today(info, self.id)
        span = (from_ + timedelta(days=offset) for offset in range((to - from_).days + 1))
        return [training_day(day, today, planned[day], workouts[day]) for day in span]

    @strawberry.field(
        description=f"All that is planned, past days as well, the oldest day first; at most {MOST_PLANNED:,}.",
        directives=[SHARED_TRAINING],
    )
    async def planned_workouts(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[PlannedWorkout]:
        page = KeysetList("User.plannedWorkouts", self.id, (date, str)).page(first, after, last, before)
        records = await loaders_of(info).planned_workouts_by_user.load((self.id, page))
        count = partial(loaders_of(info).planned_workout_count_by_user.load, self.id)
        return connect(records, page, planned_node, lambda record: (record.local_date, record.id), count)

    @strawberry.field(
        description=f"The days that the person trains by, the oldest first; at most {MOST_ROUTINES}.",
        directives=[SHARED_TRAINING],
    )
    async def routines(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Routine]:
        page = KeysetList("User.routines", self.id, (datetime, str)).page(first, after, last, before)
        records = await loaders_of(info).routines_by_user.load((self.id, page))
        count = partial(loaders_of(info).routine_count_by_user.load, self.id)
        return connect(records, page, routine_node, lambda record: (record.created_at, record.id), count)
