"""Old payloads made new: each step lifts one event type by one schema version. Called by consumers' handlers.

Worked example: `MealLogged` v1 {"kcal": 300} with the step ("MealLogged", 1) that renames it becomes v2
{"energy_kcal": 300}, which the contract class then reads.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from events.contracts import CONTRACT_BY_TYPE
from events.envelope import Envelope, Payload

UpcastStep = Callable[[dict[str, Any]], dict[str, Any]]

# (event type, schema version it reads) -> the same fact in the next schema version.
UPCAST_STEPS: dict[tuple[str, int], UpcastStep] = {}


class UnknownEventError(Exception):
    """The record's type, or its schema version, is not one this release knows how to read."""


def read_payload(
    envelope: Envelope,
    contracts: Mapping[str, type[Payload]] = CONTRACT_BY_TYPE,
    steps: Mapping[tuple[str, int], UpcastStep] = UPCAST_STEPS,
) -> Payload:
    """The envelope's payload as its contract's class, lifted to the newest version.

    Raises UnknownEventError for a type or version with no reader, msgspec.ValidationError for a wrong shape.
    """
    contract = contracts.get(envelope.type)
    if contract is None:
        raise UnknownEventError(f"no contract is named {envelope.type}")
    if envelope.schema_version > contract.schema_version:
        raise UnknownEventError(
            f"{envelope.type} v{envelope.schema_version} is newer than v{contract.schema_version}, the newest known"
        )
    if envelope.schema_version == contract.schema_version:
        return msgspec.json.decode(envelope.payload, type=contract)
    fields = msgspec.json.decode(envelope.payload, type=dict[str, Any])
    for version in range(envelope.schema_version, contract.schema_version):
        step = steps.get((envelope.type, version))
        if step is None:
            raise UnknownEventError(f"nothing lifts {envelope.type} from v{version} to v{version + 1}")
        fields = step(fields)
    return msgspec.convert(fields, type=contract, strict=False)
