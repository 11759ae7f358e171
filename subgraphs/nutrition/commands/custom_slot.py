"""A person's own slots of the day: the whole list at once, so that its order is never half changed."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.nutrition.domain.custom_slot import CustomSlot, check_slots, encode_slots, slot_named
from subgraphs.nutrition.domain.meal import MealSlot
from subgraphs.nutrition.queries.custom_slot import CustomSlotsRecord, custom_slots_by_user
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database, take_turns
from subgraphs.shell.errors import Checks, NotFoundError, expect_version

_KEEP = text(
    "INSERT INTO custom_slot_list (user_id, slots, version) VALUES (:user_id, CAST(:slots AS jsonb), 1)"
    " ON CONFLICT (user_id) DO UPDATE SET slots = excluded.slots, version = custom_slot_list.version + 1"
)


async def set_custom_slots(
    viewer: Viewer, slots: Sequence[CustomSlot], *, expected_version: int | None, database: Database
) -> CustomSlotsRecord:
    """Have these slots, in this order, in place of those before; what they are already changes nothing. Meals keep the names they have.

    Raises ValidationError, StaleVersionError.
    """
    checks = Checks()
    check_slots(checks, slots)
    checks.done()
    told = tuple(CustomSlot(name=slot.name.strip(), counts_as=slot.counts_as) for slot in slots)
    async with database.transaction() as transaction:
        await take_turns(transaction, "custom_slot_list", viewer.id)
        before = await custom_slots_of(transaction, viewer.id)
        if told == before.slots:
            return before
        expect_version("list of slots", expected=expected_version, current=before.version)
        await transaction.execute(_KEEP, {"user_id": viewer.id, "slots": encode_slots(told)})
        return await custom_slots_of(transaction, viewer.id)


async def custom_slots_of(transaction: AsyncConnection, user_id: str) -> CustomSlotsRecord:
    return (await custom_slots_by_user(transaction, [user_id])).get(user_id, CustomSlotsRecord())


async def own_slot(transaction: AsyncConnection, user_id: str, name: str) -> CustomSlot:
    """The person's own slot with this name. Raises NotFoundError."""
    found = slot_named(name, (await custom_slots_of(transaction, user_id)).slots)
    if found is None:
        raise NotFoundError(f"You have no slot {name.strip()!r}.", field="customSlot")
    return found


async def placed(
    transaction: AsyncConnection, user_id: str, slot: MealSlot, custom_slot: str | None
) -> tuple[MealSlot, str | None]:
    """Where a meal belongs: a slot of one's own says which of everybody's it counts as. Raises NotFoundError."""
    if custom_slot is None:
        return slot, None
    own = await own_slot(transaction, user_id, custom_slot)
    return own.counts_as, own.name
