"""Logs: what long-running parts say of their steps, on standard error; quiet unless asked for.

Every module logs to the logger of its own name. Progress bars are apart from it.
"""

from __future__ import annotations

import logging
import time
from enum import StrEnum

FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(message)s"


class LogLevel(StrEnum):
    """How much is logged."""

    OFF = "off"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


def show(level: str) -> None:
    """Write what nettwin logs at this level and above to standard error, with the time in UTC."""
    formatter = logging.Formatter(FORMAT, datefmt="%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logger = logging.getLogger("nettwin")
    logger.handlers = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
