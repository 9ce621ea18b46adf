"""Patches: how many there are, and what a stem puts before them."""

from __future__ import annotations

import pytest
import torch
from reid_plugins_transformers.vit.patches import StemPatchEmbedding, grid_of
from torch.nn import functional as F

from reidcore.errors import ConfigError


@pytest.mark.parametrize(
    ("size", "stride", "grid"),
    [
        ((256, 128), 16, (16, 8)),
        ((256, 128), 12, (21, 10)),
        ((256, 128), 11, (22, 11)),
        ((256, 256), 12, (21, 21)),
        ((384, 128), 16, (24, 8)),
        ((16, 16), 16, (1, 1)),
    ],
)
def test_patches_lie_as_in_the_published_networks(size, stride, grid):
    assert grid_of(size, stride) == grid


@pytest.mark.parametrize(
    ("size", "stride", "message"),
    [
        ((250, 128), 16, "250x128 .* are not filled .* 240x128 or 256x128"),
        ((8, 128), 16, "8x128 .* fill no patch .* 16x128"),
        ((256, 8), 12, "256x8 .* fill no patch .* 256x16"),
        ((256, 128), 0, "0 pixels apart"),
    ],
)
def test_other_sizes_are_refused_with_the_nearest(size, stride, message):
    with pytest.raises(ConfigError, match=message):
        grid_of(size, stride)


def test_overlapping_patches_leave_the_border_out():
    assert grid_of((250, 128), 12) == grid_of((255, 128), 12) == (20, 10)


def test_a_stem_normalises_half_of_its_maps_by_image():
    torch.manual_seed(0)
    stem = StemPatchEmbedding(12).eval()
    images = torch.randn(2, 3, 32, 32)
    conv = stem.conv
    maps = images
    for first, second, padding in ((0, 1, 3), (3, 4, 1)):
        maps = F.conv2d(maps, conv[first].weight, stride=2 if first == 0 else 1, padding=padding)
        own = maps[:, :32]
        deviation = torch.sqrt(own.var((2, 3), unbiased=False, keepdim=True) + 1e-5)
        own = (own - own.mean((2, 3), keepdim=True)) / deviation
        norm = conv[second].BN
        others = F.batch_norm(maps[:, 32:], norm.running_mean, norm.running_var)
        maps = torch.cat([own, others], 1).relu()
    maps = F.conv2d(maps, conv[6].weight, padding=1)
    maps = F.batch_norm(maps, conv[7].running_mean, conv[7].running_var).relu()
    expected = F.conv2d(maps, stem.proj.weight, stem.proj.bias, stride=8)
    with torch.no_grad():
        found = stem(images)
    torch.testing.assert_close(found, expected.flatten(2).transpose(1, 2), rtol=1e-4, atol=1e-4)
    assert found.shape == (2, 4, 12)
