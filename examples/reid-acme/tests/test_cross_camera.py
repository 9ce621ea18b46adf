"""The loss."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from reid_acme.cross_camera import CrossCamera

from reidcore.models import Outputs
from reidcore.testing import tiny_run

FEATURES = [[2.0, 0.0], [0.0, 3.0], [1.0, 0.0], [1.0, 0.0]]


@pytest.mark.parametrize(
    ("camids", "margin", "expected"),
    [
        ([0, 1, 0, 1], 0.0, 2.0),  # the first two are one person: at right angles, so 2 apart
        ([0, 1, 0, 1], 0.5, 1.5),
        ([0, 0, 0, 0], 0.0, 0.0),
    ],
)
def test_only_pairs_across_cameras_count(camids: list[int], margin: float, expected: float) -> None:
    features = torch.tensor(FEATURES, requires_grad=True)
    batch = {"pid": torch.tensor([0, 0, 1, 2]), "camid": torch.tensor(camids)}
    loss = CrossCamera(3, margin=margin)(Outputs(None, features), batch)
    loss.backward()
    assert loss.item() == pytest.approx(expected)
    assert features.grad is not None
    assert bool(features.grad.any()) == (expected > 0)


def test_a_run_weighs_it_in(root: Path, tmp_path: Path) -> None:
    terms = "loss.terms={softmax: 1.0, cross_camera: 0.5}"
    overrides = [terms, "loss.cross_camera.margin=0.0001"]
    run = tiny_run(
        "reid-acme", save_dir=tmp_path / "log", root=root, dataset="acme", overrides=overrides
    )
    assert run.result["training"][0]["cross_camera"] > 0
    assert run.engine.terms["cross_camera"][1].margin == 0.0001
