"""Somebody who asks a plain query each tenth of a second, from a process of its own: `python -m tests.hostile.victim URL`.

Asks until its standard input ends, then prints `{"asked", "failed", "p50_ms", "p99_ms", "worst_ms"}`.
"""

import asyncio
import json
import sys
import time

import aiohttp

QUERY = "{ foods(first: 3) { nodes { id name } } }"
PAUSE_SECONDS = 0.1
PATIENCE_SECONDS = 30


async def ask(url: str, ended: asyncio.Event) -> dict[str, float]:
    times: list[float] = []
    failed = 0
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_SECONDS)) as session:
        number = 0
        while not ended.is_set():
            began, number = time.perf_counter(), number + 1
            try:
                # a name of its own each time: no cache answers it
                body = {"query": f"query Victim{number % 50} {QUERY}"}
                async with session.post(url, json=body) as response:
                    answer = await response.json(content_type=None)
                    failed += "errors" in answer or answer["data"]["foods"] is None
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
                failed += 1
            times.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(PAUSE_SECONDS)
    times.sort()
    return {
        "asked": len(times),
        "failed": failed,
        "p50_ms": round(times[len(times) // 2], 1),
        "p99_ms": round(times[int(len(times) * 0.99)], 1),
        "worst_ms": round(times[-1], 1),
    }


async def main(url: str) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, ended.set)
    print(json.dumps(await ask(url, ended)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
