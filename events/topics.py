"""The topics: their key, partitions and retention. Created where missing by `broker`, named by the contracts."""

from dataclasses import dataclass

DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Topic:
    """One Kafka topic. `key` names what its records are keyed by; retention in milliseconds, -1 is for ever."""

    name: str
    key: str
    partitions: int
    retention_ms: int
    compacted: bool = False

    @property
    def configuration(self) -> dict[str, str]:
        policy = "compact" if self.compacted else "delete"
        return {"cleanup.policy": policy, "retention.ms": str(self.retention_ms)}


USERS_ACCOUNT = Topic("users.account.v1", "user_id", 6, 90 * DAY_MS)
USERS_SESSION = Topic("users.session.v1", "user_id", 6, 1 * DAY_MS)
USERS_GRANT = Topic("users.grant.v1", "user_id", 6, 90 * DAY_MS)
USERS_BODY = Topic("users.body.v1", "user_id", 6, 90 * DAY_MS)
NUTRITION_DIARY = Topic("nutrition.diary.v1", "user_id", 6, 90 * DAY_MS)
NUTRITION_CATALOG = Topic("nutrition.catalog.v1", "food_id", 6, -1, compacted=True)
WORKOUTS_SESSION = Topic("workouts.session.v1", "user_id", 6, 90 * DAY_MS)
WORKOUTS_PLAN = Topic("workouts.plan.v1", "user_id", 6, 90 * DAY_MS)
ANALYTICS_DERIVED = Topic("analytics.derived.v1", "user_id", 6, 30 * DAY_MS)

TOPICS: tuple[Topic, ...] = (
    USERS_ACCOUNT,
    USERS_SESSION,
    USERS_GRANT,
    USERS_BODY,
    NUTRITION_DIARY,
    NUTRITION_CATALOG,
    WORKOUTS_SESSION,
    WORKOUTS_PLAN,
    ANALYTICS_DERIVED,
)


# A topic without records whose name tells one life of the broker: see `broker.Broker.read_epoch`.
EPOCH_PREFIX = "ops.epoch."


def epoch_topic(epoch: str) -> Topic:
    return Topic(f"{EPOCH_PREFIX}{epoch}", "none", 1, -1)


def service_of(topic: str) -> str:
    """The service that publishes on a topic: its first word."""
    return topic.partition(".")[0]
