"""Subscription fields whose events are records of Kafka topics, read once for all clients of a process."""
