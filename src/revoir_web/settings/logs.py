"""Logs: one JSON object a line, without anything that says who a person is."""

from __future__ import annotations

import logging.config
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

_ADDRESS = re.compile(r"[\w.+%-]+@[\w-]+\.[\w.-]+")
_PHONE = re.compile(r"(?<![\w.:-])(?:\+|0)\d(?:[ .-]?\d){7,13}(?![\w:-])")


def without_persons(text: str) -> str:
    """A text in which e-mail addresses and telephone numbers are not to be read.

    Examples:
        >>> without_persons("no mailbox ana@example.com, call 06 12 34 56 78")
        'no mailbox <address>, call <phone>'
    """
    return _PHONE.sub("<phone>", _ADDRESS.sub("<address>", text))


def _redact(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    del logger, method
    for key, value in event.items():
        if isinstance(value, str) and key != "timestamp":
            event[key] = without_persons(value)
    return event


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    _redact,
]


def logging_configuration(*, debug: bool) -> dict[str, Any]:
    """The logging settings: everything goes to standard error, as JSON (as text when debugging)."""
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if debug else structlog.processors.JSONRenderer()
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    renderer,
                ],
            }
        },
        "handlers": {"stream": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stream"], "level": "INFO"},
        "loggers": {
            # Each request has a line of our own; these would repeat the address with its query.
            "django.request": {"level": "ERROR"},
            "django.server": {"level": "WARNING"},
            "axes": {"level": "ERROR"},
            "gunicorn.access": {"level": "ERROR"},
        },
    }


def configure(configuration: dict[str, Any]) -> None:
    """Set up logging and structlog together (Django's LOGGING_CONFIG)."""
    logging.config.dictConfig(configuration)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
