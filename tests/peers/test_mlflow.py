"""The example of a plugin for MLflow, in MLflow's own file store."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "reid-mlflow"


def test_the_examples_tests_pass(tmp_path: Path) -> None:
    pytest.importorskip(
        "mlflow", reason="mlflow is not here: pip install mlflow-skinny", exc_type=ImportError
    )
    options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, EXAMPLE / "tests"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(EXAMPLE), "OMP_NUM_THREADS": "1"},
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
