"""ONNX files: what they hold, and the features they give."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from reid_plugins_export.backends import open_backend
from reid_plugins_export.export import Options, export_model

from reidcore.inference import FeatureExtractor


@pytest.fixture(scope="module")
def exported(checkpoint, plugins, tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "tiny.onnx"
    return export_model(checkpoint, path, Options("onnx"), plugins)


def test_a_file_takes_any_number_of_images(exported) -> None:
    session = onnxruntime.InferenceSession(exported.path)
    (images,), (features,) = session.get_inputs(), session.get_outputs()
    assert (images.name, images.shape[1:]) == ("images", [3, 32, 16])
    assert isinstance(images.shape[0], str)
    assert (features.name, features.shape[1]) == ("features", 8)
    for count in (1, 2, 7):
        batch = np.zeros((count, 3, 32, 16), np.float32)
        assert session.run(None, {"images": batch})[0].shape == (count, 8)


def test_its_features_are_those_of_an_extractor(exported, checkpoint, plugins, tmp_path) -> None:
    images = torch.randn(5, 3, 32, 16, generator=torch.Generator().manual_seed(1))
    extractor = FeatureExtractor(
        model_path=checkpoint, device="cpu", verbose=False, plugins=plugins
    )
    backend = open_backend(None, exported.path, plugins=plugins)
    torch.testing.assert_close(backend(images), extractor(images), atol=1e-5, rtol=1e-5)
    assert (backend.feature_dim, backend.image_size, backend.takes) == (8, (32, 16), "normalised")


def test_the_record_is_in_the_file(exported) -> None:
    (held,) = onnx.load(exported.path).metadata_props
    assert held.key == "reidcore"
    assert exported.record["model"]["name"] == "tinynet"
