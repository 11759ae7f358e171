"""The pages of the router and their files: codings, versions, heads, and what is told to whom."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from router.content_coding import decode
from router.server.page_files import BUILT, MODULES
from router.settings import SettingsError
from tests.testkit.running_router import RunningRouter, StartRouter

HTML = {"accept": "text/html"}
SIGN_IN = {
    "operation": "mutation($who: String!) { enter(who: $who) }",
    "token": "enter",
    "people": [{"name": "Ann", "variables": {"who": "ann", "password": "of nobody"}}],
}


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    folder = tmp_path / "samples"
    folder.mkdir()
    (folder / "1.graphql").write_text("# Lists: All products\n# Of two subgraphs.\nquery All { products { name } }\n")
    (folder / "1.json").write_text('{"first": 1}')
    return folder


async def about(router: RunningRouter) -> dict[str, Any]:
    async with router.session.get(f"{router.origin}/pages/workbench.json") as response:
        told: dict[str, Any] = await response.json()
        return told


async def test_files_come_in_the_coding_that_the_client_likes_best(start_router: StartRouter) -> None:
    whole = {
        "react.js": gzip.decompress((BUILT / "react.js.gz").read_bytes()),
        "uplot.js": gzip.decompress((BUILT / "uplot.js.gz").read_bytes()),
        "theme.css": (MODULES / "theme.css").read_bytes(),
    }
    async with start_router(graphiql=True) as router:
        for name, content in whole.items():
            for coding in ("zstd", "br", "gzip", "identity"):
                async with router.session.get(
                    f"{router.origin}/pages/{name}", headers={"accept-encoding": coding}, auto_decompress=False
                ) as response:
                    body = await response.read()
                    told = response.headers.get("content-encoding")
                assert told == (None if coding == "identity" else coding)
                assert decode(body, told or "", len(content) + 1) == content


async def test_a_file_that_is_there_already_is_not_sent_again(start_router: StartRouter) -> None:
    async with start_router(graphiql=True) as router:
        url = f"{router.origin}/pages/theme.css"
        async with router.session.get(url) as response:
            version = response.headers["etag"]
        async with router.session.get(url, headers={"if-none-match": version}) as response:
            assert (response.status, await response.read()) == (304, b"")


async def test_a_head_is_that_of_the_get(start_router: StartRouter, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><title>Shop</title>")
    sites = {"sites": [{"path": "/shop", "folder": str(tmp_path)}]}
    async with start_router(dev=True, workbench=sites) as router:
        for path, headers in (
            ("/", HTML),
            ("/graphql", HTML),
            ("/graphql/", HTML),
            ("/pages/theme.css", {}),
            ("/shop/", HTML),
            ("/shop", HTML),
            ("/graphql?query={__typename}", {}),
            ("/ready", {}),
        ):
            heads = []
            for method in ("GET", "HEAD"):
                async with router.session.request(method, router.origin + path, headers=headers) as response:
                    body = await response.read()
                    heads.append((response.status, response.content_type))
                    assert bool(body) is (method == "GET")
            assert heads[0] == heads[1]
            assert heads[0][0] == 200


@pytest.mark.parametrize("path", ["/", "/graphql"], ids=["console", "graphiql"])
@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        ("br", "br"),
        ("gzip, br;q=0.5, zstd;q=0", "gzip"),
        ("zstd;q=0.2, br;q=0.8", "br"),
        ("zstd", "zstd"),
        ("*;q=0", None),
    ],
)
async def test_a_page_comes_in_the_coding_that_the_client_likes_best(
    start_router: StartRouter, path: str, accept_encoding: str, coding: str | None
) -> None:
    async with start_router(dev=True, compress_from_bytes=100) as router:
        headers = {**HTML, "accept-encoding": accept_encoding}
        async with router.session.get(router.origin + path, headers=headers, auto_decompress=False) as response:
            assert response.headers.get("content-encoding") == coding
            assert "accept-encoding" in response.headers.getall("vary")
            assert b"<!doctype html>" in decode(await response.read(), coding or "", 10_000)


async def test_the_page_is_told_what_the_product_has_for_it(start_router: StartRouter, samples: Path) -> None:
    workbench = {
        "description": "Things to buy.",
        "samples": samples,
        "links": [{"title": "Handbook", "url": "/handbook"}],
        "sign_in": SIGN_IN,
    }
    async with start_router(dev=True, workbench=workbench) as router:
        told = await about(router)
    assert told["description"] == "Things to buy."
    assert told["links"] == [{"title": "Handbook", "url": "/handbook"}]
    assert told["samples"] == [
        {
            "feature": "Lists",
            "title": "All products",
            "description": "Of two subgraphs.",
            "operation": "query All { products { name } }\n",
            "variables": '{"first": 1}',
        }
    ]
    assert told["signIn"]["people"][0]["variables"] == {"who": "ann", "password": "of nobody"}


async def test_nobody_can_be_signed_in_as_outside_of_development(start_router: StartRouter) -> None:
    async with start_router(graphiql=True, workbench={"sign_in": SIGN_IN}) as router:
        told = await about(router)
        async with router.session.get(f"{router.origin}/pages/workbench.json") as response:
            assert "of nobody" not in await response.text()
    assert (told["signIn"], told["plans"]) == (None, False)


async def test_a_front_end_is_served_beside_the_graph_in_development(start_router: StartRouter, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><title>Shop</title>")
    (tmp_path / "app.js.gz").write_bytes(gzip.compress(b"export {};"))
    sites = {"sites": [{"path": "/shop", "folder": str(tmp_path)}]}
    async with start_router(dev=True, workbench=sites) as router:
        async with router.session.get(f"{router.origin}/shop") as response:
            assert (str(response.url), response.content_type) == (f"{router.origin}/shop/", "text/html")
            assert "default-src 'none'" in response.headers["content-security-policy"]
            assert "Shop" in await response.text()
        async with router.session.get(f"{router.origin}/shop/app.js") as response:
            assert await response.text() == "export {};"
        for path in ("/shop/..%2f1.json", "/shop/react.js", "/shop/app.js.gz"):
            async with router.session.get(router.origin + path) as response:
                assert response.status == 404
    async with (
        start_router(graphiql=True, workbench=sites) as router,
        router.session.get(f"{router.origin}/shop/") as response,
    ):
        assert response.status == 404


async def test_a_front_end_that_is_not_built_stops_the_start(start_router: StartRouter, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"workbench\.sites.*holds no index\.html"):
        async with start_router(dev=True, workbench={"sites": [{"path": "/shop", "folder": str(tmp_path)}]}):
            pass


async def test_a_folder_of_samples_that_cannot_be_read_stops_the_start(
    start_router: StartRouter, samples: Path
) -> None:
    (samples / "2.graphql").write_text("{ products { name } }")
    with pytest.raises(SettingsError, match=r"workbench\.samples.*2\.graphql must begin with a comment"):
        async with start_router(dev=True, workbench={"samples": samples}):
            pass


async def test_production_has_none_of_it(router: RunningRouter) -> None:
    for path in ("/pages/theme.css", "/pages/workbench.json"):
        async with router.session.get(router.origin + path) as response:
            assert response.status == 404
