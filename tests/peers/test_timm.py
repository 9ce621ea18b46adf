"""Backbones of timm give timm's features."""

from __future__ import annotations

import pytest
import torch

from reidcore.models import build_model

timm = pytest.importorskip("timm", reason="timm is not here: pip install timm")


@pytest.mark.parametrize("name", ["resnet10t", "mobilenetv3_small_050", "convnext_atto"])
def test_features_are_the_backbones_own(name) -> None:
    own = build_model(f"timm/{name}", num_classes=5, pretrained=False).eval()
    theirs = timm.create_model(name, pretrained=False, num_classes=0).eval()
    theirs.load_state_dict(own.backbone.state_dict())
    images = torch.randn(2, 3, 256, 128)
    with torch.no_grad():
        torch.testing.assert_close(own(images), theirs(images))
