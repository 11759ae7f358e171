"""The eight dashboards: what an operator looks at, from the host to the business."""

from __future__ import annotations

from deploy.dashboards.model import Dashboard, Limit, Panel, Query, Unit


def _panel(
    title: str,
    meaning: str,
    *queries: str | tuple[str, str],
    unit: Unit = "short",
    needs: str | None = None,
    limit: Limit | None = None,
) -> Panel:
    asked = tuple(Query(query) if isinstance(query, str) else Query(*query) for query in queries)
    return Panel(title, meaning, asked, unit, needs, limit)


def _quantile(share: float, metric: str, by: str, labels: str = "") -> str:
    return f"histogram_quantile({share}, sum by ({by}, le) (rate({metric}_bucket{{{labels}}}[5m])))"


def _or_none(expression: str, label: str) -> str:
    """Zero under the name `none` where there is nothing yet, so that a panel of what went wrong is no blank one."""
    return f'{expression} or on() label_replace(vector(0), "{label}", "none", "", "")'


SYSTEM = Dashboard(
    "fittracker-system",
    "System overview",
    (
        "Whether the hosts have room, and which processes answer at all. Look here first when everything is "
        "slow at once: a full processor, memory or disk is the reason for what the other dashboards show."
    ),
    (
        _panel(
            "CPU", "Share of all processors that is busy.",
            ('1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))', "{{instance}}"),
            unit="percentunit", needs="node-exporter", limit=Limit("HighCpu", 0.9),
        ),
        _panel(
            "Memory", "In use, caches of the kernel left out.",
            ("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "{{instance}}"),
            unit="percentunit", needs="node-exporter",
        ),
        _panel(
            "Disk", "Free share of each file system; Postgres and Kafka stop at none.",
            ('node_filesystem_avail_bytes{fstype!~"tmpfs|overlay"} / node_filesystem_size_bytes', "{{mountpoint}}"),
            unit="percentunit", needs="node-exporter", limit=Limit("DiskFills", 0.1, is_least=True),
        ),
        _panel(
            "Network", "Bytes a second in and out.",
            ('sum by (instance) (rate(node_network_receive_bytes_total{device!="lo"}[5m]))', "in {{instance}}"),
            ('sum by (instance) (rate(node_network_transmit_bytes_total{device!="lo"}[5m]))', "out {{instance}}"),
            unit="Bps", needs="node-exporter",
        ),
        _panel("What is up", "1 for each process that answers its scrape.", ("up", "{{job}} {{instance}}")),
        _panel(
            "Load", "Runnable processes; more than processors means waiting.", ("node_load1", "{{instance}}"),
            needs="node-exporter",
        ),
    ),
)  # fmt: skip

APPLICATION = Dashboard(
    "fittracker-application",
    "Application",
    (
        "What clients get: how much they ask, how long it takes, and what fails. Failures are in the outcomes "
        "and codes of operations, for GraphQL answers 200 where a part of the answer failed; refused ones are "
        "the client's mistake, failed and partly failed ones are ours."
    ),
    (
        _panel(
            "Requests", "HTTP requests a second by part.",
            ("sum by (job) (rate(http_server_requests_seconds_count[5m]))", "{{job}}"), unit="reqps",
        ),
        _panel(
            "Response time, 95 %", "Nineteen of twenty requests are faster.",
            (_quantile(0.95, "http_server_requests_seconds", "job", 'uri="/graphql"'), "{{job}}"), unit="s",
            limit=Limit("SlowRequests", 1.0),
        ),
        _panel(
            "Response time, 50 %", "Half of the requests are faster.",
            (_quantile(0.5, "http_server_requests_seconds", "job", 'uri="/graphql"'), "{{job}}"), unit="s",
        ),
        _panel(
            "HTTP failures", "Answers of 500 and above a second; the GraphQL ones are beside.",
            (_or_none('sum by (job, status) (rate(http_server_requests_seconds_count{status=~"5.."}[5m]))', "job"), "{{job}} {{status}}"),
            unit="reqps",
        ),
        _panel(
            "Operations by outcome", "ok, refused (the client's mistake), failed and partly failed (ours).",
            ("sum by (outcome) (rate(router_operations_total[5m]))", "{{outcome}}"), unit="ops",
        ),
        _panel(
            "Errors by code", "What clients are told.",
            (_or_none("sum by (code) (rate(router_operation_errors_total[5m]))", "code"), "{{code}}"), unit="ops",
        ),
        _panel("In flight", "Requests being answered now, streams included.", ("sum(router_requests_in_flight)", "requests")),
        _panel(
            "Live operations", "Subscriptions and deferred answers that are open.",
            (_or_none("sum by (protocol) (router_subscriptions_active)", "protocol"), "{{protocol}}"),
        ),
        _panel("WebSockets", "Connections of clients.", ("sum(router_websocket_connections)", "connections")),
    ),
)  # fmt: skip

RUNTIME = Dashboard(
    "fittracker-python",
    "Python runtime",
    (
        "The processes themselves: memory, processor, event loop, threads, files. A loop that lags holds up "
        "every request of its process; memory, threads or files that only grow are a leak."
    ),
    (
        _panel("Resident memory", "What the kernel counts for each process.", ("process_resident_memory_bytes", "{{job}}"), unit="bytes"),
        _panel(
            "Memory against its limit", "At 100 % the kernel ends the process.",
            ("process_resident_memory_bytes / (process_memory_limit_bytes > 0)", "{{job}}"), unit="percentunit",
            needs="a memory limit", limit=Limit("HighMemoryUsage", 0.9),
        ),
        _panel("CPU", "Processor seconds a second.", ("rate(process_cpu_seconds_total[5m])", "{{job}}"), unit="percentunit"),
        _panel(
            "Event loop lag, 99 %", "How long a callback waits for its turn.",
            (_quantile(0.99, "event_loop_lag_seconds", "job"), "{{job}}"), unit="s",
            limit=Limit("EventLoopBlocked", 0.25),
        ),
        _panel(
            "Garbage collections", "Of the oldest generation, a second: each is a pause.",
            ('rate(python_gc_collections_total{generation="2"}[5m])', "{{job}}"), unit="ops",
        ),
        _panel("Threads", "A number that grows is a leak.", ("process_threads", "{{job}}")),
        _panel("File descriptors", "Open files and sockets.", ("process_open_fds", "{{job}}")),
    ),
)  # fmt: skip

DATABASE = Dashboard(
    "fittracker-database",
    "Databases",
    (
        "Postgres and the pools in front of it. Look at the pools first: where they are at their limit, "
        "requests wait for a connection, and the panels below say whether Postgres is busy, locked, or "
        "behind."
    ),
    (
        _panel(
            "Pools", "Connections in use of each pool.",
            ("sum by (job, pool) (hikaricp_connections_active)", "{{job}} {{pool}}"),
        ),
        _panel(
            "Pools against their limit", "At 100 % requests wait.",
            ("hikaricp_connections_active / (hikaricp_connections_max > 0)", "{{job}} {{pool}}"), unit="percentunit",
            limit=Limit("PoolExhausted", 1.0),
        ),
        _panel(
            "Waiting for a connection", "Statements of loaders that have none yet.",
            ("sum by (job, pool) (hikaricp_connections_pending)", "{{job}} {{pool}}"),
        ),
        _panel(
            "Rows read for a batch, 95 %", "Keys that one loader batch answered.",
            (_quantile(0.95, "loader_batch_keys", "loader"), "{{loader}}"),
        ),
        _panel(
            "Transactions", "Committed, a second.",
            ('sum by (datname) (rate(pg_stat_database_xact_commit{datname=~"fittracker_.*"}[5m]))', "{{datname}}"),
            unit="ops", needs="postgres-exporter",
        ),
        _panel(
            "Connections by state", "Idle in transaction is a fault.",
            ("sum by (state) (pg_stat_activity_count)", "{{state}}"), needs="postgres-exporter",
        ),
        _panel(
            "Deadlocks", "Transactions that Postgres ended.",
            ('rate(pg_stat_database_deadlocks{datname=~"fittracker_.*"}[5m])', "{{datname}}"), needs="postgres-exporter",
        ),
        _panel(
            "Blocks from memory", "Share that needed no read of the disk; below 99 % the cache is small.",
            (
                ('sum(rate(pg_stat_database_blks_hit{datname=~"fittracker_.*"}[5m])) / '
                '(sum(rate(pg_stat_database_blks_hit{datname=~"fittracker_.*"}[5m])) + '
                'sum(rate(pg_stat_database_blks_read{datname=~"fittracker_.*"}[5m])))'),
                "hits",
            ),
            unit="percentunit", needs="postgres-exporter",
        ),
        _panel("Replica lag", "Seconds behind the primary.", ("pg_replication_lag_seconds", "{{instance}}"), unit="s", needs="a replica", limit=Limit("ReplicaLags", 30.0)),
        _panel("Size", "Of each database.", ('pg_database_size_bytes{datname=~"fittracker_.*"}', "{{datname}}"), unit="bytes", needs="a role that may see every database"),
    ),
)  # fmt: skip

CACHE = Dashboard(
    "fittracker-cache",
    "Caches",
    (
        "What need not be computed again, and Redis, which holds what is shared. A ratio that falls with the "
        "same traffic is another kind of traffic: texts that differ, or a cache that was emptied by a new "
        "graph."
    ),
    (
        _panel(
            "Hit ratio", "Share of look-ups that found something.",
            (
                'sum by (cache) (rate(cache_gets_total{result="hit"}[5m])) / sum by (cache) (rate(cache_gets_total[5m]))',
                "{{cache}}",
            ),
            unit="percentunit",
        ),
        _panel("Look-ups", "By cache and result.", ("sum by (cache, result) (rate(cache_gets_total[5m]))", "{{cache}} {{result}}"), unit="ops"),
        _panel("Entries", "Of the caches in each process.", ("sum by (cache) (cache_size)", "{{cache}}")),
        _panel("Redis memory", "What its data take.", ("redis_memory_used_bytes", "{{instance}}"), unit="bytes", needs="redis-exporter"),
        _panel("Redis evictions", "Keys removed for want of space.", ("rate(redis_evicted_keys_total[5m])", "{{instance}}"), unit="ops", needs="redis-exporter"),
        _panel("Redis commands", "A second.", ("rate(redis_commands_processed_total[5m])", "{{instance}}"), unit="ops", needs="redis-exporter"),
    ),
)  # fmt: skip

EVENTS = Dashboard(
    "fittracker-events",
    "Kafka and events",
    (
        "The way of events out of the four databases, through Kafka, into what other subgraphs keep. Waiting "
        "in the outbox is Kafka or the relay, lag is a consumer group, and parked records wait for a person."
    ),
    (
        _panel("Age of the outbox", "How long the oldest event has been waiting for Kafka.", ("max by (service) (outbox_oldest_age_seconds)", "{{service}}"), unit="s", limit=Limit("EventsDoNotLeave", 60.0)),
        _panel("Waiting events", "Not yet in Kafka.", ("max by (service) (outbox_unpublished)", "{{service}}")),
        _panel("Published", "Events a second that Kafka acknowledged.", ("sum by (service) (rate(outbox_published_total[5m]))", "{{service}}"), unit="ops"),
        _panel("Lag", "Records that a consumer group has before it.", ("sum by (group, topic) (consumer_lag_messages)", "{{group}} {{topic}}")),
        _panel("Waiting to be sent", "Since when the mail, push message or webhook waits that was to leave first.", ("max by (queue) (queue_oldest_seconds)", "{{queue}}"), unit="s", limit=Limit("QueueAges", 300.0)),
        _panel("Handled", "By whether they told anything new.", ("sum by (group, outcome) (rate(consumer_handled_total[5m]))", "{{group}} {{outcome}}"), unit="ops"),
        _panel("Parked", "Records that could not be handled and wait for a replay.", ("max by (group) (parked_records)", "{{group}}")),
    ),
)  # fmt: skip

FEDERATION = Dashboard(
    "fittracker-federation",
    "Federation",
    (
        "The router over its subgraphs: what it asks of each, how they answer, and what it holds back. A "
        "subgraph whose time rises alone is the one to look at; requests an operation rise where clients ask "
        "otherwise or a graph plans worse."
    ),
    (
        _panel(
            "Subgraph requests", "By subgraph and outcome.",
            ("sum by (subgraph, outcome) (rate(router_subgraph_request_duration_seconds_count[5m]))", "{{subgraph}} {{outcome}}"), unit="reqps",
        ),
        _panel(
            "Subgraph time, 95 %", "As the router sees it.",
            (_quantile(0.95, "router_subgraph_request_duration_seconds", "subgraph"), "{{subgraph}}"), unit="s",
        ),
        _panel("Requests an operation", "Subgraph requests for each client operation.", ("sum(rate(router_subgraph_request_duration_seconds_count[5m])) / sum(rate(router_operations_total[5m]))", "requests")),
        _panel("Retries", "Queries sent again.", (_or_none("sum by (subgraph) (rate(router_subgraph_retries_total[5m]))", "subgraph"), "{{subgraph}}"), unit="ops"),
        _panel("Circuits", "0 closed, 1 half open, 2 open.", (_or_none("max by (subgraph) (router_subgraph_circuit_state)", "subgraph"), "{{subgraph}}")),
        _panel("Graphs served", "Rises with each new supergraph.", ("max(router_graph_generation)", "generation")),
        _panel("Plans from the cache", "Share of operations that needed no planning.", ('sum(rate(cache_gets_total{cache="plan",result="hit"}[5m])) / sum(rate(cache_gets_total{cache="plan"}[5m]))', "hits"), unit="percentunit", limit=Limit("CacheMisses", 0.5, is_least=True)),
        _panel("Refused for their rate", "RATE_LIMITED a second.", ("sum(rate(router_rate_limited_total[5m]))", "refused"), unit="ops"),
        _panel("Tokens refused", "By reason.", (_or_none("sum by (reason) (rate(router_tokens_refused_total[5m]))", "reason"), "{{reason}}"), unit="ops"),
    ),
)  # fmt: skip

BUSINESS = Dashboard(
    "fittracker-business",
    "Business",
    (
        "What people do: operations by name, writes, events by domain, who signed in. A line that falls to "
        "nothing while the requests go on is a feature that broke without an error."
    ),
    (
        _panel("Operations by name", "The twenty that are asked most.", ("topk(20, sum by (operation) (rate(router_named_operations_total[5m])))", "{{operation}}"), unit="ops"),
        _panel("Writes", "Mutations a second.", ('sum(rate(router_operations_total{type="mutation"}[5m]))', "mutations"), unit="ops"),
        _panel("Events by domain", "What people did, as it leaves the four subgraphs.", ("sum by (service) (rate(outbox_published_total[5m]))", "{{service}}"), unit="ops"),
        _panel("People by newest sign-in", "Within so many days, and ever; of those alone who agreed to be counted.", ("max by (signed_in) (consenting_people)", "{{signed_in}}")),
        _panel("People watching", "Open subscriptions.", ("sum(router_subscriptions_active) or vector(0)", "people")),
    ),
)  # fmt: skip

DASHBOARDS = (SYSTEM, APPLICATION, RUNTIME, DATABASE, CACHE, EVENTS, FEDERATION, BUSINESS)
