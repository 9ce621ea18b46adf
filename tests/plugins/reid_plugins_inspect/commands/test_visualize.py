"""Pictures of a trained model, from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from reidcore.models import build_model

Run = Callable[..., Any]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Weights of a small OSNet."""
    path = tmp_path / "weights.pth"
    torch.save(build_model("osnet_x0_25", 5, pretrained=False).state_dict(), path)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A dataset of three people."""
    for split in ("train", "query", "gallery"):
        folder = tmp_path / "data" / split
        folder.mkdir(parents=True)
        for pid in (1, 2, 3):
            for camera in (1, 2):
                picture = Image.new("RGB", (16, 32), (pid * 60, camera * 90, 0))
                picture.save(folder / f"{pid:04d}_c{camera}.png")
    return tmp_path / "data"


def test_maps_and_ranks_are_drawn(reidcore: Run, root: Path, weights: Path, tmp_path: Path) -> None:
    subject = ["-d", "folder", "-m", "osnet_x0_25", "--weights", weights, "--root", root]
    subject += ["--height", "64", "--width", "32", "--save-dir", tmp_path / "look"]
    maps = reidcore("visualize", "actmap", *subject)
    assert maps.returncode == 0, maps.stderr
    drawn = sorted(path.name for path in (tmp_path / "look" / "actmap_folder").iterdir())
    assert drawn == [f"{pid:04d}_c{camera}.jpg" for pid in (1, 2, 3) for camera in (1, 2)]

    ranks = reidcore("visualize", "ranks", *subject, "--topk", "2")
    assert ranks.returncode == 0, ranks.stderr
    assert (tmp_path / "look" / "visrank_folder" / "overview.jpg").is_file()


def test_missing_weights_are_told_in_a_line(reidcore: Run, root: Path) -> None:
    subject = ["-d", "folder", "-m", "osnet_x0_25", "--weights", "gone.pth", "--root", root]
    shown = reidcore("visualize", "actmap", *subject)
    assert shown.returncode == 2
    assert "gone.pth" in shown.stderr
    assert "Traceback" not in shown.stderr
