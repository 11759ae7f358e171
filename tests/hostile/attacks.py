"""What somebody does who wants the platform to stop, one round of each. Every attack says what it was answered."""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Awaitable, Callable
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
    )
}


def _code(answer: Any) -> str:
    errors = answer.get("errors") or []
    return str((errors[0].get("extensions") or {}).get("code")) if errors else "ok"
