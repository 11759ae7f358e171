"""The bar and the plates that a person has: set as a whole, or forgotten."""

from sqlalchemy import text

from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks
from subgraphs.workouts.domain.plates import PlateInventory, check_inventory, encode_plates

_SET = text(
    "INSERT INTO plate_inventory (user_id, unit, bar, plates) VALUES (:user_id, :unit, :bar, CAST(:plates AS jsonb))"
    " ON CONFLICT (user_id) DO UPDATE SET unit = excluded.unit, bar = excluded.bar, plates = excluded.plates"
)
_NONE = text("DELETE FROM plate_inventory WHERE user_id = :user_id")


async def set_plate_inventory(viewer: Viewer, inventory: PlateInventory | None, *, database: Database) -> None:
    """Set what the viewer has, in place of what was set before; None: nothing is known. Raises ValidationError."""
    if inventory is None:
        async with database.transaction() as transaction:
            await transaction.execute(_NONE, {"user_id": viewer.id})
        return
    checks = Checks()
    check_inventory(checks, inventory, "inventory.")
    checks.done()
    row = {
        "user_id": viewer.id,
        "unit": inventory.unit.value,
        "bar": inventory.bar,
        "plates": encode_plates(inventory.plates),
    }
    async with database.transaction() as transaction:
        await transaction.execute(_SET, row)
