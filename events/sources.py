"""What the sources' databases say now: their outboxes keep the newest event of every aggregate. Read by `audit` and by `fittracker events`."""

from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.envelope import Envelope, decode_envelope
from events.topics import service_of

PAGE = 500

# A row's own epoch is unknown until it travels; what the database says now is of the life that it is in now.
_NEWEST_OF_A_PERSON = text(
    "SELECT DISTINCT ON (aggregate_type, aggregate_id) value, (SELECT source_epoch FROM outbox_relay) AS epoch"
    " FROM outbox WHERE key = :user_id AND topic = ANY(:topics)"
    " ORDER BY aggregate_type, aggregate_id, version DESC"
)
# One index look-up a person, however many events each has.
_NEXT_PEOPLE = text(
    "WITH RECURSIVE person AS ("
    " (SELECT key FROM outbox WHERE key > :after AND topic = ANY(:topics) ORDER BY key LIMIT 1)"
    " UNION ALL SELECT (SELECT key FROM outbox WHERE key > person.key AND topic = ANY(:topics) ORDER BY key LIMIT 1)"
    " FROM person WHERE person.key IS NOT NULL)"
    " SELECT key FROM person WHERE key IS NOT NULL LIMIT :page"
)


class Sources:
    """The databases whose services publish, by service name: the first word of their topics."""

    def __init__(self, engines: Mapping[str, AsyncEngine]) -> None:
        self._engines = engines

    async def newest_events(self, user_id: str, topics: Sequence[str]) -> list[Envelope]:
        """The newest event of every aggregate of this person. Raises KeyError for a source that is not named."""
        envelopes = []
        for service, own_topics in _by_service(topics).items():
            async with self._engines[service].connect() as connection:
                rows = await connection.execute(_NEWEST_OF_A_PERSON, {"user_id": user_id, "topics": own_topics})
                envelopes += [
                    msgspec.structs.replace(decode_envelope(row.value), source_epoch=row.epoch) for row in rows
                ]
        return envelopes

    async def people(self, topics: Sequence[str]) -> AsyncIterator[str]:
        """Everybody of whom a source tells anything on these topics; somebody whom two of them tell of comes twice."""
        for service, own_topics in _by_service(topics).items():
            after = ""
            while True:
                async with self._engines[service].connect() as connection:
                    place = {"after": after, "topics": own_topics, "page": PAGE}
                    page = list((await connection.execute(_NEXT_PEOPLE, place)).scalars())
                for user_id in page:
                    yield user_id
                if len(page) < PAGE:
                    break
                after = page[-1]


def _by_service(topics: Sequence[str]) -> dict[str, list[str]]:
    services: dict[str, list[str]] = {}
    for topic in topics:
        services.setdefault(service_of(topic), []).append(topic)
    return services
