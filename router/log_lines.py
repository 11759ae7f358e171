"""What a process writes to its log: one JSON object a line for machines, or readable lines for people (decision 0253).

That is so for all that is said: by structlog, by `logging` (aiokafka, SQLAlchemy, uvicorn, OpenTelemetry, asyncio), by warnings, and by
exceptions that nobody caught. Each object has `timestamp`, `level`, `logger` and `event`, with `exception` where there is one.
The router and its processes call `configure`, and so do subgraphs and commands that run as services.
"""

from __future__ import annotations

import json
import logging
import math
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256
from types import TracebackType
from typing import Any
from uuid import UUID

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor

#: OpenTelemetry repeats with every batch that nobody takes its spans.
REPEATED, REPEATED_SECONDS = "opentelemetry", 60.0


@dataclass(frozen=True, slots=True)
class LogForm:
    """`level` is one of `logging`'s in any case; libraries tell warnings at the least. `colors` are for people alone."""

    level: str = "info"
    for_people: bool = False
    colors: bool = False


@dataclass(slots=True)
class _Process:
    """How this process writes its lines: `form` is None before `configure`."""

    form: LogForm | None = None
    until_settings_are_read: bool = False


_process = _Process()


def configure(form: LogForm, *, caches_loggers: bool = True, until_settings_are_read: bool = False) -> None:
    """Sets up structlog, and `logging` where nobody else has. The last call counts; a logger that is cached is of the call before
    its first line.
    """
    _process.form, _process.until_settings_are_read = form, until_settings_are_read
    level = logging.getLevelNamesMapping()[form.level.upper()]
    _take_over_logging(form, max(level, logging.WARNING))
    structlog.configure(
        processors=[*([] if form.for_people else [structlog.stdlib.add_logger_name]), *_COMMON, *_rendered(form)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout)
        if form.for_people
        else structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=caches_loggers and not until_settings_are_read,
    )


def forget() -> None:
    """Undoes `configure` but for structlog itself and the hooks of the interpreter. For tests, of which many share a process."""
    _process.form, _process.until_settings_are_read = None, False
    _take_off_handlers(logging.getLogger())


def form_of_process() -> LogForm | None:
    """For a process that is started by this one, so that it writes as this one does."""
    return _process.form


def is_configured() -> bool:
    """Whether somebody has set up the logs of this process for good."""
    return structlog.is_configured() and not _process.until_settings_are_read


@lru_cache(maxsize=1_024)
def shown_subject(subject: str | None) -> str | None:
    """Enough to follow one person through the logs of all parts, not enough to name them: ids are random, and nobody tries them all."""
    return sha256(subject.encode()).hexdigest()[:12] if subject else None


def add_trace_ids(_: Any, __: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = format(context.trace_id, "032x")
        event["span_id"] = format(context.span_id, "016x")
    return event


#: What is added to every line, whoever says it.
_COMMON: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    add_trace_ids,
]


def _rendered(form: LogForm) -> list[Processor]:
    """Without the values of local variables, which may be tokens, and which take long to print."""
    if not form.for_people:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
    return [structlog.dev.ConsoleRenderer(colors=form.colors, exception_formatter=structlog.dev.plain_traceback)]


def _shown(value: Any) -> str:
    """Of what the standard library does not write, moments as in all other JSON, and ids."""
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else repr(value)


_encoder = json.JSONEncoder(default=_shown, skipkeys=True, allow_nan=False)


def _json(event: Any, **_: Any) -> bytes:
    """By the standard library, which raises MemoryError where it finds no memory to write to. orjson and msgspec end the process
    then, and that there is no memory is told by such a line.
    """
    try:
        return _encoder.encode(event).encode()
    except ValueError:  # a number that is none, or an object that holds itself
        shown = {key: value if isinstance(value, str) else repr(value) for key, value in event.items()}
        return _encoder.encode(shown).encode()


def _as_text(_: Any, __: str, line: Any) -> Any:
    """`logging` writes text."""
    return line.decode() if isinstance(line, bytes) else line


def _take_over_logging(form: LogForm, level: int) -> None:
    """Does nothing in a process whose `logging` somebody else has set up, such as a test's."""
    root = logging.getLogger()
    _take_off_handlers(root)
    if root.handlers:
        return
    handler = _LinesOfLibraries(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.ExtraAdder(allow={"left_out"}),
                structlog.stdlib.add_logger_name,
                *_COMMON,
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendered(form), _as_text],
        )
    )
    handler.addFilter(_Seldom(REPEATED, REPEATED_SECONDS))
    root.addHandler(handler)
    root.setLevel(level)
    logging.getLogger(f"{REPEATED}.exporter").setLevel(logging.ERROR)  # that it tries again is no news
    logging.captureWarnings(capture=True)
    if not form.for_people:
        sys.excepthook = _tell_of_the_end
        threading.excepthook = _tell_of_a_thread
        sys.unraisablehook = _tell_of_the_unraisable


def _take_off_handlers(root: logging.Logger) -> None:
    """Those of an earlier `configure`."""
    for handler in [each for each in root.handlers if isinstance(each, _LinesOfLibraries)]:
        root.removeHandler(handler)


class _LinesOfLibraries(logging.StreamHandler[Any]):
    """A record that cannot be written, such as one whose arguments do not fit its text, is told of in a line like all others."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        with suppress(OSError, ValueError):  # nobody reads
            _log().error("log_record_unusable", of=record.name, text=str(record.msg), exc_info=True)


class _Seldom(logging.Filter):
    """Of each logger at or below `name` one record in so many seconds, with how many were left out before it."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(name)
        self._seconds = seconds
        self._told: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not super().filter(record):
            return True
        now = time.monotonic()
        told_at, left_out = self._told.get(record.name, (-math.inf, 0))
        if now - told_at < self._seconds:
            self._told[record.name] = (told_at, left_out + 1)
            return False
        self._told[record.name] = (now, 0)
        if left_out:
            record.__dict__["left_out"] = left_out
        return True


def _log() -> Any:
    return structlog.get_logger(__name__)


def _tell_of_the_end(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    _log().critical("uncaught_exception", exc_info=(kind, error, where))


def _tell_of_a_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_type is not SystemExit:
        name = told.thread.name if told.thread is not None else None
        _log().error("uncaught_exception", thread=name, exc_info=(told.exc_type, told.exc_value, told.exc_traceback))


def _tell_of_the_unraisable(told: sys.UnraisableHookArgs) -> None:
    with suppress(OSError, ValueError):  # the interpreter may be ending
        _log().error(
            "unraisable_exception",
            of=repr(told.object),
            exc_info=(told.exc_type, told.exc_value, told.exc_traceback),
        )
