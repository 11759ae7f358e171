"""The pauses of a workout in GraphQL: as they are shown, and as they are told of one that is logged afterwards."""

from datetime import datetime

import strawberry

from subgraphs.workouts.domain.pause import Pause


@strawberry.type(description="A time in which the session stood still.")
class WorkoutPause:
    started_at: datetime = strawberry.field(description="When it began.")
    ended_at: datetime | None = strawberry.field(
        description="When it ended: when the session was resumed, or with the workout. Null while it goes on."
    )


@strawberry.input(description="A time in which a workout that is logged stood still.")
class WorkoutPauseInput:
    started_at: datetime = strawberry.field(description="When it began, within the workout.")
    ended_at: datetime = strawberry.field(description="When it ended, later and within the workout.")

    def to_pause(self) -> Pause:
        return Pause(self.started_at, self.ended_at)


def pause_node(pause: Pause) -> WorkoutPause:
    return WorkoutPause(started_at=pause.started_at, ended_at=pause.ended_at)
