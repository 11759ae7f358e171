"""A later start repeats neither migrations nor composition, unless something that they depend on has changed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from deploy.last_preparation import LastPreparation, digest_of_code
from tests.testkit.servers import Postgres


@pytest.fixture
async def prepared(postgres: Postgres, tmp_path: Path, request: pytest.FixtureRequest) -> LastPreparation:
    url = postgres.create_database(f"prepared_{abs(hash(request.node.name))}")
    connection = await asyncpg.connect(url)
    await connection.execute("create table alembic_version (version_num text)")
    await connection.execute("insert into alembic_version values ('users_0007'), ('events_0003')")
    await connection.close()
    supergraph = tmp_path / "supergraph.graphql"
    supergraph.write_text("type Query { me: ID }")
    last = LastPreparation(tmp_path / "prepared.json", supergraph, {"users": 8081}, {"users": url})
    assert not await last.holds()
    await last.remember(digest_of_code())
    return last


async def test_it_holds_while_nothing_has_changed(prepared: LastPreparation) -> None:
    assert await prepared.holds()


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda last: replace(last, ports={"users": 9081}), id="ports"),
        pytest.param(lambda last: replace(last, urls={"users": last.urls["users"] + "_gone"}), id="database"),
        pytest.param(lambda last: replace(last, supergraph=last.file.with_name("gone.graphql")), id="no file"),
    ],
)
async def test_other_places_are_prepared_anew(
    prepared: LastPreparation, changed: Callable[[LastPreparation], LastPreparation]
) -> None:
    assert not await changed(prepared).holds()


async def test_an_edited_supergraph_is_composed_anew(prepared: LastPreparation) -> None:
    prepared.supergraph.write_text("type Query { you: ID }")
    assert not await prepared.holds()


async def test_changed_code_is_prepared_anew(prepared: LastPreparation) -> None:
    await prepared.remember("digest of other code")
    assert not await prepared.holds()


async def test_a_database_that_was_put_back_to_an_older_revision_is_migrated(prepared: LastPreparation) -> None:
    connection = await asyncpg.connect(prepared.urls["users"])
    await connection.execute("update alembic_version set version_num = 'users_0006' where version_num = 'users_0007'")
    await connection.close()
    assert not await prepared.holds()


def test_the_digest_is_of_every_room_that_makes_schema_or_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest_of_code()
    assert digest_of_code() == before
    monkeypatch.setattr("deploy.last_preparation._ROOMS", ("subgraphs",))
    assert digest_of_code() != before
