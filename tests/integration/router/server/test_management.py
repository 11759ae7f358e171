"""A router with a port for operators: clients' port tells nothing of subgraphs."""

from tests.testkit.running_router import StartRouter
from tests.testkit.servers import free_port

OPERATORS = (
    "/actuator/health",
    "/actuator/prometheus",
    "/actuator/registry",
    "/actuator/info",
    "/actuator/health/liveness",
    "/actuator/health/readiness",
)


async def test_operators_paths_are_on_their_own_port_only(start_router: StartRouter) -> None:
    port = free_port()
    async with start_router(management={"port": port}) as router:
        for path in OPERATORS:
            async with router.session.get(router.origin + path) as response:
                assert response.status == 404, path
            async with router.session.get(f"http://127.0.0.1:{port}{path}") as response:
                assert response.status == 200, path
        for path in ("/live", "/ready", "/health?ready"):
            async with router.session.get(router.origin + path) as response:
                assert response.status == 200
                assert "http://" not in await response.text()
        async with router.session.post(
            f"http://127.0.0.1:{port}/graphql", json={"query": "{ __typename }"}
        ) as response:
            assert response.status == 404
        async with router.session.get(f"http://127.0.0.1:{port}/actuator/registry") as response:
            assert all(row["url"].startswith("http://") for row in (await response.json())["subgraphs"])


async def test_without_one_they_are_beside_the_graph(start_router: StartRouter) -> None:
    async with start_router() as router:
        for path in OPERATORS:
            async with router.session.get(router.origin + path) as response:
                assert response.status == 200, path
