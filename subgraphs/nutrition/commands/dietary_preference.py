"""What a person avoids in food: chosen as a whole, so that it is never half changed."""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.nutrition.domain.declaration import Allergen, Diet, Preferences
from subgraphs.nutrition.queries.declaration import dietary_preferences_by_user
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database, take_turns
from subgraphs.shell.errors import expect_version

_KEEP = text(
    "INSERT INTO dietary_preference (user_id, avoid, diet, version)"
    " VALUES (:user_id, CAST(:avoid AS text[]), :diet, 1) ON CONFLICT (user_id) DO UPDATE SET avoid = excluded.avoid,"
    " diet = excluded.diet, version = dietary_preference.version + 1"
)


async def set_dietary_preferences(
    viewer: Viewer,
    avoid: Iterable[Allergen],
    diet: Diet | None,
    *,
    expected_version: int | None,
    database: Database,
) -> Preferences:
    """Have these in place of those before; what they are already changes nothing. Raises StaleVersionError."""
    async with database.transaction() as transaction:
        await take_turns(transaction, "dietary_preference", viewer.id)
        before = await _preferences_of(transaction, viewer.id)
        if (frozenset(avoid), diet) == (before.avoid, before.diet):
            return before
        expect_version("dietary preferences", expected=expected_version, current=before.version)
        row = {"user_id": viewer.id, "avoid": sorted(set(avoid)), "diet": diet}
        await transaction.execute(_KEEP, row)
        return await _preferences_of(transaction, viewer.id)


async def _preferences_of(transaction: AsyncConnection, user_id: str) -> Preferences:
    return (await dietary_preferences_by_user(transaction, [user_id])).get(user_id, Preferences())
