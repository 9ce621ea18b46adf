"""Images or video, as engines read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from reidcore.config.options import VideoOptions
from reidcore.engine import batch_layout
from reidcore.engine.batch_layout import POOLINGS, ClipBatches, ImageBatches, layout_of
from reidcore.errors import UnknownNameError

GOLD = np.load(Path(__file__).parents[2] / "fixtures" / "video" / "video.npz")


def network(images: Tensor, labels: Any = None) -> Tensor:
    """Return what the recorded "network" gave, for images (B, C, h, w)."""
    flat = images.flatten(1)
    return torch.cat([flat.sin(), flat.cos()], dim=1)


@pytest.mark.parametrize("method", ["avg", "max"])
def test_features_are_pooled_as_recorded(method: str) -> None:
    features = ClipBatches(method).features(torch.from_numpy(GOLD["pool_input"]), {}, network)
    np.testing.assert_allclose(features, GOLD[f"pool_{method}"], rtol=1e-6, atol=1e-6)


def test_frames_become_images_as_recorded() -> None:
    batch = {"img": torch.from_numpy(GOLD["pool_input"]), "pid": torch.tensor([4, 5, 6])}
    parsed = ClipBatches().per_image(batch, tuple(batch))
    assert tuple(parsed["img"].shape) == tuple(GOLD["train_flat_shape"])
    np.testing.assert_array_equal(parsed["pid"], GOLD["train_flat_pids"])
    assert torch.equal(parsed["img"][7], batch["img"][1, 2])


def test_each_frame_has_the_labels_of_its_clip() -> None:
    batch = {
        "img": torch.zeros(2, 3, 3, 4, 2),
        "pid": torch.tensor([1, 0]),
        "camid": torch.tensor([5, 6]),
        "weight": torch.tensor([[0.5, 1], [2, 3]]),
        "impath": [("a", "b"), ("c",)],
        "skipped": [("d", "not an image"), ("e", "not an image")],
    }
    parsed = ClipBatches().per_image(batch, tuple(batch))
    assert parsed["camid"].tolist() == [5, 5, 5, 6, 6, 6]
    assert parsed["weight"].tolist() == [[0.5, 1]] * 3 + [[2, 3]] * 3
    assert parsed["impath"] == [("a", "b")] * 3 + [("c",)] * 3
    assert parsed["skipped"] == batch["skipped"]


def test_images_stay_images() -> None:
    images = torch.ones(2, 3, 4, 2)
    batch = {"img": images, "pid": torch.tensor([1, 0]), "impath": ["a", "b"]}
    for layout in (ImageBatches(), ClipBatches()):
        assert layout.per_image(batch, ["img", "impath"]) == {"img": images, "impath": ["a", "b"]}
        assert torch.equal(layout.features(images, {}, network), network(images))


def test_a_long_clip_is_extracted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_layout, "FRAMES_AT_ONCE", 4)
    given: list[int] = []

    def counted(images: Tensor, labels: Any) -> Tensor:
        given.append(len(images))
        return network(images)

    images = torch.from_numpy(GOLD["pool_input"])
    features = ClipBatches().features(images, {}, counted)
    assert given == [4, 4, 4, 3]
    np.testing.assert_allclose(features, GOLD["pool_avg"], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("typo", "words"), [("av", "Did you mean 'avg'"), ("sum", "avg or max")])
def test_a_mistyped_pooling_is_refused(typo: str, words: str) -> None:
    with pytest.raises(UnknownNameError, match=words):
        ClipBatches(typo)


def test_the_configuration_knows_the_same_poolings() -> None:
    assert set(get_args(VideoOptions.model_fields["pooling_method"].annotation)) == set(POOLINGS)


def test_the_data_manager_says_what_it_gives() -> None:
    assert type(layout_of("video")) is ClipBatches
    assert type(layout_of("image")) is ImageBatches
