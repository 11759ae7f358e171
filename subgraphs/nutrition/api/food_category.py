"""What kind of food something is, in GraphQL: one description for all that has it."""

from subgraphs.nutrition.domain.food import FoodCategory
from subgraphs.shell.scalars import describe_enum

__all__ = ["FoodCategory"]

describe_enum(
    FoodCategory,
    "What kind of food it is.",
    FRUIT="Fruit.",
    VEGETABLE="Vegetables, potatoes and mushrooms.",
    GRAIN="Grain, bread, pasta, rice and breakfast cereals.",
    LEGUME="Beans, lentils, peas and what is made of soya.",
    NUT="Nuts and seeds.",
    PROTEIN="Meat, fish, eggs and protein powders.",
    DAIRY="Milk, cheese, yogurt and their like.",
    FAT="Oils, butter and other fats.",
    BEVERAGE="Drinks.",
    SNACK="Savoury snacks and bars.",
    SWEET="Sweets, cakes, ice cream, sugar and syrups.",
    CONDIMENT="Sauces, spices and spreads.",
    MEAL="Dishes of several foods.",
    BABY_FOOD="Food for infants and toddlers.",
    OTHER="Anything else.",
)
