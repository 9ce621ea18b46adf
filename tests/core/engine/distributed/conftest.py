"""One launch of two processes, whose results all tests of this folder read."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

HERE = Path(__file__).parent
WORLD = 2

Launched = Callable[[str], list[Any]]


@pytest.fixture(scope="session")
def launched(tmp_path_factory: pytest.TempPathFactory) -> Launched:
    """Return a function: the name of a case -> what it returned in each process, by rank."""
    out = tmp_path_factory.mktemp("launched")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr"]
    command += ["127.0.0.1", f"--nproc-per-node={WORLD}", str(HERE / "launched.py"), str(out)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    finished = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr

    def results(name: str) -> list[Any]:
        found = [torch.load(out / f"{name}-{rank}.pt", weights_only=False) for rank in range(WORLD)]
        errors = [each["error"] for each in found if "error" in each]
        assert not errors, "\n".join(errors)
        return [each["result"] for each in found]

    return results
