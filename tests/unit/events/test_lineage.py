"""Events know the request that made them and the event that they were derived from."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from events.contracts.users import WeightLogged
from events.envelope import Aggregate, Envelope, decode_envelope, encode_payload
from events.lineage import begin_request, following
from events.outbox import NewEvent, append_event
from events.retention import TOMBSTONE_DAYS

AT = datetime(2026, 3, 1, 7, tzinfo=UTC)
WEIGHT = WeightLogged(entry_id="w", weight_kg=80, recorded_at=AT, local_date=AT.date())  # type: ignore[arg-type]
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Written:
    """A transaction that keeps the last row."""

    envelope: Envelope

    async def execute(self, _statement: Any, params: Any = None, /) -> None:
        self.envelope = decode_envelope(params["value"])


async def write(user_id: str, **given: Any) -> Envelope:
    written = Written()
    await append_event(written, NewEvent(WEIGHT, "w", 1, user_id, AT, **given))
    return written.envelope


def heard(user_id: str, event_id: str, correlation_id: str | None) -> Envelope:
    return Envelope(
        event_id=event_id,
        type="WeightLogged",
        schema_version=1,
        aggregate=Aggregate("weight_entry", "w", 1),
        user_id=user_id,
        occurred_at=AT,
        recorded_at=AT,
        correlation_id=correlation_id,
        traceparent=TRACE,
        payload=encode_payload(WEIGHT),
    )


async def test_an_event_of_a_request_has_its_correlation_id() -> None:
    begin_request("req-1")
    written = await write("ann")
    assert (written.correlation_id, written.causation_id) == ("req-1", None)


async def test_a_derived_event_names_what_it_follows_from_for_each_person() -> None:
    begin_request("unrelated")
    with following("g", [heard("ann", "e1", "req-1"), heard("bob", "e2", None)]):
        of_ann, of_bob, of_nobody = await write("ann"), await write("bob"), await write("cleo")
    assert (of_ann.correlation_id, of_ann.causation_id, of_ann.traceparent) == ("req-1", "e1", TRACE)
    assert (of_bob.correlation_id, of_bob.causation_id) == ("e2", "e2")
    assert of_nobody.correlation_id == "unrelated"
    assert (await write("ann")).causation_id is None


async def test_what_is_given_counts() -> None:
    with following("g", [heard("ann", "e1", "req-1")]):
        written = await write("ann", correlation_id="own", traceparent="00-own")
    assert (written.correlation_id, written.traceparent) == ("own", "00-own")
    assert msgspec.json.encode(written)


def test_tombstones_stay_longer_than_records() -> None:
    assert TOMBSTONE_DAYS == 100
