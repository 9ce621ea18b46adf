"""The main job, as ``make demo`` runs it: it learns, and leaves what it promises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from PIL import Image


def test_quickstart_learns_and_leaves_pictures_log_checkpoint_and_results(tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "reidcore", "run", "quickstart"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=1500,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "synthetic" in finished.stdout
    assert "mAP" in finished.stdout

    log = tmp_path / "log" / "quickstart"
    results = json.loads((log / "results.json").read_text())
    assert results["targets"]["synthetic"]["mAP"] > 0.40
    assert {plugin["name"] for plugin in results["plugins"]} >= {"osnet", "datasets", "engines"}
    assert (log / f"model.pth.tar-{results['config']['train']['max_epoch']}").is_file()
    assert list(log.glob("events.out.tfevents.*"))
    with Image.open(log / "visrank_synthetic" / "overview.jpg") as overview:
        assert min(overview.size) > 500
