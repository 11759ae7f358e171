"""The operation's loaders: each gathers the keys of one tick and answers them with one statement."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cached_property, partial

from loaders.dataloader import DataLoader, keeping_parts, load_list, load_one, load_with_arguments, nothing
from subgraphs.shell.change_log import ChangePage, ChangesRecord, changes_by_user
from subgraphs.shell.context import Info, Resources
from subgraphs.shell.grants import ReadRecord, reads_by_owner
from subgraphs.shell.keyset import Page
from subgraphs.shell.plan_writing import PlanWriteRecord, writes_by_owner
from subgraphs.shell.replicated_person import PersonRecord, people_by_id
from subgraphs.shell.search.store import Found
from subgraphs.shell.telemetry import batch_span
from subgraphs.workouts.domain.plates import PlateInventory
from subgraphs.workouts.domain.series import RateTimes, Series
from subgraphs.workouts.queries.exercise import ExerciseFilter, ExerciseRecord, exercises_by_id, exercises_by_name
from subgraphs.workouts.queries.exercise_search import search_exercises
from subgraphs.workouts.queries.gear import GearRecord, GearUse, gear_by_id, gear_by_user, gear_counts, gear_uses
from subgraphs.workouts.queries.person import weights_on
from subgraphs.workouts.queries.personal_record import (
    PersonalRecord,
    RecordMark,
    record_counts,
    record_marks,
    records_by_user,
)
from subgraphs.workouts.queries.planned_workout import (
    PlannedWorkoutRecord,
    planned_by_workout,
    planned_workout_counts,
    planned_workouts_by_id,
    planned_workouts_by_user,
    planned_workouts_of_days,
)
from subgraphs.workouts.queries.plates import plate_inventories
from subgraphs.workouts.queries.public_template import (
    PublicTemplateRecord,
    TemplateFilter,
    public_templates_by_id,
    public_templates_page,
    publications_by_template,
    report_reasons,
)
from subgraphs.workouts.queries.rest import default_rests
from subgraphs.workouts.queries.routine import RoutineRecord, routine_counts, routines_by_id, routines_by_user
from subgraphs.workouts.queries.template import (
    TemplateExerciseRecord,
    TemplateRecord,
    exercises_by_template,
    template_counts,
    templates_by_id,
    templates_by_user,
)
from subgraphs.workouts.queries.track import (
    TrackBest,
    TrackRecord,
    bests_by_workout,
    pace_records,
    rate_times_by_workout,
    series_by_workout,
    tracks_by_workout,
)
from subgraphs.workouts.queries.training import MuscleWork, TrainedDays, muscle_work, session_loads
from subgraphs.workouts.queries.workout import (
    SetRecord,
    WorkoutExerciseRecord,
    WorkoutPage,
    WorkoutParts,
    WorkoutRecord,
    active_workouts,
    exercises_by_workout,
    sets_by_id,
    sets_by_workout,
    workout_counts,
    workouts_by_user,
    workouts_of_days,
    workouts_with_parts,
)


class WorkoutsLoaders:
    """One set an operation, each made when first wanted; named `<result>_by_<key>`."""

    def __init__(self, resources: Resources) -> None:
        self._read = resources.database.batch_reader
        self._parts: defaultdict[WorkoutPage, set[str]] = defaultdict(set)
        self._parts_of_workouts: defaultdict[str, set[str]] = defaultdict(set)

    @cached_property
    def exercise_by_id(self) -> DataLoader[str, ExerciseRecord | None]:
        return load_one("exercise_by_id", self._read(exercises_by_id), batch_span)

    @cached_property
    def exercises_by_words(self) -> DataLoader[tuple[str, ExerciseFilter], list[Found]]:
        return load_with_arguments("exercises_by_words", self._read(search_exercises), list, batch_span)

    @cached_property
    def exercises_by_name(self) -> DataLoader[tuple[ExerciseFilter, Page], list[ExerciseRecord]]:
        return load_with_arguments("exercises_by_name", self._read(exercises_by_name), list, batch_span)

    @cached_property
    def person_by_id(self) -> DataLoader[str, PersonRecord | None]:
        return load_one("person_by_id", self._read(people_by_id), batch_span)

    @cached_property
    def weight_by_user_and_day(self) -> DataLoader[tuple[str, date], Decimal | None]:
        return load_with_arguments("weight_by_user_and_day", self._read(weights_on), nothing, batch_span)

    @cached_property
    def workout_by_id(self) -> DataLoader[str, WorkoutRecord | None]:
        read = keeping_parts(self._keep, self._read(workouts_with_parts))
        return load_one("workout_by_id", partial(read, parts=self._parts_of_workouts), batch_span)

    def want_with_workout(self, workout_id: str, parts: Iterable[str]) -> None:
        """Have the statement that reads a workout also bring these parts of it for the loaders of those."""
        self._parts_of_workouts[workout_id].update(parts)

    @cached_property
    def active_workout_by_user(self) -> DataLoader[str, WorkoutRecord | None]:
        return load_one("active_workout_by_user", self._read(active_workouts), batch_span)

    @cached_property
    def workouts_by_user(self) -> DataLoader[tuple[str, WorkoutPage], list[WorkoutRecord]]:
        read = keeping_parts(self._keep, self._read(workouts_by_user))
        return load_with_arguments(
            "workouts_by_user", lambda ids, page: read(ids, page, self._parts[page]), list, batch_span
        )

    def workouts_with(
        self, parts: Iterable[str], user_id: str, wanted: WorkoutPage
    ) -> "asyncio.Future[list[WorkoutRecord]]":
        """A page of a person's workouts, whose statement also brings these parts of them for the loaders of those."""
        self._parts[wanted].update(parts)
        return self.workouts_by_user.load((user_id, wanted))

    def _keep(self, parts: WorkoutParts) -> None:
        self.exercises_by_workout.prime_all(parts.places)
        self.sets_by_workout.prime_all(parts.sets)
        self.exercise_by_id.prime_all(parts.exercises)

    @cached_property
    def exercises_by_workout(self) -> DataLoader[str, list[WorkoutExerciseRecord]]:
        return load_list("exercises_by_workout", self._read(exercises_by_workout), batch_span)

    @cached_property
    def set_by_id(self) -> DataLoader[str, SetRecord | None]:
        return load_one("set_by_id", self._read(sets_by_id), batch_span)

    @cached_property
    def sets_by_workout(self) -> DataLoader[str, list[SetRecord]]:
        return load_list("sets_by_workout", self._read(sets_by_workout), batch_span)

    @cached_property
    def track_by_workout(self) -> DataLoader[str, TrackRecord | None]:
        return load_one("track_by_workout", self._read(tracks_by_workout), batch_span)

    @cached_property
    def bests_by_workout(self) -> DataLoader[str, list[TrackBest]]:
        return load_list("bests_by_workout", self._read(bests_by_workout), batch_span)

    @cached_property
    def series_by_workout(self) -> DataLoader[str, Series | None]:
        return load_one("series_by_workout", self._read(series_by_workout), batch_span)

    @cached_property
    def rate_times_by_workout(self) -> DataLoader[str, RateTimes | None]:
        return load_one("rate_times_by_workout", self._read(rate_times_by_workout), batch_span)

    @cached_property
    def pace_records_by_user_and_exercise(self) -> DataLoader[tuple[str, str], list[TrackBest]]:
        return load_list("pace_records_by_user_and_exercise", self._read(pace_records), batch_span)

    @cached_property
    def workout_count_by_user(self) -> DataLoader[str, int | None]:
        return load_one("workout_count_by_user", self._read(workout_counts), batch_span)

    @cached_property
    def records_by_user(self) -> DataLoader[tuple[str, Page], list[PersonalRecord]]:
        return load_with_arguments("records_by_user", self._read(records_by_user), list, batch_span)

    @cached_property
    def record_count_by_user(self) -> DataLoader[str, int | None]:
        return load_one("record_count_by_user", self._read(record_counts), batch_span)

    @cached_property
    def marks_by_user_and_exercise(self) -> DataLoader[tuple[str, str], list[RecordMark]]:
        return load_list("marks_by_user_and_exercise", self._read(record_marks), batch_span)

    @cached_property
    def muscle_work_by_user(self) -> DataLoader[tuple[str, TrainedDays], list[MuscleWork]]:
        return load_with_arguments("muscle_work_by_user", self._read(muscle_work), list, batch_span)

    @cached_property
    def loads_by_user(self) -> DataLoader[tuple[str, TrainedDays], dict[date, Decimal]]:
        return load_with_arguments("loads_by_user", self._read(session_loads), dict, batch_span)

    @cached_property
    def default_rest_by_user(self) -> DataLoader[str, int | None]:
        return load_one("default_rest_by_user", self._read(default_rests), batch_span)

    @cached_property
    def gear_by_id(self) -> DataLoader[str, GearRecord | None]:
        return load_one("gear_by_id", self._read(gear_by_id), batch_span)

    @cached_property
    def gear_by_user(self) -> DataLoader[tuple[str, Page], list[GearRecord]]:
        return load_with_arguments("gear_by_user", self._read(gear_by_user), list, batch_span)

    @cached_property
    def gear_count_by_user(self) -> DataLoader[str, int | None]:
        return load_one("gear_count_by_user", self._read(gear_counts), batch_span)

    @cached_property
    def gear_use_by_id(self) -> DataLoader[str, GearUse | None]:
        return load_one("gear_use_by_id", self._read(gear_uses), batch_span)

    @cached_property
    def plate_inventory_by_user(self) -> DataLoader[str, PlateInventory | None]:
        return load_one("plate_inventory_by_user", self._read(plate_inventories), batch_span)

    @cached_property
    def planned_workout_by_id(self) -> DataLoader[str, PlannedWorkoutRecord | None]:
        return load_one("planned_workout_by_id", self._read(planned_workouts_by_id), batch_span)

    @cached_property
    def planned_by_workout(self) -> DataLoader[str, PlannedWorkoutRecord | None]:
        return load_one("planned_by_workout", self._read(planned_by_workout), batch_span)

    @cached_property
    def planned_workouts_by_user(self) -> DataLoader[tuple[str, Page], list[PlannedWorkoutRecord]]:
        return load_with_arguments("planned_workouts_by_user", self._read(planned_workouts_by_user), list, batch_span)

    @cached_property
    def planned_workout_count_by_user(self) -> DataLoader[str, int | None]:
        return load_one("planned_workout_count_by_user", self._read(planned_workout_counts), batch_span)

    @cached_property
    def planned_workouts_of_days(self) -> DataLoader[tuple[str, TrainedDays], list[PlannedWorkoutRecord]]:
        return load_with_arguments("planned_workouts_of_days", self._read(planned_workouts_of_days), list, batch_span)

    @cached_property
    def workouts_of_days(self) -> DataLoader[tuple[str, TrainedDays], list[WorkoutRecord]]:
        return load_with_arguments("workouts_of_days", self._read(workouts_of_days), list, batch_span)

    @cached_property
    def routine_by_id(self) -> DataLoader[str, RoutineRecord | None]:
        return load_one("routine_by_id", self._read(routines_by_id), batch_span)

    @cached_property
    def routines_by_user(self) -> DataLoader[tuple[str, Page], list[RoutineRecord]]:
        return load_with_arguments("routines_by_user", self._read(routines_by_user), list, batch_span)

    @cached_property
    def routine_count_by_user(self) -> DataLoader[str, int | None]:
        return load_one("routine_count_by_user", self._read(routine_counts), batch_span)

    @cached_property
    def templates_by_user(self) -> DataLoader[tuple[str, Page], list[TemplateRecord]]:
        return load_with_arguments("templates_by_user", self._read(templates_by_user), list, batch_span)

    @cached_property
    def template_count_by_user(self) -> DataLoader[str, int | None]:
        return load_one("template_count_by_user", self._read(template_counts), batch_span)

    @cached_property
    def exercises_by_template(self) -> DataLoader[str, list[TemplateExerciseRecord]]:
        return load_list("exercises_by_template", self._read(exercises_by_template), batch_span)

    @cached_property
    def template_by_id(self) -> DataLoader[str, TemplateRecord | None]:
        return load_one("template_by_id", self._read(templates_by_id), batch_span)

    @cached_property
    def public_template_by_id(self) -> DataLoader[str, PublicTemplateRecord | None]:
        return load_one("public_template_by_id", self._read(public_templates_by_id), batch_span)

    @cached_property
    def publication_by_template(self) -> DataLoader[str, PublicTemplateRecord | None]:
        return load_one("publication_by_template", self._read(publications_by_template), batch_span)

    @cached_property
    def public_templates(self) -> DataLoader[tuple[TemplateFilter, Page], list[PublicTemplateRecord]]:
        return load_with_arguments("public_templates", self._read(public_templates_page), list, batch_span)

    @cached_property
    def report_reasons_by_public_template(self) -> DataLoader[str, list[tuple[str, int]]]:
        return load_list("report_reasons_by_public_template", self._read(report_reasons), batch_span)

    @cached_property
    def changes_by_user(self) -> DataLoader[tuple[str, ChangePage], ChangesRecord | None]:
        return load_with_arguments("changes_by_user", self._read(changes_by_user), nothing, batch_span)

    @cached_property
    def reads_by_owner(self) -> DataLoader[str, list[ReadRecord]]:
        return load_list("reads_by_owner", self._read(reads_by_owner), batch_span)

    @cached_property
    def writes_by_owner(self) -> DataLoader[str, list[PlanWriteRecord]]:
        return load_list("writes_by_owner", self._read(writes_by_owner), batch_span)


def loaders_of(info: Info) -> WorkoutsLoaders:
    loaders: WorkoutsLoaders = info.context.loaders
    return loaders
