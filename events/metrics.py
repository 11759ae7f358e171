"""What the event loops count and measure, each metric declared once. Served by whichever process runs the loop.

Counters move when something happens. Gauges are set by `measurement` when they are scraped, but for
`PROJECTION_DIFFERENCES`, which `fittracker events check` sets when it has compared.
"""

from prometheus_client import Counter, Gauge

OUTBOX_OLDEST_AGE_SECONDS = Gauge(
    "outbox_oldest_age_seconds", "Age of the oldest event that is not yet in Kafka", ["service"]
)
OUTBOX_UNPUBLISHED = Gauge("outbox_unpublished", "Events that are not yet in Kafka", ["service"])
OUTBOX_PUBLISHED = Counter("outbox_published_total", "Events that Kafka acknowledged", ["service"])
OUTBOX_REFILLS = Counter("outbox_refills_total", "Times a broker was filled again from the outbox", ["service"])
CONSUMER_LAG = Gauge("consumer_lag_messages", "Records behind the end of the partitions held", ["group", "topic"])
CONSUMER_HANDLED = Counter(
    "consumer_handled_total", "Records handled, by whether they told anything new", ["group", "outcome"]
)
CONSUMER_BLOCKED = Counter(
    "consumer_blocked_total", "Times a group stopped at a record for a reason that nobody foresaw", ["group"]
)
RECORDS_PARKED = Counter("records_parked_total", "Records that could not be handled and were parked", ["group"])
PARKED_RECORDS = Gauge("parked_records", "Records that are parked now", ["group"])
LOOP_UP = Gauge("background_loop_up", "1 where the loop made progress lately, else 0", ["service", "loop"])
LOOP_IDLE_SECONDS = Gauge(
    "background_loop_seconds_since_progress", "Since the loop last got something done", ["service", "loop"]
)
LOOP_RESTARTS = Gauge("background_loop_restarts", "Times the loop failed and began anew", ["service", "loop"])
PROJECTION_CHECKED = Counter(
    "projection_users_checked_total", "People whose projection was compared with its sources", ["group"]
)
PROJECTION_DIFFERENCES = Gauge(
    "projection_differences", "Rows that differed from their sources at the last check", ["group"]
)
