"""Roboflow's `reid` with our models: as a folder that it loads, and around our extractor."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from reid_plugins_trackers.roboflow_reid import reid_model, save_reid_folder

from reidcore.inference import FeatureExtractor
from reidcore.models import build_model

reid = pytest.importorskip("reid", reason="reid is not here: see tests/peers/requirements.txt")
sv = pytest.importorskip(
    "supervision", reason="supervision is not here: see tests/peers/requirements.txt"
)


def features(model, walk) -> np.ndarray:
    return model.extract_embeddings(sv.Detections(xyxy=walk[0].boxes), walk[0].bgr)


@pytest.fixture
def make(tmp_path):
    """Make an extractor of a network with weights that were drawn, not trained."""

    def make(name: str, **options) -> FeatureExtractor:
        torch.manual_seed(3)
        path = tmp_path / "model.pth"
        torch.save(build_model(name, num_classes=4, pretrained=False).state_dict(), path)
        return FeatureExtractor(name, path, device="cpu", verbose=False, **options)

    return make


@pytest.mark.parametrize("name", ["osnet_x0_25", "timm/resnet10t", "timm/mobilenetv3_small_050"])
def test_a_folder_gives_our_features(name, make, walk, tmp_path) -> None:
    extractor = make(name, image_size=(128, 64))
    folder = save_reid_folder(extractor, tmp_path / "reid")
    model = reid.ReIDModel.from_pretrained(str(folder), device="cpu")
    ours = extractor.crops(walk[0].frame, walk[0].boxes).numpy()
    np.testing.assert_allclose(features(model, walk), ours, rtol=1e-4, atol=1e-5)


def test_any_model_goes_in_by_the_extractor(extractor, walk) -> None:
    ours = extractor.crops(walk[0].frame, walk[0].boxes).numpy()
    np.testing.assert_allclose(features(reid_model(extractor), walk), ours, atol=1e-5)
