"""Household measures of foods, in GraphQL."""

import strawberry


@strawberry.type(description="A household measure of a food.")
class Portion:
    label: str = strawberry.field(description="What it is called, such as cup or slice; in its food no two are alike.")
    grams: float = strawberry.field(description="What one of it weighs, in grams.")
