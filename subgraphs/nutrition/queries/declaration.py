"""What foods are told to contain, recipes by their ingredients, and what people avoid, as they are read."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import text

from subgraphs.nutrition.domain.declaration import Allergen, Declaration, Diet, Preferences, of_ingredients
from subgraphs.nutrition.domain.recipe import SOURCE
from subgraphs.nutrition.domain.shopping import MOST_LEVELS
from subgraphs.shell.read_pool import Reader

# A dish is taken apart down to what is no recipe. What is still one at the last level, or gone, is told nothing of. How many parts there
# will be Postgres cannot know, and with a plain join it would rather read the whole table than look each up.
_BY_FOOD = text(
    "WITH RECURSIVE part (root, id, level) AS ("  # noqa: S608 - our names
    " SELECT id, id, 0 FROM unnest(CAST(:food_ids AS text[])) AS wanted (id)"
    " UNION SELECT part.root, ingredient ->> 'food_id', part.level + 1 FROM part CROSS JOIN LATERAL ("
    "  SELECT content FROM recipe_version WHERE food_id = part.id ORDER BY version DESC LIMIT 1) AS recipe"
    "  CROSS JOIN LATERAL jsonb_array_elements(recipe.content -> 'ingredients') AS ingredient"
    f"  WHERE part.level < {MOST_LEVELS})"
    " SELECT part.root, food.contains, food.free_from FROM part LEFT JOIN LATERAL ("
    "  SELECT source, contains, free_from FROM food WHERE id = part.id LIMIT 1) AS food ON true"
    f" WHERE food.source IS DISTINCT FROM '{SOURCE}' OR part.level = {MOST_LEVELS}"
)
_PREFERENCES = text(
    "SELECT user_id, avoid, diet, version FROM dietary_preference WHERE user_id = ANY(CAST(:user_ids AS text[]))"
)


async def declarations_by_food(connection: Reader, food_ids: Sequence[str]) -> dict[str, Declaration]:
    """Of each food, or of a recipe by all that it is made of."""
    parts: defaultdict[str, list[Declaration]] = defaultdict(list)
    for food_id, contains, free_from in await connection.execute(_BY_FOOD, {"food_ids": list(food_ids)}):
        parts[food_id].append(Declaration(frozenset(contains or ()), frozenset(free_from or ())))
    return {food_id: of_ingredients(told) for food_id, told in parts.items()}


async def dietary_preferences_by_user(connection: Reader, user_ids: Sequence[str]) -> dict[str, Preferences]:
    """Without those who never chose any."""
    rows = await connection.execute(_PREFERENCES, {"user_ids": list(user_ids)})
    return {
        user_id: Preferences(frozenset(Allergen(each) for each in avoid), None if diet is None else Diet(diet), version)
        for user_id, avoid, diet, version in rows
    }
