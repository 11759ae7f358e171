"""Events keep their promises: names, versions, JSON Schema and the lifting of old ones."""

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
import pytest

from events import topics
from events.contracts import CONTRACT_BY_TYPE, CONTRACTS
from events.contracts.users import WeightLogged
from events.envelope import Aggregate, Envelope, Payload, decode_envelope, encode_envelope, encode_payload, new_id
from events.schema_files import DIRECTORY, broken_promises, schema_files
from events.upcast import UnknownEventError, read_payload

AT = datetime(2026, 3, 1, 7, tzinfo=UTC)
WEIGHT = WeightLogged(entry_id="w", weight_kg=Decimal("80.50"), recorded_at=AT, local_date=AT.date())


def envelope(payload: Payload, schema_version: int = 1) -> Envelope:
    return Envelope(
        event_id=new_id(),
        type=type(payload).__name__,
        schema_version=schema_version,
        aggregate=Aggregate(payload.aggregate_type, "w", 1),
        user_id="ann",
        occurred_at=AT,
        recorded_at=AT,
        payload=encode_payload(payload),
    )


def test_an_event_comes_back_as_it_went_with_its_decimals() -> None:
    back = read_payload(decode_envelope(encode_envelope(envelope(WEIGHT))))
    assert back == WEIGHT
    assert str(back.weight_kg) == "80.50"  # type: ignore[attr-defined]


def test_every_contract_has_a_known_topic_and_a_name_of_its_own() -> None:
    assert len(CONTRACT_BY_TYPE) == len(CONTRACTS)
    assert {contract.topic for contract in CONTRACTS} <= {topic.name for topic in topics.TOPICS}


def test_the_committed_json_schemas_are_current() -> None:
    assert {file: file.read_text(encoding="utf-8") for file in DIRECTORY.glob("*.json")} == schema_files()


@pytest.mark.parametrize("file", sorted(DIRECTORY.glob("*.json")), ids=lambda file: file.stem)
def test_a_schema_keeps_the_promises_of_its_committed_version(file: Any) -> None:
    assert broken_promises(json.loads(file.read_text()), json.loads(schema_files()[file])) == []


def test_broken_promises_are_found() -> None:
    old = json.loads((DIRECTORY / "WeightLogged.v1.json").read_text())
    new = copy.deepcopy(old)
    fields = new["$defs"]["WeightLogged"]["properties"]
    del fields["entry_id"]
    fields["weight_kg"] = {"type": "number"}
    fields["scale"] = {"type": "string"}
    new["$defs"]["WeightLogged"]["required"].append("scale")
    assert broken_promises(old, new) == [
        "WeightLogged.entry_id is gone",
        "WeightLogged.weight_kg is of another type",
        "WeightLogged.scale is new and required",
    ]


class Lifted(Payload, frozen=True, kw_only=True):
    """A contract in its third version."""

    topic = "t"
    aggregate_type = "lifted"
    schema_version: ClassVar[int] = 3
    energy_kcal: int
    unit: str


STEPS = {
    ("Lifted", 1): lambda fields: {"energy_kcal": fields["kcal"]},
    ("Lifted", 2): lambda fields: fields | {"unit": "kcal"},
}


@pytest.mark.parametrize(
    ("version", "payload"),
    [(1, {"kcal": 300}), (2, {"energy_kcal": 300}), (3, {"energy_kcal": 300, "unit": "kcal"})],
)
def test_old_versions_are_lifted_step_by_step(version: int, payload: dict[str, Any]) -> None:
    told = msgspec.structs.replace(
        envelope(WEIGHT, version), type="Lifted", payload=msgspec.Raw(msgspec.json.encode(payload))
    )
    assert read_payload(told, {"Lifted": Lifted}, STEPS) == Lifted(energy_kcal=300, unit="kcal")


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (msgspec.structs.replace(envelope(WEIGHT), type="Nothing"), "no contract is named Nothing"),
        (envelope(WEIGHT, 2), "WeightLogged v2 is newer than v1, the newest known"),
        (envelope(WEIGHT, 0), "nothing lifts WeightLogged from v0 to v1"),
    ],
)
def test_what_nobody_can_read_is_refused_by_name(told: Envelope, sentence: str) -> None:
    with pytest.raises(UnknownEventError, match=sentence):
        read_payload(told)


def test_ids_sort_by_time_and_are_uuids_of_version_7() -> None:
    ids = [new_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(one[14] == "7" and one[19] in "89ab" for one in ids)
    assert [one[:13] for one in ids] == sorted(one[:13] for one in ids)
