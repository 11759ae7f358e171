"""A client that works without a network: it keeps a copy, writes into a queue, and synchronises when it may.

As `deploy/docs/offline-first.md` describes one. `python -m tests.testkit.offline_client --runs 100 --seed N` has pairs of devices
of one person write at random over a running stack, and fails where they do not come to what the server has.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.testkit.running_stack import RunningStack, Visitor, running_stack

#: What a device keeps of each type: scalars that do not depend on the moment of asking.
FIELDS: Mapping[str, str] = {
    "Meal": "id slot notes version quickAdds { energyKcal }",
    "Drink": "id amountMl version",
    "SavedMeal": "id name version",
    "WeightEntry": "id weightKg notes version",
    "Measurement": "id kind valueCm notes",
    "Workout": "id name notes version exercises { sets { id reps } }",
    "Goal": "id targetValue description version",
}
#: Each type by the field that tells of its changes, and the list that has them all.
CHANGES: Mapping[str, Mapping[str, str]] = {
    "accountChanges": {"WeightEntry": "weights", "Measurement": "measurements"},
    "diaryChanges": {"Meal": "meals", "Drink": "drinks", "SavedMeal": "savedMeals"},
    "trainingChanges": {"Workout": "workouts"},
    "goalChanges": {"Goal": "goals"},
}
#: What a refusal for a stale version tells as it is now.
NODES = ("Meal", "Drink", "WeightEntry", "Workout", "Goal")
PAGE = 10
_INPUTS = {"deleteWorkout": "WorkoutIdInput"}
LOGGED_AT = (datetime.now(UTC) - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)


def sync_query() -> str:
    """What changed in all four domains, as one operation; `more` asks no domain again that has nothing left."""
    variables = ", ".join(f"${name}: String, $ask_{name}: Boolean!" for name in CHANGES)
    asked = "\n".join(
        f"{name}(since: ${name}, first: {PAGE}) @include(if: $ask_{name}) {{ token hasMore changes {{ id entityType isDeleted"
        f" entity {{ __typename {' '.join(f'... on {each} {{ {FIELDS[each]} }}' for each in types)} }} }} }}"
        for name, types in CHANGES.items()
    )
    return f"query Sync({variables}) {{ me {{ {asked} }} }}"


def lists_query() -> str:
    """All that the server has, by its ordinary lists."""
    lists = "\n".join(
        f"{each}(first: 100) {{ nodes {{ __typename {FIELDS[kind]} }} }}"
        for types in CHANGES.values()
        for kind, each in types.items()
    )
    return f"{{ me {{ {lists} }} }}"


@dataclass
class Write:
    """A mutation that waits to be sent."""

    mutation: str
    input: dict[str, Any]


@dataclass
class Device:
    """One device of a person. `chance` decides which answers get lost on the way, and what is sent twice."""

    person: Visitor
    chance: random.Random
    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    queue: list[Write] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    loses: float = 0.25

    async def synchronise(self, *, is_reliable: bool = False) -> None:
        """Send what waits, in order, then take over what changed. Stops at a lost answer, as after a lost network."""
        while self.queue:
            answer = await self._send(self.queue[0])
            if not is_reliable and self.chance.random() < self.loses:
                return  # it arrived; whether it did is unknown here, so it stays in the queue
            await self._settle(self.queue[0], answer)
        await self._pull(is_reliable=is_reliable)

    async def _send(self, write: Write) -> dict[str, Any]:
        name = write.mutation
        input_type = _INPUTS.get(name, f"{name[0].upper()}{name[1:]}Input")
        query = (
            f"mutation ($input: {input_type}!) {{ {name}(input: $input) {{ userErrors {{ code field current {{ __typename"
            f" {' '.join(f'... on {each} {{ {FIELDS[each]} }}' for each in NODES)} }} }} }} }}"
        )
        for _ in range(2 if self.chance.random() < 0.2 else 1):
            answer: dict[str, Any] = await self.person.ask(query, {"input": write.input})
        return answer

    async def _settle(self, write: Write, answer: dict[str, Any]) -> None:
        """Done, refused for good, or to be sent anew from the version that the server has."""
        errors = [error["extensions"]["code"] for error in answer.get("errors", ())]
        refusals = (answer.get("data") or {}).get(write.mutation) or {}
        refused = [(error["code"], error["field"]) for error in refusals.get("userErrors", ())]
        if ("STALE_VERSION", "expectedVersion") in refused:
            current = refusals["userErrors"][0]["current"]
            if current is None:  # no node, or deleted meanwhile
                await self._pull(is_reliable=True)
                current = self.things.get(write.input["id"])
            if current is not None:  # what this device changed wins over what it read; all else stays as it is now
                write.input["expectedVersion"] = current["version"]
                return
        else:
            # Gone, in use, or deleted meanwhile: what the server has counts, and comes with the next page.
            expected = set(errors) <= {"NOT_FOUND"} and {code for code, _ in refused} <= {"CONFLICT", "NOT_FOUND"}
            assert expected, (write, answer)
        self.queue.pop(0)

    async def _pull(self, *, is_reliable: bool) -> None:
        asking = dict.fromkeys(CHANGES, True)
        while any(asking.values()):
            variables = {name: self.tokens.get(name) for name in CHANGES}
            asked = variables | {f"ask_{name}": wanted for name, wanted in asking.items()}
            told = (await self.person.data(sync_query(), asked))["me"]
            if not is_reliable and self.chance.random() < self.loses:
                return  # the page is asked for again, by the old tokens
            for name in [name for name, wanted in asking.items() if wanted]:
                for change in told[name]["changes"]:
                    self._take(change)
                self.tokens[name] = told[name]["token"]
                asking[name] = told[name]["hasMore"]

    def _take(self, change: Mapping[str, Any]) -> None:
        if change["entity"] is None:
            self.things.pop(change["id"], None)
        elif change["entityType"] in FIELDS:
            self.things[change["id"]] = change["entity"]

    def write_something(self) -> None:
        """One thing that the person does: made, changed or deleted, in the queue and nowhere else."""
        known = [thing for thing in self.things.values() if not self._is_going(thing["id"])]
        if known and self.chance.random() < 0.5:
            self._change(self.chance.choice(known))
        else:
            self.queue.append(self._make())

    def _is_going(self, thing_id: str) -> bool:
        return any(write.mutation.startswith("delete") and write.input["id"] == thing_id for write in self.queue)

    def _make(self) -> Write:
        number, at = self.chance.randrange(1, 200), LOGGED_AT.isoformat()
        kind = self.chance.choice(list(FIELDS))
        mutation, told = {
            "Meal": ("logMeal", {"slot": "LUNCH", "quickAdds": [{"energyKcal": number}], "at": at}),
            "Drink": ("logWater", {"amountMl": number, "at": at}),
            "SavedMeal": ("saveMeal", {"name": f"Meal {number}", "quickAdds": [{"energyKcal": number}]}),
            "WeightEntry": ("logWeight", {"weightKg": 50 + number / 10, "recordedAt": at}),
            "Measurement": ("logMeasurement", {"kind": "WAIST", "valueCm": 50 + number, "recordedAt": at}),
            "Workout": ("logWorkout", {"name": f"Run {number}", "startedAt": at, "endedAt": at}),
            "Goal": ("createGoal", {"kind": "DAILY_WATER_ML", "targetValue": 1000 + number}),
        }[kind]
        made = {"id": new_id(self.chance, kind), **told}
        if self.chance.random() < 0.5:
            made["idempotencyKey"] = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        return Write(mutation, made)

    def _change(self, thing: Mapping[str, Any]) -> None:
        kind, number = thing["__typename"], self.chance.randrange(1, 200)
        updates = {
            "Meal": ("updateMeal", {"notes": f"Note {number}"}),
            "SavedMeal": ("updateSavedMeal", {"name": f"Name {number}"}),
            "WeightEntry": ("editWeight", {"notes": f"Note {number}"}),
            "Workout": ("updateWorkout", {"notes": f"Note {number}"}),
            "Goal": ("updateGoal", {"description": f"Aim {number}"}),
        }
        deletions = {
            "Meal": "deleteMeal",
            "Drink": "deleteWater",
            "SavedMeal": "deleteSavedMeal",
            "WeightEntry": "deleteWeight",
            "Measurement": "deleteMeasurement",
            "Workout": "deleteWorkout",
            "Goal": "deleteGoal",
        }
        version = {"expectedVersion": thing["version"]} if "version" in thing else {}
        if kind in updates and self.chance.random() < 0.6:
            mutation, changes = updates[kind]
            self.queue.append(Write(mutation, {"id": thing["id"], **changes, **version}))
        else:
            self.queue.append(Write(deletions[kind], {"id": thing["id"], **version}))


_PREFIXES = {"SavedMeal": "", "WeightEntry": "weight_"}


def new_id(chance: random.Random, kind: str) -> str:
    """An id as a client makes it: version 4 or 7 of RFC 9562, behind the kind of a node."""
    if chance.random() < 0.5:
        made = uuid.UUID(int=chance.getrandbits(128), version=4)
    else:
        milliseconds = int(datetime.now(UTC).timestamp() * 1000)
        made = uuid.UUID(
            int=(milliseconds << 80 | 7 << 76 | chance.getrandbits(12) << 64 | 2 << 62 | chance.getrandbits(62))
        )
    return f"{_PREFIXES.get(kind, f'{kind.lower()}_')}{made}"


async def server_state(person: Visitor) -> dict[str, dict[str, Any]]:
    """All things of the person as the server's lists have them, by id."""
    listed = (await person.data(lists_query()))["me"]
    return {node["id"]: node for each in listed.values() for node in each["nodes"]}


