"""What the event loops count, each metric declared once. Served by whichever process runs the loop."""

from prometheus_client import Counter, Gauge

OUTBOX_OLDEST_AGE_SECONDS = Gauge(
    "outbox_oldest_age_seconds", "Age of the oldest event that is not yet in Kafka", ["service"]
)
OUTBOX_UNPUBLISHED = Gauge("outbox_unpublished", "Events that are not yet in Kafka", ["service"])
OUTBOX_PUBLISHED = Counter("outbox_published_total", "Events that Kafka acknowledged", ["service"])
OUTBOX_REFILLS = Counter("outbox_refills_total", "Times a broker was found empty and filled again", ["service"])
CONSUMER_LAG = Gauge("consumer_lag_messages", "Records behind the end of the partitions held", ["group", "topic"])
CONSUMER_HANDLED = Counter(
    "consumer_handled_total", "Records handled, by whether they told anything new", ["group", "outcome"]
)
DEAD_LETTERS = Counter("dead_letters_total", "Records parked in the dead letter topic", ["group"])
