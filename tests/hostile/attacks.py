"""What somebody does who wants the platform to stop, one round of each. Every attack says what it was answered."""

import asyncio
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import aiohttp

from tests.testkit.running_stack import RunningStack, Visitor

#: One round: answers how often each code came, or `ok`, `closed`, `HTTP 413`.
Attack = Callable[[RunningStack, Visitor], Awaitable[Counter[str]]]
_numbers = itertools.count()

NESTED = "{me{meals{nodes{user{meals{nodes{user{meals{nodes{user{meals{nodes{id}}}}}}}}}}}}}"


async def nested_connections(stack: RunningStack, person: Visitor) -> Counter[str]:
    """119 bytes that multiply: at the router, and at the subgraph's own port."""
    inner = "id"
    for _ in range(6):
        inner = f"meals(first: 100) {{ nodes {{ user {{ {inner} }} }} }}"
    entities = f"query ($who: [_Any!]!) {{ _entities(representations: $who) {{ ... on User {{ {inner} }} }} }}"
    own_port = {"query": entities, "variables": {"who": [{"__typename": "User", "id": person.id}]}}
    url = f"http://127.0.0.1:{stack.state.ports['nutrition']}/graphql"
    authorized = {"authorization": f"Bearer {person.access_token}"}
    codes = Counter([_code(await person.ask(NESTED))])
    async with stack.session.post(url, json=own_port, headers=authorized) as response:
        codes[_code(await response.json(content_type=None))] += 1
    return codes


async def many_aliases(stack: RunningStack, person: Visitor) -> Counter[str]:
    """A hundred kilobytes of one search, and as many as the limits let through."""
    codes: Counter[str] = Counter()
    for count in (400, 190, 45):
        searches = " ".join(f'a{n}: foods(search: "chicken", first: 50) {{ nodes {{ id }} }}' for n in range(count))
        codes[_code(await person.ask(f"query Q{next(_numbers)} {{ {searches} }}"))] += 1
    return codes


async def long_searches(stack: RunningStack, person: Visitor) -> Counter[str]:
    """Forty aliases of a search for 500 kB."""
    searches = " ".join(f"a{n}: exercises(search: $words) {{ nodes {{ id }} }}" for n in range(40))
    query = f"query Q{next(_numbers)}($words: String!) {{ {searches} }}"
    body = json.dumps({"query": query, "variables": {"words": "x" * 500_000}}).encode()
    _, answer = await stack.post(body, authorization=f"Bearer {person.access_token}")
    return Counter([_code(answer)])


async def costly_plans(stack: RunningStack, person: Visitor) -> Counter[str]:
    """Texts that no cache knows: introspection under aliases, and fragments that inline."""
    number = next(_numbers)
    asked = " ".join(f"i{number}x{n}: __schema {{ types {{ name fields {{ name }} }} }}" for n in range(40))
    deep = " ".join(f"fragment F{n} on User {{ id ...F{n + 1} ...F{n + 1} }}" for n in range(12))
    inlined = f"query Q{number} {{ me {{ ...F0 }} }} {deep} fragment F12 on User {{ displayName }}"
    answers = await asyncio.gather(person.ask(f"{{ {asked} }}"), person.ask(inlined))
    return Counter(map(_code, answers))


async def password_guesses(stack: RunningStack, person: Visitor) -> Counter[str]:
    """Fifty guesses for one account at once."""
    login = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }"

    async def guess(number: int) -> str:
        given = {"email": person.email, "password": f"guess {number}"}
        _, answer = await stack.post({"query": login, "variables": {"input": given}})
        return _code(answer)

    return Counter(await asyncio.gather(*map(guess, range(50))))


async def one_password_on_many_accounts(stack: RunningStack, person: Visitor) -> Counter[str]:
    """A hundred and fifteen accounts tried from one address, which claims to be others."""
    login = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }"

    async def guess(number: int) -> str:
        given = {"email": f"nobody-{number}@example.com", "password": "Password123!"}
        body = {"query": login, "variables": {"input": given}}
        # what a proxy adds is the last one; those before it are the client's own words
        _, answer = await stack.post(body, **{"x-forwarded-for": f"198.51.100.{number}, 203.0.113.7"})
        return _code(answer)

    return Counter(await asyncio.gather(*map(guess, range(115))))


