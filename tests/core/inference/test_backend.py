"""Exported files behind an extractor: a plugin opens them, and the rest is as with a network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from reidcore import hookimpl
from reidcore.errors import DataError, UserError
from reidcore.inference import FeatureExtractor
from reidcore.plugins import bundled
from reidcore.testing import TinyWorld, make_plugins

RECORD = {
    "model": {"name": "tinynet"},
    "preprocessing": {"height": 8, "width": 4, "norm_mean": [0.4] * 3, "norm_std": [0.2] * 3},
}
PICTURE = np.random.default_rng(0).integers(0, 256, (8, 4, 3), dtype=np.uint8)


class Sums:
    """A backend that sums the left and the right half of each image, in its own way of counting."""

    def __init__(self, takes="normalised", record=RECORD, image_size=None) -> None:
        self.takes, self.record, self.image_size = takes, record, image_size
        self.feature_dim = 2

    def __call__(self, images):
        assert images.is_contiguous()
        assert images.dtype == (torch.uint8 if self.takes == "bytes" else torch.float32)
        return images.float().unflatten(3, (2, -1)).sum(dim=(1, 2, 4))


@pytest.fixture
def opened(monkeypatch):
    """Let a backend be opened for any file but a checkpoint; return what was asked."""

    def install(backend):
        asked = []

        def open_backend(name, path, **options):
            asked.append((name, str(path), options))
            return backend if name or str(path).endswith(".sums") else None

        monkeypatch.setattr(bundled, "open_backend", open_backend, raising=False)
        return asked

    return install


def extractor(path="net.sums", plugins=(), **options) -> FeatureExtractor:
    own = {"device": "cpu", "verbose": False, "plugins": make_plugins(TinyWorld(), *plugins)}
    return FeatureExtractor(model_path=path, **{**own, **options})


def sums(values) -> torch.Tensor:
    halves = torch.tensor(values.astype(np.float32)).unflatten(1, (2, -1))
    return halves.sum(dim=(0, 2, 3))[None]


@pytest.mark.parametrize(
    ("takes", "as_taken"),
    [
        ("normalised", lambda pixels: (pixels / 255 - 0.4) / 0.2),
        ("unit_range", lambda pixels: pixels / 255),
        ("bytes", lambda pixels: pixels),
    ],
)
def test_images_come_in_the_form_that_a_backend_takes(opened, takes, as_taken) -> None:
    opened(Sums(takes))
    found = extractor()([PICTURE, Image.fromarray(PICTURE)])
    wanted = sums(as_taken(PICTURE))
    torch.testing.assert_close(found, wanted.expand(2, 2), atol=1e-3, rtol=1e-4)


def test_the_file_says_what_it_is(opened, caplog) -> None:
    asked = opened(Sums())
    with caplog.at_level("INFO", logger="reidcore"):
        found = extractor(verbose=True, precision="int8")
    assert found.metadata == RECORD
    assert (found.preprocessing.height, found.preprocessing.width) == (8, 4)
    assert (found.feature_dim, found([]).shape, found.device.type) == (2, (0, 2), "cpu")
    assert "Model: tinynet" in caplog.text
    ((name, path, options),) = asked
    assert (name, path) == (None, "net.sums")
    assert (options["device"], options["precision"]) == ("cpu", "int8")


def test_a_quantised_file_says_so_of_its_extractor(opened) -> None:
    opened(Sums(record={**RECORD, "precision": "int8"}))
    assert extractor().precision == "int8"


def test_hooks_wrap_it_as_they_wrap_a_network(opened) -> None:
    class FlipTest:
        @hookimpl(wrapper=True)
        def reid_extract_features(self, model, images):
            features = yield
            return features + model(images.flip(3).contiguous())

    opened(Sums("bytes"))
    found = extractor(plugins=[FlipTest()])(PICTURE)
    assert found.tolist() == [[PICTURE.sum()] * 2]


def test_tensors_go_as_they_are_but_not_to_what_takes_bytes(opened) -> None:
    opened(Sums("unit_range"))
    assert extractor()(torch.ones(3, 8, 4)).tolist() == [[48, 48]]
    opened(Sums("bytes"))
    with pytest.raises(DataError, match=r"takes images as bytes, .*Give files or arrays"):
        extractor()(torch.ones(3, 8, 4))


FOREIGN = {"image_size": (8, 4), "pixel_mean": [0.5] * 3, "pixel_std": [0.5] * 3}


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (["image_size"], r"Give image_size=\(height, width\), as in its training"),
        (["pixel_std"], r"Give pixel_mean= and pixel_std= \(or pixel_norm=False"),
        (list(FOREIGN), r"'net.sums' does not say .* Give image_size=.* and pixel_mean="),
    ],
)
def test_of_a_foreign_file_the_images_must_be_told(opened, missing, message) -> None:
    opened(Sums(record={}))
    with pytest.raises(UserError, match=message):
        extractor(**{key: value for key, value in FOREIGN.items() if key not in missing})
    wanted = sums((PICTURE / 255 - 0.5) / 0.5)
    torch.testing.assert_close(extractor(**FOREIGN)(PICTURE), wanted, atol=1e-3, rtol=1e-4)
    plain = extractor(image_size=(8, 4), pixel_norm=False)
    torch.testing.assert_close(plain(PICTURE), sums(PICTURE / 255), atol=1e-3, rtol=1e-4)


def test_a_file_of_one_size_tells_it_and_takes_no_other(opened) -> None:
    opened(Sums(record={}, image_size=(8, 4)))
    assert extractor(pixel_norm=False).preprocessing.height == 8
    with pytest.raises(UserError, match=r"takes images of 8x4 .* alone, and image_size is 16x8"):
        extractor(pixel_norm=False, image_size=(16, 8))


def test_a_checkpoint_is_left_to_pytorch(opened, make, weights) -> None:
    asked = opened(Sums())
    assert make().feature_dim == 8
    assert make(backend="torch").feature_dim == 8
    assert [name for name, *_ in asked] == [None]
    assert make(backend="sums", image_size=(8, 4)).feature_dim == 2


def test_a_backend_needs_a_file(make) -> None:
    with pytest.raises(UserError, match=r"backend='onnx' is given no file. Give model_path=FILE"):
        make(model_path="", backend="onnx")
