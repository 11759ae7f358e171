"""Made-up products in the shape of FoodData Central's JSON: as many as wanted, the same for the same seed, some of them wrong.

`fittracker foods synthetic FILE --count 400000 --seed 1`. Names are made of words as labels have them: a few are in very many names,
most in few; what is sold, how it tastes, who makes it. Barcodes begin with 2, which is for use within shops: no product has them.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from subgraphs.nutrition.domain.gtin import check_digit

# What is sold, on which shelf, and about what 100 g have: protein, carbohydrate, fat in g.
KINDS = (
    ("bread", "Breads & Buns", 9, 48, 4), ("tortillas", "Breads & Buns", 8, 50, 8), ("crackers", "Crackers & Biscotti", 9, 65, 18),
    ("potato chips", "Chips, Pretzels & Snacks", 6, 53, 34), ("popcorn", "Popcorn, Peanuts, Seeds & Related Snacks", 9, 60, 25),
    ("granola bar", "Snack, Energy & Granola Bars", 8, 65, 17), ("protein bar", "Snack, Energy & Granola Bars", 30, 40, 12),
    ("yogurt", "Yogurt", 6, 13, 2), ("greek yogurt", "Yogurt", 9, 8, 2), ("cheese", "Cheese", 24, 3, 32),
    ("cream cheese", "Cheese", 6, 6, 30), ("milk", "Milk", 3, 5, 2), ("ice cream", "Ice Cream & Frozen Yogurt", 4, 25, 11),
    ("chocolate bar", "Chocolate", 6, 57, 32), ("candy", "Candy", 1, 85, 3), ("cookies", "Cookies & Biscuits", 5, 67, 22),
    ("cake", "Cakes, Cupcakes, Snack Cakes", 4, 53, 17), ("muffins", "Cakes, Cupcakes, Snack Cakes", 5, 50, 16),
    ("cereal", "Cereal", 8, 80, 3), ("granola", "Cereal", 10, 65, 16), ("oatmeal", "Cereal", 12, 66, 7),
    ("pasta", "Pasta by Shape & Type", 12, 73, 2), ("pasta sauce", "Prepared Pasta & Pizza Sauces", 2, 9, 2),
    ("rice", "Rice", 7, 79, 1), ("noodles", "All Noodles", 10, 70, 3), ("soup", "Canned Soup", 3, 8, 2),
    ("chicken breast", "Frozen Poultry, Chicken & Turkey", 23, 1, 2), ("chicken nuggets", "Frozen Poultry, Chicken & Turkey", 14, 16, 14),
    ("beef jerky", "Other Snacks", 33, 20, 7), ("ground beef", "Meat/Poultry/Other Animals", 19, 0, 15),
    ("bacon", "Bacon, Sausages & Ribs", 14, 1, 35), ("sausage", "Bacon, Sausages & Ribs", 14, 3, 26), ("ham", "Pepperoni, Salami & Cold Cuts", 17, 3, 4),
    ("turkey breast", "Pepperoni, Salami & Cold Cuts", 18, 3, 1), ("tuna", "Canned Tuna", 24, 0, 1), ("salmon", "Frozen Fish & Seafood", 21, 0, 9),
    ("shrimp", "Frozen Fish & Seafood", 18, 1, 1), ("pizza", "Pizza", 11, 29, 11), ("burrito", "Frozen Dinners & Entrees", 8, 28, 8),
    ("lasagna", "Frozen Dinners & Entrees", 7, 14, 5), ("ketchup", "Ketchup, Mustard, BBQ & Cheese Sauce", 1, 27, 0),
    ("mustard", "Ketchup, Mustard, BBQ & Cheese Sauce", 4, 6, 4), ("mayonnaise", "Salad Dressing & Mayonnaise", 1, 3, 70),
    ("ranch dressing", "Salad Dressing & Mayonnaise", 1, 7, 43), ("salsa", "Dips & Salsa", 1, 7, 0), ("hummus", "Dips & Salsa", 7, 15, 17),
    ("peanut butter", "Nut & Seed Butters", 24, 21, 50), ("almond butter", "Nut & Seed Butters", 21, 19, 55), ("honey", "Honey", 0, 82, 0),
    ("jam", "Jam, Jelly & Fruit Spreads", 0, 65, 0), ("olive oil", "Vegetable & Cooking Oils", 0, 0, 100), ("butter", "Butter & Spread", 1, 1, 80),
    ("almonds", "Popcorn, Peanuts, Seeds & Related Snacks", 21, 20, 50), ("cashews", "Popcorn, Peanuts, Seeds & Related Snacks", 18, 30, 44),
    ("trail mix", "Popcorn, Peanuts, Seeds & Related Snacks", 13, 45, 29), ("black beans", "Canned & Bottled Beans", 6, 16, 0),
    ("lentils", "Vegetable and Lentil Mixes", 24, 60, 1), ("tofu", "Vegetarian Frozen Meats", 12, 3, 6), ("orange juice", "Fruit & Vegetable Juice, Nectars & Fruit Drinks", 1, 11, 0),
    ("apple juice", "Fruit & Vegetable Juice, Nectars & Fruit Drinks", 0, 12, 0), ("cola", "Soda", 0, 11, 0), ("energy drink", "Energy, Protein & Muscle Recovery Drinks", 0, 11, 0),
    ("iced tea", "Iced & Bottle Tea", 0, 8, 0), ("coffee", "Coffee", 1, 3, 1), ("almond milk", "Plant Based Milk", 1, 3, 3), ("oat milk", "Plant Based Milk", 1, 7, 2),
    ("bananas", "Fruit, Prepared/Processed", 1, 23, 0), ("dried mango", "Wholesome Snacks", 2, 78, 1), ("green beans", "Canned Vegetables", 1, 5, 0),
    ("sweet corn", "Canned Vegetables", 2, 14, 1), ("spinach", "Frozen Vegetables", 3, 4, 0), ("french fries", "French Fries, Potatoes & Onion Rings", 2, 25, 6),
)  # fmt: skip
TASTES = (
    "original", "vanilla", "chocolate", "strawberry", "honey", "sea salt", "garlic", "cheddar", "cinnamon", "blueberry", "lemon", "mango",
    "coconut", "peanut butter", "caramel", "barbecue", "spicy", "sour cream & onion", "ranch", "maple", "apple", "raspberry", "mint",
    "jalapeno", "teriyaki", "buffalo", "roasted", "smoked", "black pepper", "italian herb", "lime", "cherry", "pumpkin spice", "espresso",
    "tropical", "wild berry", "toasted almond", "dark chocolate", "white chocolate", "sriracha", "rosemary", "parmesan", "tomato basil",
)  # fmt: skip
MANNERS = (
    "organic", "natural", "whole grain", "low fat", "fat free", "reduced sodium", "gluten free", "unsweetened", "lightly salted", "family size",
    "sugar free", "classic", "premium", "homestyle", "thick cut", "crunchy", "creamy", "mini", "old fashioned", "artisan", "stone ground",
)  # fmt: skip
_BEGINNINGS = ("bel", "cor", "dar", "fen", "gol", "hol", "jun", "kes", "lor", "mar", "nor", "oak", "pel", "quin", "ros", "sil", "tam", "ver", "wes", "zan")  # fmt: skip
_ENDINGS = (
    "a",
    "brook",
    "dale",
    "field",
    "ford",
    "ino",
    "ley",
    "mont",
    "ora",
    "ridge",
    "stead",
    "ton",
    "vale",
    "well",
    "worth",
)
_COMPANIES = ("foods", "farms", "kitchens", "& sons", "market", "bakery", "provisions", "brands")
_WRONG_SHARE = 0.01
_GTIN_PREFIX = "002"


def write_synthetic(path: Path, count: int, seed: int) -> None:
    """The bytes are the same for the same count and seed; a name that ends in .gz is packed."""
    entries = ",\n".join(json.dumps(record) for record in records(count, seed))
    content = f'{{"BrandedFoods": [\n{entries}\n]}}\n'.encode()
    path.write_bytes(gzip.compress(content, compresslevel=6, mtime=0) if path.suffix == ".gz" else content)


def records(count: int, seed: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(seed)  # noqa: S311 - numbers that look alike are wanted, no secrets
    makers = _makers(chance)
    for number in range(count):
        yield _record(chance, makers, number)


def _makers(chance: random.Random) -> list[str]:
    names = sorted({f"{beginning}{ending}" for beginning in _BEGINNINGS for ending in _ENDINGS})
    chance.shuffle(names)
    return [f"{name} {chance.choice(_COMPANIES)}" for name in names]


def _record(chance: random.Random, makers: list[str], number: int) -> dict[str, Any]:
    # Few kinds, tastes and makers are sold often, most seldom: a Pareto choice among each.
    kind, shelf, protein, carbs, fat = KINDS[_seldom(chance, len(KINDS))]
    tastes = [TASTES[_seldom(chance, len(TASTES))] for _ in range(chance.choice((0, 1, 1, 1, 2)))]
    manners = [MANNERS[_seldom(chance, len(MANNERS))] for _ in range(chance.choice((0, 0, 1, 1, 2)))]
    name = ", ".join([" ".join([*manners, *tastes, kind]), *tastes[:1]]).upper()
    macros = {1003: protein, 1005: carbs, 1004: fat}
    amounts = {nutrient: round(amount * chance.uniform(0.9, 1.0), 2) for nutrient, amount in macros.items()}
    amounts[1008] = round(4 * amounts[1003] + 4 * amounts[1005] + 9 * amounts[1004])
    amounts[1093] = chance.randrange(0, 900)
    if chance.random() < _WRONG_SHARE:
        _spoil(chance, amounts)
    serving = chance.choice((15, 28, 30, 40, 55, 85, 100, 113, 170, 240))
    code = f"{_GTIN_PREFIX}{number:010}"
    return {
        "fdcId": 9_000_000 + number,
        "description": name,
        "brandOwner": makers[_seldom(chance, len(makers))].title(),
        "gtinUpc": f"{code}{check_digit(code)}",
        "brandedFoodCategory": shelf,
        "servingSize": serving,
        "servingSizeUnit": "g",
        "householdServingFullText": chance.choice(("1 serving", "1 cup", "2 pieces", "1 package", "")),
        "publicationDate": "1/1/2026",
        "ingredients": f"{', '.join([kind, *tastes, 'salt'])}. {'may contain tree nuts.' if number % 10 == 0 else ''}".upper(),
        "foodNutrients": [{"nutrient": {"id": nutrient}, "amount": amount} for nutrient, amount in amounts.items()],
    }


def _seldom(chance: random.Random, count: int) -> int:
    return min(count - 1, int(chance.paretovariate(0.6)) - 1) if chance.random() < 0.7 else chance.randrange(count)


def _spoil(chance: random.Random, amounts: dict[int, float]) -> None:
    """As sources are wrong: energy of another serving, energy not told, or more fat than there is food."""
    wrong = chance.randrange(3)
    if wrong == 0:
        amounts[1008] = amounts[1008] * 9 + 200
    elif wrong == 1:
        del amounts[1008]
    else:
        amounts[1004] = 250
