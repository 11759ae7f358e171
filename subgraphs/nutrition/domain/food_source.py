"""Where the numbers of the catalogue's foods come from, and on what terms they are shown."""

from dataclasses import dataclass
from enum import StrEnum

from subgraphs.nutrition.domain.gtin import shortest_gtin


class BulkSource(StrEnum):
    """Databases of products, several hundred thousand foods each, that an operator loads and can drop as a whole."""

    USDA_BRANDED = "USDA_BRANDED"
    OPEN_FOOD_FACTS = "OPEN_FOOD_FACTS"


@dataclass(frozen=True, slots=True)
class Attribution:
    """What has to be shown beside a food of this source. `product_url` has `{gtin}` in it; None where there are no such pages."""

    publisher: str
    licence: str
    licence_url: str | None
    url: str
    product_url: str | None = None

    def page_of(self, gtin: str | None) -> str:
        """The food's own page where there is one, else the source's."""
        if self.product_url is None or gtin is None:
            return self.url
        return self.product_url.format(gtin=shortest_gtin(gtin))


_USDA = Attribution(
    publisher="U.S. Department of Agriculture, Agricultural Research Service, FoodData Central",
    licence="CC0 1.0",
    licence_url="https://creativecommons.org/publicdomain/zero/1.0/",
    url="https://fdc.nal.usda.gov/",
)
_ATTRIBUTIONS = {
    "USDA_SURVEY": _USDA,
    "USDA_SR_LEGACY": _USDA,
    "USDA_FOUNDATION": _USDA,
    BulkSource.USDA_BRANDED: _USDA,
    BulkSource.OPEN_FOOD_FACTS: Attribution(
        publisher="Open Food Facts contributors",
        licence="Open Database License (ODbL) 1.0",
        licence_url="https://opendatacommons.org/licenses/odbl/1-0/",
        url="https://world.openfoodfacts.org/",
        product_url="https://world.openfoodfacts.org/product/{gtin}",
    ),
}


def attribution_of(source: str) -> Attribution | None:
    """None for a person's own food, and for what this project wrote itself."""
    return _ATTRIBUTIONS.get(source)
