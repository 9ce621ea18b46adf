"""Training on a folder in Market-1501's layout, which the synthetic dataset is written in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_a_market1501_tree_is_trained_on_and_tested(reidcore: Run, tmp_path: Path) -> None:
    tree = tmp_path / "market1501" / "Market-1501-v15.09.15"
    made = reidcore("data", "make-synthetic", tree, "--train-ids", "4", "--test-ids", "3")
    assert made.returncode == 0, made.stderr
    words = ["-s", "market1501", "-t", "market1501", "--root", tmp_path, "data.workers=0"]
    words += ["data.height=64", "data.width=32", "train.batch_size=16", "train.max_epoch=1"]
    words += ["test.visrank=false", f"data.save_dir={tmp_path / 'log'}"]
    finished = reidcore("run", "quickstart", *words)
    assert finished.returncode == 0, finished.stderr
    results = json.loads((tmp_path / "log" / "results.json").read_text())
    assert results["targets"]["market1501"]["num_valid_queries"] == 18
