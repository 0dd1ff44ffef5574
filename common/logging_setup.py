"""Logs as JSON lines on standard output."""

import contextlib
import logging
import sys
from typing import Any

import structlog


def configure_logging(level: str) -> None:
    """Set how this process logs; the last call counts.

    :param level: `debug`, `info` or `warning`.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=_LineLogger,
        cache_logger_on_first_use=False,
    )


class _LineLogger:
    """Writes each line with its end in one write, since processes share an output.

    A line that cannot be written, because the disk is full for example, is lost; the request that
    it is about must not fail with it.
    """

    def __init__(self, *_args: Any) -> None:
        self._output = sys.stdout

    def msg(self, line: str) -> None:
        """Write a line."""
        with contextlib.suppress(OSError):
            self._output.write(line + "\n")
            self._output.flush()

    debug = info = warning = error = critical = exception = msg
