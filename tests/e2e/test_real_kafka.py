"""The live path on Apache Kafka itself: idempotent producers, long polls, groups that the real broker coordinates."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.local_kafka import LocalKafka, missing_tools
from tests.testkit.running_stack import eventually, running_stack

LOG_WEIGHT = "mutation($input: LogWeightInput!) { logWeight(input: $input) { weightEntry { weightKg } } }"
DAY = "query($date: Date!) { dailySummary(date: $date) { weightKg } }"


@pytest.mark.timeout(300)
async def test_a_weighing_reaches_the_summary_through_apache_kafka(tmp_path: Path) -> None:
    if reason := missing_tools():
        pytest.skip(f"{reason}, to run Apache Kafka")
    kafka = LocalKafka(tmp_path / "kafka")
    (tmp_path / "kafka").mkdir()
    await kafka.start()
    try:
        servers = kafka.bootstrap_servers
        async with running_stack(tmp_path / "data", "--no-sample-data", KAFKA_BOOTSTRAP_SERVERS=servers) as stack:
            assert "broker" not in stack.state.pids
            assert "KAFKA_IDEMPOTENT" not in stack.state.environment
            person = await stack.register()
            await person.data(LOG_WEIGHT, {"input": {"weightKg": 80.5}})
            today = datetime.now(UTC).date().isoformat()

            async def summary_is_there() -> bool:
                return bool((await person.data(DAY, {"date": today}))["dailySummary"]["weightKg"] == 80.5)

            await eventually(summary_is_there, seconds=60)
    finally:
        kafka.stop()
