"""CLIP's image towers, computed once more from their weights by plain functions."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from reid_plugins_transformers.clip.images import (
    ImageFeatures,
    ImageTower,
    ModifiedResNet,
    VisionTransformer,
    interpolated,
)
from torch import Tensor
from torch.nn import functional as F

from reidcore.errors import ConfigError

Weights = Mapping[str, Tensor]
SIZE = (64, 48)


def stirred(tower: ImageTower) -> tuple[ImageTower, Weights]:
    """Return a tower in evaluation mode whose weights are all other than they begin, and these."""
    generator = torch.Generator().manual_seed(1)
    tower.double()
    for value in tower.state_dict().values():
        if value.is_floating_point():
            value.add_(0.1 * torch.rand(value.shape, generator=generator) - 0.05)
    return tower.eval(), tower.state_dict()


def naive_attention(query: Tensor, key: Tensor, value: Tensor, width: int = 64) -> Tensor:
    """Attend head by head: (Q, D), (K, D), (K, D) -> (Q, D)."""
    heads = []
    for start in range(0, query.shape[1], width):
        part = slice(start, start + width)
        weight = torch.softmax(query[:, part] @ key[:, part].T / math.sqrt(width), dim=1)
        heads.append(weight @ value[:, part])
    return torch.cat(heads, dim=1)


def norm(tokens: Tensor, weights: Weights, name: str) -> Tensor:
    centred = tokens - tokens.mean(1, keepdim=True)
    scaled = centred / torch.sqrt(centred.square().mean(1, keepdim=True) + 1e-5)
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def naive_block(tokens: Tensor, weights: Weights, name: str) -> Tensor:
    """Run one block on the tokens (L, D) of one image."""
    bias = weights[f"{name}.attn.in_proj.bias"].chunk(3)
    parts = weights[f"{name}.attn.in_proj.weight"].chunk(3)
    seen = norm(tokens, weights, f"{name}.ln_1")
    query, key, value = (seen @ part.T + shift for part, shift in zip(parts, bias, strict=True))
    mixed = naive_attention(query, key, value)
    out = mixed @ weights[f"{name}.attn.out_proj.weight"].T
    tokens = tokens + out + weights[f"{name}.attn.out_proj.bias"]
    inner = norm(tokens, weights, f"{name}.ln_2") @ weights[f"{name}.mlp.c_fc.weight"].T
    inner = inner + weights[f"{name}.mlp.c_fc.bias"]
    inner = inner / (1 + torch.exp(-1.702 * inner))
    return (
        tokens + inner @ weights[f"{name}.mlp.c_proj.weight"].T + weights[f"{name}.mlp.c_proj.bias"]
    )


def naive_vit(
    image: Tensor, weights: Weights, stride: int, depth: int, side: Tensor
) -> list[Tensor]:
    patches = [
        (weights["conv1.weight"] * image[:, top : top + 16, left : left + 16]).sum(dim=(1, 2, 3))
        for top in range(0, image.shape[1] - 15, stride)
        for left in range(0, image.shape[2] - 15, stride)
    ]
    tokens = torch.stack([weights["class_embedding"] + side, *patches])
    tokens = norm(tokens + weights["positional_embedding"], weights, "ln_pre")
    for block in range(depth):
        before, tokens = tokens, naive_block(tokens, weights, f"transformer.resblocks.{block}")
    last = norm(tokens, weights, "ln_post")
    return [before[0], last[0], last[0] @ weights["proj"]]


@pytest.mark.parametrize("stride", [16, 12])
def test_the_transformer_is_what_plain_functions_compute(stride: int) -> None:
    torch.manual_seed(0)
    tower, weights = stirred(VisionTransformer(SIZE, stride, width=128, depth=3, embedding=24))
    images, side = torch.randn(2, 3, *SIZE).double(), torch.randn(2, 128).double()
    with torch.no_grad():
        found = tower(images, side)
        wanted = [naive_vit(images[i], weights, stride, 3, side[i]) for i in range(2)]
        maps = tower.maps(images)
    for number, features in enumerate(found):
        torch.testing.assert_close(features, torch.stack([one[number] for one in wanted]))
    assert [each.shape[1] for each in found] == list(tower.widths) == [128, 128, 24]
    assert maps.shape == (2, 128, *tower.grid)


def test_maps_are_the_tokens_of_the_patches_in_their_places() -> None:
    tower = VisionTransformer((48, 32), 16, width=64, depth=1, embedding=8).eval()
    images = torch.randn(1, 3, 48, 32)
    other = images.clone()
    other[:, :, 16:32, 16:] += 1  # the patch of row 1 and column 1
    with torch.no_grad():
        tower.get_parameter("transformer.resblocks.0.attn.out_proj.weight").zero_()
        change = (tower.maps(images) - tower.maps(other)).abs().sum(dim=(0, 1))
    assert change.nonzero().tolist() == [[1, 1]]


def batch_norm(maps: Tensor, weights: Weights, name: str) -> Tensor:
    mean, var = weights[f"{name}.running_mean"], weights[f"{name}.running_var"]
    scale = weights[f"{name}.weight"] / torch.sqrt(var + 1e-5)
    return (maps - mean[:, None, None]) * scale[:, None, None] + weights[f"{name}.bias"][
        :, None, None
    ]


def pooled(maps: Tensor) -> Tensor:
    high, wide = maps.shape[-2] // 2 * 2, maps.shape[-1] // 2 * 2
    cut = maps[..., :high, :wide]
    return (
        cut[..., ::2, ::2] + cut[..., 1::2, ::2] + cut[..., ::2, 1::2] + cut[..., 1::2, 1::2]
    ) / 4


def naive_bottleneck(maps: Tensor, weights: Weights, name: str, halves: bool) -> Tensor:
    inner = torch.relu(
        batch_norm(F.conv2d(maps, weights[f"{name}.conv1.weight"]), weights, f"{name}.bn1")
    )
    inner = F.conv2d(inner, weights[f"{name}.conv2.weight"], padding=1)
    inner = torch.relu(batch_norm(inner, weights, f"{name}.bn2"))
    inner = pooled(inner) if halves else inner
    inner = batch_norm(F.conv2d(inner, weights[f"{name}.conv3.weight"]), weights, f"{name}.bn3")
    if f"{name}.downsample.0.weight" in weights:
        maps = F.conv2d(pooled(maps) if halves else maps, weights[f"{name}.downsample.0.weight"])
        maps = batch_norm(maps, weights, f"{name}.downsample.1")
    return torch.relu(inner + maps)


def naive_resnet(images: Tensor, weights: Weights, blocks: tuple[int, ...]) -> list[Tensor]:
    maps = images
    for number, stride in ((1, 2), (2, 1), (3, 1)):
        maps = F.conv2d(maps, weights[f"conv{number}.weight"], stride=stride, padding=1)
        maps = torch.relu(batch_norm(maps, weights, f"bn{number}"))
    maps = pooled(maps)
    stages = []
    for stage, count in enumerate(blocks, 1):
        for block in range(count):
            halves = block == 0 and stage in (2, 3)
            maps = naive_bottleneck(maps, weights, f"layer{stage}.{block}", halves)
        stages.append(maps)
    projected = []
    for image in maps:
        places = image.flatten(1).T
        tokens = torch.cat([places.mean(0, keepdim=True), places])
        tokens = tokens + weights["attnpool.positional_embedding"]
        asked, keys, values = (
            tokens @ weights[f"attnpool.{name}_proj.weight"].T
            + weights[f"attnpool.{name}_proj.bias"]
            for name in "qkv"
        )
        seen = naive_attention(asked, keys, values)[0]
        projected.append(
            seen @ weights["attnpool.c_proj.weight"].T + weights["attnpool.c_proj.bias"]
        )
    return [stages[2].mean((2, 3)), stages[3].mean((2, 3)), torch.stack(projected)]


def test_the_residual_network_is_what_plain_functions_compute() -> None:
    torch.manual_seed(0)
    blocks = (1, 2, 1, 2)
    tower, weights = stirred(ModifiedResNet(SIZE, width=4, blocks=blocks, embedding=24))
    images = torch.randn(2, 3, *SIZE).double()
    with torch.no_grad():
        found, wanted = tower(images), naive_resnet(images, weights, blocks)
        assert tower.maps(images).shape == (2, 128, *tower.grid)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)
    assert [each.shape[1] for each in found] == list(tower.widths) == [64, 128, 24]


@pytest.mark.parametrize("size", [(256, 128), (16, 16), (64, 96)])
def test_the_residual_network_knows_the_size_of_its_maps(size: tuple[int, int]) -> None:
    tower = ModifiedResNet(size, width=2, blocks=(1, 1, 1, 1), embedding=4).eval()
    with torch.no_grad():
        assert isinstance(tower(torch.zeros(1, 3, *size)), ImageFeatures)
        assert tower.maps(torch.zeros(1, 3, *size)).shape[2:] == tower.grid


def test_sizes_that_patches_do_not_fill_are_refused() -> None:
    with pytest.raises(ConfigError, match="65x47"):
        ModifiedResNet((65, 47), width=2, blocks=(1, 1, 1, 1), embedding=4)
    with pytest.raises(ConfigError, match="15x128"):
        VisionTransformer((15, 128), 16, width=64, depth=1, embedding=8)
    with pytest.raises(ConfigError, match="17 pixels apart"):
        VisionTransformer((64, 32), 17, width=64, depth=1, embedding=8)


def naive_resize(line: np.ndarray, length: int) -> np.ndarray:
    """Interpolate along the first axis between the centres of cells."""
    centres = (np.arange(length) + 0.5) * len(line) / length - 0.5
    low = np.clip(np.floor(centres), 0, len(line) - 1).astype(int)
    high = np.clip(low + 1, 0, len(line) - 1)
    share = np.clip(centres - low, 0, 1)
    share = share.reshape(-1, *[1] * (line.ndim - 1))
    between: np.ndarray = line[low] * (1 - share) + line[high] * share
    return between


@pytest.mark.parametrize(
    ("learnt", "grid"),
    [((14, 14), (16, 8)), ((7, 7), (16, 8)), ((16, 8), (24, 8)), ((21, 10), (21, 10))],
)
def test_positions_of_another_grid_are_interpolated_and_the_first_stays(
    learnt: tuple[int, int], grid: tuple[int, int]
) -> None:
    places = np.random.default_rng(3).normal(size=(*learnt, 5))
    rows = naive_resize(places, grid[0])
    wanted = naive_resize(rows.swapaxes(0, 1), grid[1]).swapaxes(0, 1).reshape(-1, 5)
    first = np.full((1, 5), 9.0)
    given = torch.tensor(np.concatenate([first, places.reshape(-1, 5)]), dtype=torch.float32)
    found = interpolated(given, grid)
    assert found is not None
    np.testing.assert_allclose(found, np.concatenate([first, wanted]), atol=1e-5)


def test_positions_of_no_grid_are_none() -> None:
    assert interpolated(torch.zeros(1 + 7, 4), (16, 8)) is None
    assert interpolated(torch.zeros(4), (16, 8)) is None
