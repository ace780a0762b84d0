"""One way of logging: one line a fact, as JSON to the journal and in colour to a person."""

from __future__ import annotations

import logging
import sys

import structlog

_QUIET_LIBRARIES = ("aiohttp.access", "alembic", "asyncio", "PIL")


def set_up_logs(*, level: str = "info", as_json: bool | None = None) -> None:
    """Send every log line to standard error.

    Args:
        level: the lowest level that is written: debug, info, warning or error.
        as_json: one JSON object a line; by default, unless a person is looking.
    """
    if as_json is None:
        as_json = not sys.stderr.isatty()
    lowest = logging.getLevelNamesMapping()[level.upper()]
    shape = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            shape,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(lowest),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.ERROR)
