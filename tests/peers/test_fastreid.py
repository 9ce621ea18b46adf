"""FastReID's own networks give our features after ``reidcore migrate checkpoint``.

``FASTREID_CHECKOUT`` names a checkout of github.com/JDAI-CV/fast-reid, 1.3; its code needs yacs and
termcolor.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from reid_plugins_migrate.checkpoints.conversion import convert, write
from reid_plugins_migrate.checkpoints.reading import read_foreign
from reid_plugins_migrate.configs.translation import translate

from reidcore.inference import FeatureExtractor
from reidcore.plugins import make_plugins

Build = Callable[..., tuple[torch.nn.Module, Any]]

# A name -> a configuration of FastReID's, and what is changed of it.
CASES: dict[str, tuple[str, list[Any]]] = {
    "bag of tricks": ("Market1501/bagtricks_R50.yml", ["DEPTH", "18x", "FEAT_DIM", 512]),
    "stronger baseline": ("Market1501/sbs_R50.yml", ["DEPTH", "34x", "FEAT_DIM", 512]),
    "AGW": ("Market1501/AGW_R50.yml", []),
    "IBN": ("VehicleID/bagtricks_R50-ibn.yml", []),
    "MGN": ("Market1501/mgn_R50-ibn.yml", []),
    "OSNet": (
        "Market1501/bagtricks_R50.yml",
        ["NAME", "build_osnet_backbone", "DEPTH", "x0_25", "FEAT_DIM", 128],
    ),
}


@pytest.fixture(scope="module")
def build() -> Iterator[Build]:
    """Build a network of FastReID's by its configuration, with drawn statistics in every norm."""
    root = os.environ.get("FASTREID_CHECKOUT")
    if not root:
        pytest.skip("FastReID is not here: set FASTREID_CHECKOUT to a checkout")
    pytest.importorskip("yacs")
    pytest.importorskip("termcolor")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [root, *sys.path])
        from fastreid.config import get_cfg
        from fastreid.modeling.meta_arch import build_model

        def built(file: str, changed: list[Any]) -> tuple[torch.nn.Module, Any]:
            torch.manual_seed(0)
            config = get_cfg()
            config.merge_from_file(str(Path(root, "configs", file)))
            pairs = zip(changed[::2], changed[1::2], strict=True)
            config.merge_from_list(
                [each for key, value in pairs for each in (f"MODEL.BACKBONE.{key}", value)]
            )
            config.MODEL.DEVICE, config.MODEL.BACKBONE.PRETRAIN = "cpu", False
            config.MODEL.HEADS.NUM_CLASSES = 10
            return drawn(build_model(config)).eval(), config

        yield built


@torch.no_grad()
def drawn(model: torch.nn.Module) -> torch.nn.Module:
    """Draw what a norm, a pooling and a non-local block begin with alike."""
    for name, module in model.named_modules():
        if getattr(module, "running_mean", None) is not None:
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            if "NL_" in name:
                module.weight.uniform_(0, 0.5)
        if isinstance(getattr(module, "p", None), torch.nn.Parameter):
            module.p.fill_(2.5)
    return model


@pytest.mark.parametrize("name", CASES)
def test_its_networks_give_our_features(name, build, tmp_path) -> None:
    theirs, config = build(*CASES[name])
    old, told, new = (tmp_path / each for each in ("model.pth", "config.yml", "ours.pth.tar"))
    torch.save({"model": theirs.state_dict(), "epoch": 3}, old)
    told.write_text(config.dump())
    plugins = make_plugins()
    foreign = read_foreign(old)
    found = convert(foreign, plugins, config=translate(told).config)
    write(found, foreign, new)
    assert (found.unmatched, found.untouched, found.remarks) == ({}, [], [])
    pixels = np.random.default_rng(0).integers(0, 256, (3, 90, 40, 3)).astype(np.uint8)
    height, width = config.INPUT.SIZE_TEST
    resized = [
        np.array(Image.fromarray(each).resize((width, height), Image.Resampling.BICUBIC))
        for each in pixels
    ]
    # (3, H, W, 3) -> (3, 3, H, W), from 0 to 255 as FastReID takes them
    images = torch.from_numpy(np.stack(resized)).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        expected = theirs({"images": images, "targets": torch.zeros(3), "camids": torch.zeros(3)})
    ours = FeatureExtractor(model_path=str(new), device="cpu", verbose=False)([*pixels])
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5 * expected.abs().max().item())
