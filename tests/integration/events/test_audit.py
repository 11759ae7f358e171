"""A projection is compared with its sources, and made anew from them, while everything goes on."""

import pytest
from sqlalchemy import text

from events import audit
from events.audit import Audit
from events.sources import Sources
from tests.testkit.event_pipeline import Pipeline, eventually


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "SETTLE_SECONDS", 0.2)


def audit_of(pipeline: Pipeline) -> Audit:
    return Audit(pipeline.subscription, pipeline.engine, Sources({"users": pipeline.engine}))


async def damage(pipeline: Pipeline) -> None:
    """One number wrong, one row lost, one row that no event tells of, in another's place too."""
    async with pipeline.engine.begin() as connection:
        await connection.execute(text("UPDATE weight SET weight_kg = 1 WHERE id = 'w0'"))
        await connection.execute(text("DELETE FROM weight WHERE id = 'w1'"))
        await connection.execute(text("INSERT INTO weight VALUES ('ghost', 'ann', 70), ('stray', 'nobody', 71)"))


async def filled(pipeline: Pipeline) -> None:
    for number in range(5):
        await pipeline.write(f"w{number}", 1, f"{70 + number}.50", user_id="ann")
    await pipeline.write("x", 1, "90", user_id="bob")

    async def arrived() -> bool:
        return len(await pipeline.weights()) == 6

    await eventually(arrived)


async def test_a_check_tells_every_row_that_differs_and_nothing_of_a_sound_projection(pipeline: Pipeline) -> None:
    async with pipeline.running():
        await filled(pipeline)
        looked = audit_of(pipeline)
        assert await looked.people() == ["ann", "bob"]
        assert await looked.differences_of("ann") == []
        await damage(pipeline)
        assert await looked.people() == ["ann", "bob", "nobody"]
        found = {(one.table, one.found, one.expected) for one in await looked.differences_of("ann")}
        assert await looked.differences_of("bob") == []
        assert len(await looked.differences_of("nobody")) == 1
    assert found == {
        ("weight", '{"id": "w0", "user_id": "ann", "weight_kg": "1"}', None),
        ("weight", None, '{"id": "w0", "user_id": "ann", "weight_kg": "70.5"}'),
        ("weight", None, '{"id": "w1", "user_id": "ann", "weight_kg": "71.5"}'),
        ("weight", '{"id": "ghost", "user_id": "ann", "weight_kg": "70"}', None),
    }
    assert len(await pipeline.weights()) == 7  # a check leaves everything as it is


async def test_a_rebuild_under_load_makes_everything_right_and_loses_nothing(pipeline: Pipeline) -> None:
    async with pipeline.running():
        await filled(pipeline)
        await damage(pipeline)
        looked = audit_of(pipeline)
        for number in range(5, 25):
            await pipeline.write(f"w{number}", 1, f"{70 + number}.50", user_id="ann")
            await pipeline.write(f"w{number}", 2, f"{80 + number}", user_id="ann")
            if number % 4 == 0:
                for user_id in await looked.people():
                    await looked.rebuild(user_id)
        expected = {f"w{number}": f"{70 + number}.50" for number in range(5)}
        expected |= {f"w{number}": f"{80 + number}" for number in range(5, 25)} | {"x": "90"}

        async def right() -> bool:
            return await pipeline.weights() == expected

        await eventually(right)
        assert [await looked.differences_of(user_id) for user_id in await looked.people()] == [[], []]
