"""``reidcore extract`` as users run it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from reidcore.models import build_model
from reidcore.utils import FeatureExtractor

MODEL = "osnet_x0_25"


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "w.pth"
    torch.save(build_model(MODEL, 3, pretrained=False).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    (folder / "more").mkdir()
    rng = np.random.default_rng(0)
    for name in ("b.jpg", "a.jpg", "more/c.png"):
        Image.fromarray(rng.integers(0, 256, (40, 20, 3), dtype=np.uint8)).save(folder / name)
    return folder


def test_features_and_paths_are_written(reidcore, photos, weights, tmp_path) -> None:
    output = tmp_path / "new" / "features.npz"
    size = ["--height", "64", "--width", "32", "--batch-size", "2"]
    done = reidcore("extract", photos, "-w", weights, "-m", MODEL, "-o", output, *size)
    assert done.returncode == 0, done.stderr
    assert f"{output}: 3 features of 512 numbers" in done.stdout
    with np.load(output) as written:
        paths, features = list(written["paths"]), written["features"]
    assert paths == [str(photos / name) for name in ("a.jpg", "b.jpg", "more/c.png")]
    assert features.dtype == np.float32
    extract = FeatureExtractor(MODEL, weights, image_size=(64, 32), device="cpu", verbose=False)
    np.testing.assert_allclose(features, extract(paths), atol=1e-6, rtol=1e-4)


def test_unreadable_images_are_told_and_left_out(reidcore, photos, weights, tmp_path) -> None:
    broken = tmp_path / "broken\x1b.jpg"
    broken.write_bytes(b"nothing")
    output = tmp_path / "f.npz"
    words = ["-w", weights, "-m", MODEL, "-o", output, "--height", "64", "--width", "32"]
    done = reidcore("extract", broken, photos / "a.jpg", *words)
    assert done.returncode == 0, done.stderr
    told = r"1 of 2 images left out \(not an image\): '.*broken\\x1b.jpg'"
    assert re.search(told, done.stdout)
    with np.load(output) as written:
        assert list(written["paths"]) == [str(photos / "a.jpg")]
        assert len(written["features"]) == 1
    output.unlink()
    nothing = reidcore("extract", broken, *words)
    assert nothing.returncode == 2
    assert "of 1 image none can be read" in nothing.stderr
    assert not output.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gone.jpg", "-w", "w.pth", "-o", "f.npz"], "'gone.jpg' names no image"),
        (["P", "-w", "w.pth", "-o", "f.npy"], "'f.npy' does not end in .npz"),
        (["P", "-w", "w.pth", "-o", "f.npz", "--width", "32"], "Give both --height and --width"),
        (["P", "-w", "w.pth", "-m", MODEL, "-o", "f.npz"], "no checkpoint at 'w.pth'"),
        (["P", "-w", "W", "-o", "f.npz"], "does not tell it. Give model_name"),
        (["P", "-w", "w.pth"], "Missing option '-o'"),
    ],
)
def test_mistakes_are_told_before_any_work(reidcore, photos, weights, words, message) -> None:
    known = {"P": photos, "W": weights}
    done = reidcore("extract", *(known.get(word, word) for word in words))
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
