"""``reidcore`` in this process, with the logging of a program that has configured none."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest


class Ended(NamedTuple):
    """How a command ended: its exit code, and what it wrote."""

    code: int
    out: str
    err: str


Program = Callable[..., Ended]


@contextlib.contextmanager
def bare_logging() -> Iterator[None]:
    """Hide the handlers of pytest, as if nobody had configured logging."""
    logger = logging.getLogger("reidcore")
    before = logger.propagate, logger.handlers, logger.level
    logger.propagate, logger.handlers = False, []
    logger.setLevel(logging.NOTSET)
    try:
        yield
    finally:
        logger.propagate, logger.handlers = before[:2]
        logger.setLevel(before[2])


def run(*words: object) -> Ended:
    """Run ``reidcore`` with these words; its output goes to a pipe, so to speak."""
    from reidcore.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(bare_logging())
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        ended = stack.enter_context(pytest.raises(SystemExit))
        main([*map(str, words)])
    return Ended(int(str(ended.value.code or 0)), out.getvalue(), err.getvalue())


def run_in(folder: Path, *words: object) -> Ended:
    """Run ``reidcore`` with these words in a folder."""
    with contextlib.chdir(folder):
        return run(*words)
