"""A recipe whose weights are not there says which file, from where, to which place, and without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reidcore.models import find_published

RECIPE, WEIGHTS = "bot_r50", "resnet50"


def test_missing_weights_are_told_with_what_to_do(
    reidcore: Callable[..., Any], tmp_path: Path
) -> None:
    home, torch_home = str(tmp_path / "home"), str(tmp_path / "torch")
    nowhere = {"REIDCORE_HOME": home, "TORCH_HOME": torch_home, "REIDCORE_OFFLINE": "1"}
    data = ["data.sources=[synthetic]", "data.targets=[synthetic]", "synthetic.train_ids=16"]
    few = ["synthetic.test_ids=2", "synthetic.images_per_camera=1", "synthetic.cameras=4"]
    done = reidcore("run", RECIPE, "--root", tmp_path / "data", *data, *few, **nowhere)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert f"weights {WEIGHTS!r} are not on this machine" in done.stderr
    assert f"{Path(home, 'weights')}" in done.stderr
    ways_out = (find_published(WEIGHTS).filename, "model.pretrained=false", "model.load_weights=")
    assert [way for way in ways_out if way not in done.stderr] == []
