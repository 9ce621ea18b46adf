"""Every format gives the features of the checkpoint, tells the same, and runs in threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from reid_plugins_export.backends import open_backend
from reid_plugins_export.export import Options, export_model
from reid_plugins_export.formats import format_named
from reid_plugins_export.record import read_record

from reidcore.inference import FeatureExtractor

NAMES = ("torchscript", "pt2", "openvino")


@pytest.fixture(scope="module", params=NAMES)
def exported(request, checkpoint, plugins, tmp_path_factory):
    if request.param == "openvino":
        pytest.importorskip("openvino", reason="it is the extra openvino")
    form = format_named(request.param, plugins)
    path = tmp_path_factory.mktemp(request.param) / f"tiny{form.ending}"
    asked = Options(request.param, preprocess="mean_std", normalise=True)
    return export_model(checkpoint, path, asked, plugins)


def drawn(count):
    return torch.rand(count, 3, 32, 16, generator=torch.Generator().manual_seed(count))


@pytest.fixture(scope="module")
def wanted(checkpoint, plugins):
    extractor = FeatureExtractor(
        model_path=checkpoint, device="cpu", verbose=False, plugins=plugins, normalize=True
    )
    mean, std = (
        torch.tensor(extractor.preprocessing.record[key]).view(3, 1, 1)
        for key in ("norm_mean", "norm_std")
    )
    return lambda images: extractor((images - mean) / std)


def test_features_are_those_of_the_checkpoint(exported, wanted, plugins) -> None:
    backend = open_backend(None, exported.path, plugins=plugins)
    assert (backend.feature_dim, backend.image_size, backend.takes) == (8, (32, 16), "unit_range")
    for count in (1, 5):
        found = backend(drawn(count))
        assert (found.dtype, found.device.type) == (torch.float32, "cpu")
        torch.testing.assert_close(found, wanted(drawn(count)), atol=1e-5, rtol=1e-5)


def test_threads_do_not_disturb_one_another(exported, wanted, plugins) -> None:
    backend = open_backend(None, exported.path, plugins=plugins)
    counts = [1, 2, 3, 4] * 5
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda count: backend(drawn(count)), counts))
    for count, features in zip(counts, found, strict=True):
        torch.testing.assert_close(features, wanted(drawn(count)), atol=1e-5, rtol=1e-5)


def test_the_record_comes_back(exported, plugins) -> None:
    assert read_record(exported.path, plugins) == exported.record
    assert exported.record["normalise"] is True
