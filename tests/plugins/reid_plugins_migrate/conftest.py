"""The command line in this process."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from reidcore.cli.app import main


class Ended(NamedTuple):
    """How a command ended: its exit code, and what it wrote."""

    code: int
    out: str
    err: str


@pytest.fixture
def migrate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Run ``reidcore migrate`` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path) -> Ended:
        capfd.readouterr()
        with monkeypatch.context() as patch:
            logger = logging.getLogger("reidcore")
            patch.setattr(logger, "propagate", False)
            patch.setattr(logger, "handlers", [])
            with pytest.raises(SystemExit) as ended:
                main(["migrate", *map(str, words)])
        return Ended(int(str(ended.value.code or 0)), *capfd.readouterr())

    return run
