"""Roboflow's `reid` with our models: as a folder that it loads, and around our extractor."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from reid_plugins_trackers.roboflow_reid import reid_model, save_reid_folder

from reidcore.inference import FeatureExtractor
from reidcore.models import build_model

reid = pytest.importorskip("reid")
sv = pytest.importorskip("supervision")


def features(model, walk) -> np.ndarray:
    return model.extract_embeddings(sv.Detections(xyxy=walk[0].boxes), walk[0].bgr)


@pytest.mark.parametrize("name", ["osnet_x0_25", "timm/resnet10t", "timm/mobilenetv3_small_050"])
def test_a_folder_gives_our_features(name, walk, tmp_path) -> None:
    path, size = tmp_path / "model.pth", (128, 64)
    torch.manual_seed(3)  # weights that were drawn, not trained
    torch.save(build_model(name, num_classes=4, pretrained=False).state_dict(), path)
    folder = save_reid_folder(path, tmp_path / "reid", model_name=name, image_size=size)
    model = reid.ReIDModel.from_pretrained(str(folder), device="cpu")
    extractor = FeatureExtractor(name, path, size, device="cpu", verbose=False)
    ours = extractor.crops(walk[0].frame, walk[0].boxes).numpy()
    np.testing.assert_allclose(features(model, walk), ours, rtol=1e-4, atol=1e-5)


def test_any_model_goes_in_by_the_extractor(extractor, walk) -> None:
    ours = extractor.crops(walk[0].frame, walk[0].boxes).numpy()
    np.testing.assert_allclose(features(reid_model(extractor), walk), ours, atol=1e-5)


@pytest.mark.parametrize("folded", ["none", "mean_std"])
def test_an_exported_file_goes_in_too(folded, extractor, walk, tmp_path) -> None:
    export = pytest.importorskip("reid_plugins_export.export", reason="the export package")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not here: the extra onnx")
    options = export.Options(preprocess=folded, size=(32, 16), model_name="pixels")
    path = tmp_path / "pixels.onnx"
    export.export_model(tmp_path / "pixels.pth", path, options, extractor.plugins)
    opened = FeatureExtractor(model_path=path, device="cpu", verbose=False)
    ours = extractor.crops(walk[0].frame, walk[0].boxes).numpy()
    np.testing.assert_allclose(features(reid_model(opened), walk), ours, atol=1e-4)
