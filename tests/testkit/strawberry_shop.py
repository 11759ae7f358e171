"""A small shop for server tests: three Strawberry subgraphs on real ports, and their supergraph.

`running_shop` serves them in the test's own event loop; `Shop` holds what tests look at and turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
import strawberry
import uvicorn
from strawberry.asgi import GraphQL
from strawberry.federation import Schema
from strawberry.types import Info

from router.server.bounded_http import bounded_http
from router.server.side_server import accepting
from router.server.websocket_protocol import StrictWebSocketProtocol
from router.server.whole_request import AnswersWholeRequests, WholeRequestProtocol
from router.server.workers import bound_socket

SUPERGRAPH = """
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)
  @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY)
  @link(url: "https://example.com/cacheControl/v0.1", import: ["@cacheControl"])
{ query: Query mutation: Mutation subscription: Subscription }

directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String,
  external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true,
  isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @cacheControl(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean)
  on FIELD_DEFINITION | OBJECT | INTERFACE | UNION
enum CacheControlScope { PUBLIC PRIVATE }
scalar join__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph {
  ACCOUNTS @join__graph(name: "accounts", url: "http://127.0.0.1:{accounts}/graphql")
  CATALOG @join__graph(name: "catalog", url: "http://127.0.0.1:{catalog}/graphql")
  STOCK @join__graph(name: "stock", url: "http://127.0.0.1:{stock}/graphql")
}
type Query @join__type(graph: ACCOUNTS) @join__type(graph: CATALOG) @join__type(graph: STOCK) {
  me: User @join__field(graph: ACCOUNTS) @cacheControl(maxAge: 60, scope: PRIVATE)
  user(id: ID!): User @join__field(graph: ACCOUNTS)
  token: String @join__field(graph: ACCOUNTS)
  headers: [String!]! @join__field(graph: ACCOUNTS)
  products: [Product!]! @join__field(graph: CATALOG) @cacheControl(maxAge: 60)
  slow(seconds: Float!): String @join__field(graph: CATALOG)
  broken: String @join__field(graph: CATALOG) @cacheControl(maxAge: 60)
}
type Mutation @join__type(graph: ACCOUNTS) { rename(name: String!): User @join__field(graph: ACCOUNTS) }
type Subscription @join__type(graph: CATALOG) { ticks(count: Int!, pause: Float! = 0.0): Tick! }
type Tick @join__type(graph: CATALOG) { n: Int! product: Product! owner: User! }
type Product @join__type(graph: CATALOG, key: "id") @join__type(graph: STOCK, key: "id") @cacheControl(maxAge: 60) {
  id: ID!
  name: String! @join__field(graph: CATALOG)
  owner: User! @join__field(graph: CATALOG)
  inStock: Int! @join__field(graph: STOCK) @cacheControl(maxAge: 30)
}
type User @join__type(graph: ACCOUNTS, key: "id") @join__type(graph: CATALOG, key: "id", resolvable: false)
  @cacheControl(maxAge: 60) {
  id: ID!
  name: String! @join__field(graph: ACCOUNTS)
  email: String @join__field(graph: ACCOUNTS) @authenticated
  salary: Int! @join__field(graph: ACCOUNTS) @requiresScopes(scopes: [["payroll", "read"], ["admin"]])
}
"""


@dataclass
class Shop:
    """`requests` counts operations by subgraph; `names` is what mutations change; `open_ticks` are live subscriptions."""

    ports: dict[str, int] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=lambda: {"u1": "Ann", "u2": "Ben"})
    open_ticks: int = 0
    cancelled: int = 0

    def reset(self) -> None:
        fresh = Shop()
        self.requests, self.names = fresh.requests, fresh.names
        self.open_ticks = self.cancelled = 0

    @property
    def supergraph(self) -> str:
        sdl = SUPERGRAPH
        for name, port in self.ports.items():
            sdl = sdl.replace(f"{{{name}}}", str(port))
        return sdl


SHOP = Shop()


def _viewer(info: Info) -> str | None:
    """The subject of the token, unverified: this shop trusts everybody."""
    request = info.context["request"]
    authorization = request.headers.get("authorization", "")
    if not authorization:
        return None
    return str(jwt.decode(authorization.split()[1], options={"verify_signature": False})["sub"])


@strawberry.federation.type(keys=["id"], name="User")
class Account:
    id: strawberry.ID

    @strawberry.field
    def name(self) -> str:
        return SHOP.names[self.id]

    @strawberry.field
    def email(self) -> str | None:
        return f"{self.id}@example.com"

    @strawberry.field
    def salary(self) -> int:
        return 1000

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> Account:  # noqa: A002 - the field's name
        return Account(id=id)


@strawberry.type(name="Query")
class AccountsQuery:
    @strawberry.field
    def me(self, info: Info) -> Account | None:
        viewer = _viewer(info)
        return Account(id=strawberry.ID(viewer)) if viewer else None

    @strawberry.field
    def user(self, id: strawberry.ID) -> Account | None:  # noqa: A002 - the field's name
        return Account(id=id) if id in SHOP.names else None

    @strawberry.field
    def token(self, info: Info) -> str | None:
        return info.context["request"].headers.get("authorization")

    @strawberry.field
    def headers(self, info: Info) -> list[str]:
        return [f"{name}: {value}" for name, value in info.context["request"].headers.items()]


@strawberry.type(name="Mutation")
class AccountsMutation:
    @strawberry.mutation
    def rename(self, info: Info, name: str) -> Account | None:
        viewer = _viewer(info)
        if viewer is None:
            return None
        SHOP.names[viewer] = name
        return Account(id=strawberry.ID(viewer))


@strawberry.federation.type(
    keys=[strawberry.federation.schema_directives.Key(fields="id", resolvable=False)], name="User"
)
class Owner:
    id: strawberry.ID


@strawberry.federation.type(keys=["id"], name="Product")
class CatalogProduct:
    id: strawberry.ID

    @strawberry.field
    def name(self) -> str:
        return f"Product {self.id}"

    @strawberry.field
    def owner(self) -> Owner:
        return Owner(id=strawberry.ID("u1"))

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> CatalogProduct:  # noqa: A002 - the field's name
        return CatalogProduct(id=id)


@strawberry.type
class Tick:
    n: int
    product: CatalogProduct
    owner: Owner


@strawberry.type(name="Query")
class CatalogQuery:
    @strawberry.field
    def products(self) -> list[CatalogProduct]:
        return [CatalogProduct(id=strawberry.ID(str(number))) for number in (1, 2)]

    @strawberry.field
    async def slow(self, seconds: float) -> str | None:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            SHOP.cancelled += 1
            raise
        return "done"

    @strawberry.field
    def broken(self) -> str | None:
        raise ValueError("out of order")


@strawberry.type(name="Subscription")
class CatalogSubscription:
    @strawberry.subscription
    async def ticks(self, count: int, pause: float = 0.0) -> AsyncIterator[Tick]:
        SHOP.open_ticks += 1
        try:
            for number in range(count):
                await asyncio.sleep(pause)
                yield Tick(n=number, product=CatalogProduct(id=strawberry.ID("1")), owner=Owner(id=strawberry.ID("u2")))
        finally:
            SHOP.open_ticks -= 1


@strawberry.federation.type(keys=["id"], name="Product")
class StockProduct:
    id: strawberry.ID

    @strawberry.field
    def in_stock(self) -> int:
        return int(self.id) * 10

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> StockProduct:  # noqa: A002 - the field's name
        return StockProduct(id=id)


SCHEMAS = {
    "accounts": Schema(query=AccountsQuery, mutation=AccountsMutation, types=[Account]),
    "catalog": Schema(query=CatalogQuery, subscription=CatalogSubscription, types=[CatalogProduct]),
    "stock": Schema(types=[StockProduct]),
}


class _Counted(GraphQL[Any, Any]):
    """Counts requests by subgraph."""

    def __init__(self, name: str) -> None:
        super().__init__(SCHEMAS[name])
        self._name = name

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        SHOP.requests[self._name] = SHOP.requests.get(self._name, 0) + 1
        await super().__call__(scope, receive, send)

    async def get_context(self, request: Any, response: Any) -> dict[str, Any]:
        return {"request": request, "response": response}


@asynccontextmanager
async def serving(app: Any, port: int = 0, http: Any = None) -> AsyncIterator[int]:
    """The app on a real port of this machine, in this event loop: a router as `router.server.workers` serves it, others by
    uvicorn's own protocol, or what is given as `http`.
    """
    if http is None:
        http = _of_router(app) if hasattr(app, "takes") else "auto"
    config = uvicorn.Config(
        app,
        http=http,
        log_config=None,
        access_log=False,
        ws=StrictWebSocketProtocol,
        timeout_graceful_shutdown=2,
        ws_ping_interval=None,
    )
    with bound_socket("127.0.0.1", port, is_shared=False) as listener:
        async with accepting((config, listener)):
            yield listener.getsockname()[1]


def _of_router(app: AnswersWholeRequests) -> type[asyncio.Protocol]:
    return bounded_http(header_bytes=131_072, max_seconds=30, protocol=WholeRequestProtocol, application=app)


@asynccontextmanager
async def running_shop() -> AsyncIterator[Shop]:
    SHOP.reset()
    accounts, catalog, stock = (_Counted(name) for name in SCHEMAS)
    async with serving(accounts) as one, serving(catalog) as two, serving(stock) as three:
        SHOP.ports.update(accounts=one, catalog=two, stock=three)
        yield SHOP
