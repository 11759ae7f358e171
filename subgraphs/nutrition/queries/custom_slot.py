"""The slots that people have of their own, as they are read."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from subgraphs.nutrition.domain.custom_slot import CustomSlot, decode_slots
from subgraphs.shell.read_pool import Reader

_BY_USER = text(
    "SELECT user_id, CAST(slots AS text) AS slots, version FROM custom_slot_list WHERE user_id = ANY(CAST(:user_ids AS text[]))"
)


@dataclass(frozen=True, slots=True)
class CustomSlotsRecord:
    """A person's slots in order; version 0 for a person who never had any."""

    slots: tuple[CustomSlot, ...] = ()
    version: int = 0


async def custom_slots_by_user(connection: Reader, user_ids: Sequence[str]) -> dict[str, CustomSlotsRecord]:
    """Without those who never had any."""
    rows = await connection.execute(_BY_USER, {"user_ids": list(user_ids)})
    return {row[0]: CustomSlotsRecord(decode_slots(row[1]), row[2]) for row in rows}