async def slow_clients(stack: RunningStack, person: Visitor) -> Counter[str]:
    """Connections that send half a head, or a body's beginning, and stay."""
    host = stack.state.router_url.split("//")[1].split("/")[0]
    name, port = host.split(":")
    beginnings = (
        b"GET /gra",
        b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{",
        b"POST /graphql HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\nX-Trailer: 1\r\n",
    )
    opened = []
    for number in range(150):
        reader, writer = await asyncio.open_connection(name, int(port))
        writer.write(beginnings[number % 3])
        opened.append(writer)
        del reader
    await asyncio.sleep(0.5)
    for writer in opened:
        writer.close()
    return Counter({"closed": len(opened)})


async def pings_before_init(stack: RunningStack, person: Visitor) -> Counter[str]:
    """A WebSocket that pings without having said who it is."""
    url = stack.state.router_url.replace("http://", "ws://", 1)
    async with stack.session.ws_connect(url, protocols=("graphql-transport-ws",)) as socket:
        with suppress(ConnectionError):  # it is closed after the first hundred
            for _ in range(2_000):
                await socket.send_json({"type": "ping"})
        answered = 0
        while answered < 2_000:
            message = await socket.receive(timeout=30)
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            answered += json.loads(message.data)["type"] == "pong"
    return Counter({"pong": answered})


async def large_bodies(stack: RunningStack, person: Visitor) -> Counter[str]:
    """Bodies beyond the bound, and lists of 60,000 items for nobody in particular."""
    items = [{"foodId": "x", "grams": 1}] * 60_000
    query = "mutation($input: LogMealInput!) { logMeal(input: $input) { userErrors { code } } }"
    many = {"slot": "LUNCH", "items": items}
    status, answer = await stack.post(json.dumps({"query": query, "variables": {"input": many}}).encode())
    few = {"slot": "LUNCH", "items": items[:20_000]}
    _, second = await stack.post(json.dumps({"query": query, "variables": {"input": few}}).encode())
    return Counter([f"HTTP {status}" if status >= 400 else _code(answer), _code(second)])


async def equal_subscriptions(stack: RunningStack, person: Visitor) -> Counter[str]:
    """As many subscriptions as one token may have, all the same, and some more, over ten sockets that stay."""
    url = stack.state.router_url.replace("http://", "ws://", 1)
    payload = {"query": "subscription { goalProgress { id } }"}
    authorization = {"Authorization": f"Bearer {person.access_token}"}
    codes: Counter[str] = Counter()
    async with AsyncExitStack() as opened:
        for _ in range(10):
            connecting = stack.session.ws_connect(url, protocols=("graphql-transport-ws",))
            socket = await opened.enter_async_context(connecting)
            await socket.send_json({"type": "connection_init", "payload": authorization})
            for number in range(105):
                await socket.send_json({"id": str(number), "type": "subscribe", "payload": payload})
            await socket.send_json({"type": "ping"})
            async for message in socket:
                told = json.loads(message.data)
                if told["type"] == "error":
                    codes[_code({"errors": told["payload"]})] += 1
                elif told["type"] == "pong":  # all before it were taken or refused
                    break
    return codes


async def documents_without_end(stack: RunningStack, person: Visitor) -> Counter[str]:
    """Persisted queries that nobody in particular registers, to fill what else is kept where they are."""

    async def register(number: int) -> str:
        document = f"query P{number} {{ __typename }} # {'x' * 5_000}"
        digest = hashlib.sha256(document.encode()).hexdigest()
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
        _, answer = await stack.post({"query": document, "extensions": extensions})
        return _code(answer)

    return Counter(await asyncio.gather(*(register(next(_numbers)) for _ in range(40))))


async def many_registrations(stack: RunningStack, person: Visitor) -> Counter[str]:
    """Accounts by the dozen from one address: each costs the hash of a password."""
    register = "mutation($input: RegisterInput!) { register(input: $input) { accessToken userErrors { code } } }"

    async def one(number: int) -> str:
        given = {"email": f"crowd-{number}@example.com", "password": "Password123!", "displayName": "Some Body"}
        _, answer = await stack.post(
            {"query": register, "variables": {"input": given}}, **{"x-forwarded-for": "203.0.113.99"}
        )
        return _code(answer)

    return Counter(await asyncio.gather(*(one(next(_numbers)) for _ in range(35))))


async def odd_heads(stack: RunningStack, person: Visitor) -> Counter[str]:
    """Requests that two servers might read differently, or that offer what is not taken."""
    name, port = stack.state.router_url.split("//")[1].split("/")[0].split(":")
    body = b'{"query":"{__typename}"}'
    length = b"content-length: %d\r\n" % len(body)
    heads = (
        b"", b"host: a\r\nhost: b\r\n" + length, b"host: a\r\n" + length + b"transfer-encoding: chunked\r\n",
        b"host: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n" + length,
        b"host: a\r\nconnection: upgrade\r\nupgrade: h2c\r\n" + length,
    )  # fmt: skip

    async def send(head: bytes) -> str:
        reader, writer = await asyncio.open_connection(name, int(port))
        writer.write(b"POST /graphql HTTP/1.1\r\ncontent-type: application/json\r\n" + head + b"\r\n" + body)
        async with asyncio.timeout(30):
            status = (await reader.readline()).split()
        writer.close()
        return f"HTTP {int(status[1])}"

    return Counter(await asyncio.gather(*(send(head) for head in heads * 10)))


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        nested_connections,
        many_aliases,
        long_searches,
        costly_plans,
        password_guesses,
        one_password_on_many_accounts,
        slow_clients,
        pings_before_init,
        large_bodies,
        equal_subscriptions,
        documents_without_end,
        many_registrations,
        odd_heads,
    )
}


def _code(answer: Any) -> str:
    errors = answer.get("errors") or []
    return str((errors[0].get("extensions") or {}).get("code")) if errors else "ok"
