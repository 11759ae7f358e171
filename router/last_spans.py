"""How a process sends the spans that have gathered before it ends, whatever becomes of the collector.

A process that a signal ends runs no exit handlers, by which the SDK would send them. Router and subgraphs call it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

log = structlog.get_logger(__name__)

CLOSE_SECONDS = 2.0


def send_last_spans(send: Callable[[], object], exporter: OTLPSpanExporter) -> None:
    """Runs `send`, the flush or the shutdown of a tracer provider, for `CLOSE_SECONDS` at most. Blocks: not for an event loop.

    A collector that does not take the spans in that time keeps no process from its end: the exporter would ask it again and
    again, for ten seconds a batch. It is shut down then, and what comes later is dropped at once.
    """
    sending = threading.Thread(target=send, name="last spans", daemon=True)
    sending.start()
    sending.join(CLOSE_SECONDS)
    if sending.is_alive():
        log.warning("last_spans_not_sent", waited_seconds=CLOSE_SECONDS)
        exporter.shutdown()  # type: ignore[no-untyped-call]
