"""The ``reidcore`` logger: silent under a program that logs, plain text for a bare script."""

from __future__ import annotations

import logging
import sys

LOGGER_NAME = "reidcore"


class _StandardOutput(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to whatever ``sys.stdout`` is at the moment of writing."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> object:
        """The current standard output."""
        return sys.stdout


def configure_if_bare() -> None:
    """Show INFO on standard output if the program has configured no logging of its own.

    A plain script then shows what its author expects to see; a program that owns its logging
    is left alone.
    """
    logger = logging.getLogger(LOGGER_NAME)
    if logger.hasHandlers():
        return
    handler = _StandardOutput()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
