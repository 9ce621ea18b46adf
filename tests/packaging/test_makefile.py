"""What ``make demo`` says and runs, without running it."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def dry_run(*words: str) -> str:
    return subprocess.run(
        ["make", "--dry-run", "demo", "VENV=no-such-folder", *words],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_demo_says_what_it_installs_before_it_does_and_that_it_draws() -> None:
    shown = dry_run()
    assert shown.index("5 to 6 GB") < shown.index("pip install")
    assert "drawing the results" in shown
    assert "--extra-index-url" not in shown


def test_torch_comes_from_another_index_on_demand() -> None:
    (install,) = [line for line in dry_run("TORCH_INDEX=INDEX").splitlines() if "/pip " in line]
    assert "--extra-index-url INDEX" in install
    assert "-c constraints.txt" in install
