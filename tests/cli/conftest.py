"""The command line as a real process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def reidcore(tmp_path: Path) -> Run:
    """Run ``reidcore`` with these arguments in an empty folder; ``path`` holds installations."""
    folder = tmp_path / "here"
    folder.mkdir()

    def run(
        *arguments: str | Path, path: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        own = {"OMP_NUM_THREADS": "1", "COLUMNS": "200", "PYTHONWARNINGS": "ignore"}
        if path is not None:
            own["PYTHONPATH"] = str(path)
        return subprocess.run(
            [sys.executable, "-m", "reidcore", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=folder,
            env={**os.environ, **own, **environment},
            timeout=120,
        )

    return run
