"""https at the router and towards subgraphs, with certificates of `fittracker certificates`, renewed while both serve."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvicorn
from cryptography import x509
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from typer.testing import CliRunner

from deploy.certificates import METRIC, make_certificates
from deploy.cli import app
from router.server import certificate
from router.server.app import RouterApp, create_app
from router.server.certificate import CertificateError, ServedCertificate, check_certificate
from router.server.draining import DrainingServer
from router.settings import load_settings
from schema import SubgraphSource, compose
from tests.testkit.running_stack import eventually

SDL = "type Query { a: String }"


async def _answer(_: Request) -> Response:
    return JSONResponse({"data": {"a": "secret"}})


class Plain(Starlette):
    """A subgraph with one answer."""

    def begin_draining(self) -> None: ...

    def end_streams(self) -> None: ...


@asynccontextmanager
async def serving_tls(application: Plain | RouterApp, certificate: Path, key: Path) -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application, ssl_certfile=certificate, ssl_keyfile=key, log_config=None, timeout_graceful_shutdown=1
    )
    server = DrainingServer(config, application, idle_seconds=0.1)
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment] # signals belong to pytest
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task


def trusting(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=folder / "ca.crt")


async def serial(port: int, context: ssl.SSLContext) -> int:
    """Of the certificate that a new connection meets."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        presented: ssl.SSLObject = writer.get_extra_info("ssl_object")
        der = presented.getpeercert(binary_form=True)
        assert der is not None
        return x509.load_der_x509_certificate(der).serial_number
    finally:
        writer.close()


async def test_router_and_subgraph_speak_tls_and_take_new_certificates_without_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    make_certificates(folder, ["router", "alpha"], days=90, renew_days=30)
    subgraph = Plain(routes=[Route("/graphql", _answer, methods=["POST"])])
    async with serving_tls(subgraph, folder / "alpha.crt", folder / "alpha.key") as subgraph_port:
        url = f"https://127.0.0.1:{subgraph_port}/graphql"
        composed = compose([SubgraphSource("alpha", SDL, url)])
        assert composed.supergraph_sdl is not None
        supergraph = tmp_path / "supergraph.graphql"
        supergraph.write_text(composed.supergraph_sdl)

        def router(**tls: object) -> RouterApp:
            traffic = {"all": {"tls": tls}}
            quiet = {"log_level": "error"}
            return create_app(load_settings(None, {}, supergraph=supergraph, telemetry=quiet, traffic_shaping=traffic))

        async with (
            serving_tls(router(ca=folder / "ca.crt"), folder / "router.crt", folder / "router.key") as port,
            aiohttp.ClientSession() as session,
        ):

            async def ask(to: int) -> object:
                address = f"https://127.0.0.1:{to}/graphql"
                async with session.post(address, json={"query": "{ a }"}, ssl=trusting(folder)) as response:
                    return await response.json()

            assert await ask(port) == {"data": {"a": "secret"}}
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.post(f"https://127.0.0.1:{port}/graphql", json={"query": "{ a }"})
            async with serving_tls(router(), folder / "router.crt", folder / "router.key") as untrusting:
                refused = await ask(untrusting)
                assert "errors" in refused  # type: ignore[operator] # the system knows no authority of ours
                assert "secret" not in str(refused)

            before = await serial(port, trusting(folder))
            (folder / "router.key").write_text("half a key")  # what does not fit changes nothing
            await asyncio.sleep(0.5)
            assert await serial(port, trusting(folder)) == before
            make_certificates(folder, ["router"], days=90, renew_days=100)

            async def is_renewed() -> bool:
                return await serial(port, trusting(folder)) != before

            await eventually(is_renewed, seconds=60)
            assert await ask(port) == {"data": {"a": "secret"}}


async def test_a_certificate_is_followed_on_whatever_hinders_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system without watches left, for one: nobody would have noticed until the certificate had expired."""
    folder, failures = tmp_path / "own", 2
    make_certificates(folder, ["router"], days=90, renew_days=30)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served = ServedCertificate(context, folder / "router.crt", folder / "router.key")
    first, watch = served.expires, certificate.awatch

    def hindered(*paths: Path, **options: Any) -> AsyncIterator[Any]:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise OSError("OS file watch limit reached")
        return watch(*paths, **options)

    monkeypatch.setattr(certificate, "awatch", hindered)
    monkeypatch.setattr(certificate, "RETRY_SECONDS", 0.01)
    following = asyncio.create_task(served.follow())
    try:
        make_certificates(folder, ["router"], days=200, renew_days=100)

        async def is_taken() -> bool:
            return served.expires > first

        await eventually(is_taken, seconds=60)
        assert not following.done()
    finally:
        following.cancel()


def test_certificates_are_kept_renewed_and_told(tmp_path: Path) -> None:
    folder, metric = tmp_path / "own", tmp_path / "certificates.prom"
    command = [str(folder), "--name", "edge.example.org", "--metric-file", str(metric)]
    first = CliRunner().invoke(app, ["certificates", *command])
    assert first.exit_code == 0
    assert first.output.count(", new") == 2
    assert (
        (folder / "ca.key").stat().st_mode & 0o777 == (folder / "edge.example.org.key").stat().st_mode & 0o777 == 0o600
    )
    assert f'{METRIC}{{file="edge.example.org.crt"}} ' in metric.read_text()
    again = CliRunner().invoke(app, ["certificates", *command])
    assert ", new" not in again.output
    renewed = CliRunner().invoke(app, ["certificates", *command, "--renew-days", "91"])
    assert renewed.output.count(", new") == 1, "the authority stays"
    check_certificate(folder / "edge.example.org.crt", folder / "edge.example.org.key")
    with pytest.raises(CertificateError, match="cannot be served together"):
        check_certificate(folder / "edge.example.org.crt", folder / "ca.key")
    (folder / "ca.crt").write_text("no certificate")
    assert CliRunner().invoke(app, ["certificates", *command]).exit_code == 1
