"""Views of images: the mirror image, and other sizes."""

from __future__ import annotations

import torch
from reid_plugins_standard.test_time.views import Flip, MultiScale
from torch import Tensor


def left_half(images: Tensor) -> Tensor:
    """A model: the mean of each channel's left half, (B, 3)."""
    return images[..., : images.size(3) // 2].mean(dim=(2, 3))


def test_flip_adds_the_features_of_the_mirror_image() -> None:
    images = torch.zeros(1, 3, 2, 4)
    images[..., 0] = 2  # the left half has a mean of 1, the right half of 0
    images[:, 1, :, 3] = 6  # but channel 1 one of 3
    assert Flip().extract(left_half, images).tolist() == [[1, 4, 1]]
    assert Flip("mean").extract(left_half, images).tolist() == [[0.5, 2, 0.5]]


def test_scales_are_of_height_and_width_and_1_is_the_image_itself() -> None:
    seen = []

    def model(images: Tensor) -> Tensor:
        seen.append(images)
        return images.sum(dim=(2, 3))

    images = torch.ones(2, 3, 8, 4)
    added = MultiScale([1.0, 0.5, 1.25]).extract(model, images)
    assert [tuple(view.shape[2:]) for view in seen] == [(8, 4), (4, 2), (10, 5)]
    assert seen[0] is images
    torch.testing.assert_close(added, torch.full((2, 3), 32.0 + 8 + 50))
    mean = MultiScale([1.0, 0.5, 1.25], "mean").extract(model, images)
    torch.testing.assert_close(mean, added / 3)


def test_a_shrunken_image_is_smooth() -> None:
    stripes = torch.tensor([0.0, 1.0]).repeat(16).expand(1, 3, 32, 32)
    (view,) = MultiScale([0.25])._views(stripes)
    assert (view[..., 1:-1] - 0.5).abs().max() < 0.05  # without antialiasing 0 or 1
