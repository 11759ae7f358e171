"""The bars and plates that people have."""

from collections.abc import Sequence

from sqlalchemy import text

from subgraphs.shell.read_pool import Reader, any_of
from subgraphs.shell.units import MassUnit
from subgraphs.workouts.domain.plates import PlateInventory, decode_plates

_BY_USER = text(
    f"SELECT user_id, unit, bar, CAST(plates AS text) FROM plate_inventory WHERE user_id = {any_of('user_ids')}"  # noqa: S608
)


async def plate_inventories(connection: Reader, user_ids: Sequence[str]) -> dict[str, PlateInventory]:
    """The inventory of each person who set one."""
    rows = await connection.execute(_BY_USER, {"user_ids": list(user_ids)})
    return {user_id: PlateInventory(MassUnit(unit), bar, decode_plates(plates)) for user_id, unit, bar, plates in rows}