async def two_devices(stack: RunningStack, seed: int, steps: int) -> Iterator[str]:
    """Two devices of a new person write and synchronise at random, then until nothing is left; what then differs."""
    chance = random.Random(seed)
    person = await stack.register()
    devices = [Device(person, random.Random(chance.random())) for _ in range(2)]
    for _ in range(steps):
        device = chance.choice(devices)
        if chance.random() < 0.7:
            device.write_something()
        elif chance.random() < 0.3:
            await asyncio.gather(*(each.synchronise() for each in devices))
        else:
            await device.synchronise()
    for _ in range(2):  # the first learns in the second round of what the second sent in the first
        for device in devices:
            await device.synchronise(is_reliable=True)
    server = await server_state(person)
    return iter(
        f"seed {seed}, device {number}, {thing_id}: has {device.things.get(thing_id)}, the server {server.get(thing_id)}"
        for number, device in enumerate(devices)
        for thing_id in sorted(set(server) | set(device.things))
        if server.get(thing_id) != device.things.get(thing_id)
    )


async def _run(runs: int, seed: int, steps: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        async with running_stack(Path(folder) / "data", "--no-sample-data") as stack:
            for number in range(runs):
                differences = list(await two_devices(stack, seed + number, steps))
                print("\n".join(differences) or f"seed {seed + number}: alike")
                if differences:
                    return False
    return True


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    parser.add_argument("--steps", type=int, default=60)
    given = parser.parse_args()
    raise SystemExit(0 if asyncio.run(_run(given.runs, given.seed, given.steps)) else 1)
