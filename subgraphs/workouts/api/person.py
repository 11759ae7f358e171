"""A person as workouts know it: the name and the clock."""

from datetime import date

from subgraphs.shell.calendar import local_date
from subgraphs.shell.context import Info
from subgraphs.shell.replicated_person import PersonRecord, person_from_token
from subgraphs.workouts.loaders import loaders_of


async def load_person(info: Info, user_id: str) -> PersonRecord:
    """A person who registered a moment ago is known by the token only; anybody else unknown has UTC."""
    known = await loaders_of(info).person_by_id.load(user_id)
    if known is not None:
        return known
    viewer = info.context.viewer
    return person_from_token(viewer) if viewer.id == user_id else PersonRecord(user_id, "", "UTC", 0)


async def load_today(info: Info, user_id: str) -> date:
    """The person's day now, by zone and beginning of the day."""
    person = await load_person(info, user_id)
    return local_date(info.context.resources.now(), person.time_zone, person.day_start_hour)
