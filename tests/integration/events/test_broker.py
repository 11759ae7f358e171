"""How often the broker is asked which life of its records this is."""

import pytest

from events.broker import Broker, BrokerReplacedError, connect_broker
from events.kafka_settings import KafkaSettings
from events.topics import EPOCH_PREFIX
from tests.testkit.event_pipeline import eventually
from tests.testkit.servers import Broker as BrokerServer


async def test_an_epoch_is_believed_for_a_while_and_no_longer_than_its_connection_stands(
    own_broker: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    read = Broker.read_epoch

    async def counted(broker: Broker) -> str | None:
        nonlocal asked
        asked += 1
        return await read(broker)

    settings = KafkaSettings(own_broker.bootstrap_servers, idempotent=False)
    async with connect_broker(settings) as broker:
        epoch = await broker.enter()
        monkeypatch.setattr(Broker, "read_epoch", counted)
        await broker.watch_epoch(epoch)
        assert asked == 0
        monkeypatch.setattr("events.broker.EPOCH_BELIEVED_SECONDS", 0.0)
        await broker.watch_epoch(epoch)
        assert asked == 1
        monkeypatch.setattr("events.broker.EPOCH_BELIEVED_SECONDS", 3600.0)

        own_broker.kill()
        own_broker.start()  # empty, at the same address

        async def is_found_out() -> bool:
            try:
                await broker.watch_epoch(epoch)
            except BrokerReplacedError:
                return True
            except Exception:  # it is not there yet
                return False
            return False

        await eventually(is_found_out)


async def test_an_epoch_that_is_told_a_moment_after_it_was_given_is_waited_for(
    own_broker: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a broker of Apache Kafka answers whose controller has not told it yet of the topic that it made."""
    async with connect_broker(KafkaSettings(own_broker.bootstrap_servers, idempotent=False)) as broker:
        list_topics, asked = broker._admin.list_topics, 0

        async def late() -> list[str]:
            nonlocal asked
            asked += 1
            return [name for name in await list_topics() if asked > 6 or not name.startswith(EPOCH_PREFIX)]

        monkeypatch.setattr(broker._admin, "list_topics", late)
        epoch = await broker.enter()
        assert asked == 8
        await broker.confirm_epoch(epoch)
