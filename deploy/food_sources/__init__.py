"""Foods of databases of products, read from the files that these publish, for `fittracker foods load`.

Each reader gives foods with their place in time, and what it cannot take with the reason; README.md in this folder names the formats.
"""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.nutrition.domain.catalogue_food import CatalogueFood


@dataclass(frozen=True, slots=True)
class Told:
    """A food as one record of a file tells it. Of two with one id the one with the higher `edition` counts."""

    food: CatalogueFood
    edition: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that is no food: `reason` is one of a few sentences, to be counted; `place` says which record it is."""

    reason: str
    place: str
