"""A person's own exercises, beside the catalogue that everybody sees."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.envelope import new_id
from subgraphs.errors import ValidationError

INSERT_EXERCISE = text(
    "INSERT INTO exercise (id, name, category, primary_muscles, secondary_muscles, equipment, level, tracking, force,"
    " mechanic, met, met_code, instructions, created_by) VALUES (:id, :name, :category, :primary_muscles,"
    " :secondary_muscles, :equipment, :level, :tracking, :force, :mechanic, :met, :met_code, :instructions,"
    " :created_by) ON CONFLICT (id) DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class NewExercise:
    """An exercise of one's own. `met` is what a minute of it costs, as a multiple of rest."""

    name: str
    category: str
    level: str
    tracking: str
    met: Decimal
    primary_muscles: tuple[str, ...] = ()
    secondary_muscles: tuple[str, ...] = ()
    equipment: str | None = None
    instructions: str | None = None


async def create_exercise(engine: AsyncEngine, viewer_id: str, new: NewExercise) -> str:
    """Write it and return its id. Raises ValidationError."""
    if not 1 <= len(new.name.strip()) <= 255:
        raise ValidationError(("name", "must have 1 to 255 characters"))
    if not 1 <= new.met <= 25:
        raise ValidationError(("met", "must be between 1 and 25"))
    exercise_id = new_id()
    async with engine.begin() as connection:
        await connection.execute(
            INSERT_EXERCISE,
            {
                "id": exercise_id,
                "name": new.name.strip(),
                "category": new.category,
                "primary_muscles": list(new.primary_muscles),
                "secondary_muscles": list(new.secondary_muscles),
                "equipment": new.equipment,
                "level": new.level,
                "tracking": new.tracking,
                "force": None,
                "mechanic": None,
                "met": new.met,
                "met_code": None,
                "instructions": new.instructions,
                "created_by": viewer_id,
            },
        )
    return exercise_id
