"""How late mails, push messages and webhooks are: measured when somebody scrapes the metrics."""

import asyncio
from math import nan

from prometheus_client import Gauge
from sqlalchemy import text

from events.failures import Fault, fault_of
from subgraphs.shell.context import Resources

QUEUE_AGE = Gauge(
    "queue_oldest_seconds",
    "Since when the mail, push message or webhook waits that was to leave first, 0 without any",
    ["queue"],
)
#: A pool without a free connection must not hold up the scrape.
LONGEST_SECONDS = 0.5

# By index, a row each. All mails leave by one server: one that it did not take is late all the while, though it is due again only
# later. A push service or an endpoint that puts off its own messages makes nothing else late, and anybody may name one that does.
# An endpoint is late from when it was to be sent something, and not while it is being sent it.
_OLDEST = text(
    "SELECT greatest(0, extract(epoch FROM CAST(:now AS timestamptz) - (SELECT min(first_due_at) FROM pending_mail)))::float"
    " AS mail, greatest(0, extract(epoch FROM CAST(:now AS timestamptz) - (SELECT min(due_at) FROM pending_push)))::float"
    " AS push, greatest(0, extract(epoch FROM CAST(:now AS timestamptz) - (SELECT min(next_at) FROM webhook_endpoint WHERE"
    " next_at IS NOT NULL AND NOT is_slow AND (claimed_until IS NULL OR claimed_until < :now))))::float AS webhooks"
)


async def measure_queues(resources: Resources) -> None:
    """Set the gauge for each queue that this platform sends from; what cannot be measured is NaN.

    Of mails it is since the oldest was to leave first, tried or not; of push messages and webhooks, since one is to be tried:
    those that were put off, and endpoints that do not answer, wait on purpose.
    """
    settings = resources.settings
    is_sent = {
        "mail": settings.smtp_url is not None or settings.mail_spool is not None,
        "push": settings.web_push_key is not None,
        "webhooks": settings.webhook_key is not None,
    }
    try:
        async with asyncio.timeout(LONGEST_SECONDS), resources.database.writer.connect() as connection:
            ages = (await connection.execute(_OLDEST, {"now": resources.now()})).one()._asdict()
    except Exception as failure:
        if fault_of(failure) is not Fault.INFRASTRUCTURE:
            raise
        ages = dict.fromkeys(is_sent, nan)
    for queue in [queue for queue, sent in is_sent.items() if sent]:
        QUEUE_AGE.labels(queue).set(ages[queue])
