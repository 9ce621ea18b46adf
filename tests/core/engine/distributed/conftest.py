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
from filelock import FileLock

HERE = Path(__file__).parent
WORLD = 2

Launched = Callable[[str], list[Any]]


@pytest.fixture(scope="session")
def torchrun() -> Callable[..., None]:
    """Return a function that runs a script in two processes, with arguments."""

    def run(script: Path, *arguments: Path) -> None:
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr"]
        command += ["127.0.0.1", f"--nproc-per-node={WORLD}", str(script), *map(str, arguments)]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
        finished = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr

    return run


@pytest.fixture(scope="session")
def launched(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str, torchrun: Callable[..., None]
) -> Launched:
    """Return a function: the name of a case -> what it returned in each process, by rank.

    Test processes side by side read the results of one launch.
    """
    base = tmp_path_factory.getbasetemp()
    out = (base if worker_id == "master" else base.parent) / "launched"
    with FileLock(out.with_suffix(".lock")):
        if not out.exists():
            out.mkdir()
            torchrun(HERE / "launched.py", out)

    def results(name: str) -> list[Any]:
        found = [torch.load(out / f"{name}-{rank}.pt", weights_only=False) for rank in range(WORLD)]
        errors = [each["error"] for each in found if "error" in each]
        assert not errors, "\n".join(errors)
        return [each["result"] for each in found]

    return results
