"""One subgraph's schema over a real database, asked as any person. Used by the subgraphs' integration tests."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from strawberry.types.execution import ExecutionResult

from events.envelope import new_id
from subgraphs.shell.app import close_resources, open_resources
from subgraphs.shell.auth import AUDIENCE, ISSUER, KeyRing
from subgraphs.shell.context import Context, MakeLoaders, Resources
from subgraphs.shell.database import Database, migrate
from subgraphs.shell.graphql_schema import SubgraphSchema
from subgraphs.shell.settings import Settings

SECRET = "a secret for tests that is long enough"


def sign_token(viewer_id: str, roles: tuple[str, ...] = ("USER",)) -> str:
    """An access token for anyone, signed with the secret that tests run with."""
    return KeyRing(SECRET).sign(claims_of(viewer_id, roles))


def claims_of(viewer_id: str, roles: tuple[str, ...] = ("USER",)) -> dict[str, Any]:
    """What the token of a sign-in says."""
    now = int(time.time())
    claims = {"sub": viewer_id, "name": f"Name of {viewer_id}", "roles": list(roles), "use": "access", "sid": new_id()}
    claims["scope"] = "read write admin" if "ADMIN" in roles else "read write"
    return claims | {"iat": now, "exp": now + 600, "iss": ISSUER, "aud": AUDIENCE}


def codes_of(result: ExecutionResult) -> list[str]:
    """The codes of the answer's errors, then of its mutations' refusals."""
    failures = [str((error.extensions or {}).get("code")) for error in result.errors or []]
    return failures + [error["code"] for error in user_errors(result)]


def user_errors(result: ExecutionResult) -> list[dict[str, Any]]:
    """What the mutations of the answer were refused for."""
    payloads = [payload for payload in (result.data or {}).values() if isinstance(payload, dict)]
    return [error for payload in payloads for error in payload.get("userErrors", ())]


class SubgraphUnderTest:
    """Runs operations as a person and counts the statements they cost."""

    def __init__(self, schema: SubgraphSchema, make_loaders: MakeLoaders, resources: Resources) -> None:
        self.schema = schema
        self.resources = resources
        self._make_loaders = make_loaders

    @property
    def database(self) -> Database:
        return self.resources.database

    def context(self, viewer_id: str | None, roles: tuple[str, ...] = ("USER",)) -> Context:
        token = None if viewer_id is None else f"Bearer {sign_token(viewer_id, roles)}"
        return Context(self.resources, self._make_loaders, authorization=token)

    async def run(
        self, operation: str, viewer_id: str | None, variables: Mapping[str, Any] | None = None, **context: Any
    ) -> ExecutionResult:
        return await self._execute(operation, variables, self.context(viewer_id, **context))

    async def run_with(
        self, authorization: str | None, operation: str, variables: Mapping[str, Any] | None = None
    ) -> ExecutionResult:
        """As whoever shows this Authorization header."""
        return await self._execute(
            operation, variables, Context(self.resources, self._make_loaders, authorization=authorization)
        )

    async def _execute(self, operation: str, variables: Mapping[str, Any] | None, context: Context) -> ExecutionResult:
        result = await self.schema.execute(operation, dict(variables or {}), context_value=context)
        assert isinstance(result, ExecutionResult)
        return result

    async def data(
        self, operation: str, viewer_id: str | None, variables: Mapping[str, Any] | None = None, **context: Any
    ) -> dict[str, Any]:
        """The answer's data; any error or refusal fails the test."""
        result = await self.run(operation, viewer_id, variables, **context)
        assert result.errors is None, [(error.message, error.original_error) for error in result.errors or []]
        assert user_errors(result) == []
        assert result.data is not None
        return result.data

    async def codes(
        self, operation: str, viewer_id: str | None, variables: Mapping[str, Any] | None = None
    ) -> list[str]:
        """The codes of the answer's errors and refusals. Refusals are seen where `userErrors { code }` is asked for."""
        return codes_of(await self.run(operation, viewer_id, variables))

    @contextmanager
    def counted_statements(self) -> Iterator[list[str]]:
        """The statements sent while the block runs."""
        with self.database.watched_statements() as statements:
            yield statements


@asynccontextmanager
async def subgraph_under_test(
    name: str, database_url: str, schema: SubgraphSchema, make_loaders: MakeLoaders
) -> AsyncIterator[SubgraphUnderTest]:
    """The subgraph over a database that is migrated first."""
    await migrate(name, database_url)
    resources = open_resources(Settings(subgraph=name, database_url=database_url, jwt_secret=SECRET))
    try:
        yield SubgraphUnderTest(schema, make_loaders, resources)
    finally:
        await close_resources(resources)
