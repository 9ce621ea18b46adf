"""A Swin Transformer with semantic controllers, recomputed from published weights.

Every window is visited in turn, under the names and orders of SOLIDER's files; nothing is shared
with the network under test.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

Weights = dict[str, torch.Tensor]


def random_file(channels, depths, heads, patch, window, classes, seed=0) -> Weights:
    """Return a checkpoint of re-identification with random weights, as SOLIDER-REID writes it."""
    generator = torch.Generator().manual_seed(seed)
    made: Weights = {}

    def add(name, *shape, around=0.0, scale=0.3):
        made[name] = around + scale * torch.randn(*shape, generator=generator)

    def linear(name, wide, narrow, bias=True):
        add(f"{name}.weight", wide, narrow, scale=1 / math.sqrt(narrow))
        if bias:
            add(f"{name}.bias", wide)

    def norm(name, width):
        add(f"{name}.weight", width, around=1.0)
        add(f"{name}.bias", width)

    add("base.patch_embed.projection.weight", channels, 3, patch, patch)
    add("base.patch_embed.projection.bias", channels)
    norm("base.patch_embed.norm", channels)
    for stage, (depth, count) in enumerate(zip(depths, heads, strict=True)):
        width = channels * 2**stage
        for number in range(depth):
            block = f"base.stages.{stage}.blocks.{number}"
            norm(f"{block}.norm1", width)
            add(f"{block}.attn.w_msa.relative_position_bias_table", (2 * window - 1) ** 2, count)
            made[f"{block}.attn.w_msa.relative_position_index"] = torch.zeros(
                window**2, window**2, dtype=torch.int64
            )
            linear(f"{block}.attn.w_msa.qkv", 3 * width, width)
            linear(f"{block}.attn.w_msa.proj", width, width)
            norm(f"{block}.norm2", width)
            linear(f"{block}.ffn.layers.0.0", 4 * width, width)
            linear(f"{block}.ffn.layers.1", width, 4 * width)
        if stage + 1 < len(depths):
            norm(f"base.stages.{stage}.downsample.norm", 4 * width)
            linear(f"base.stages.{stage}.downsample.reduction", 2 * width, 4 * width, bias=False)
        norm(f"base.norm{stage}", width)
        after = channels * 2 ** min(stage + 1, len(depths) - 1)
        linear(f"base.semantic_embed_w.{stage}", after, 2)
        linear(f"base.semantic_embed_b.{stage}", after, 2)
    last = channels * 2 ** (len(depths) - 1)
    made["bottleneck.weight"] = torch.rand(last, generator=generator) + 0.5
    made["bottleneck.bias"] = torch.zeros(last)
    add("bottleneck.running_mean", last)
    made["bottleneck.running_var"] = torch.rand(last, generator=generator) + 0.5
    made["bottleneck.num_batches_tracked"] = torch.tensor(7)
    linear("classifier", classes, last, bias=False)
    return made


def features(file: Weights, images, depths, heads, patch, window, semantic_weight):
    """Return the features (B, D) before the neck of images (B, 3, H, W)."""
    weights = {key.removeprefix("base."): value for key, value in file.items()}
    missing = [-side % patch for side in images.shape[-2:]]
    padded = F.pad(images, (0, missing[1], 0, missing[0]))
    embedded = F.conv2d(
        padded,
        weights["patch_embed.projection.weight"],
        weights["patch_embed.projection.bias"],
        stride=patch,
    )
    maps = _norm(embedded.permute(0, 2, 3, 1), weights, "patch_embed.norm")
    for stage, (depth, count) in enumerate(zip(depths, heads, strict=True)):
        for number in range(depth):
            shift = (number % 2) * (window // 2)
            block = f"stages.{stage}.blocks.{number}"
            maps = _block(maps, weights, block, count, window, shift)
        if stage + 1 < len(depths):
            maps = _merged(maps, weights, f"stages.{stage}.downsample")
            share = torch.tensor([semantic_weight, 1 - semantic_weight])
            scale = _linear(share, weights, f"semantic_embed_w.{stage}")
            shift_by = _linear(share, weights, f"semantic_embed_b.{stage}")
            maps = maps * F.softplus(scale) + shift_by
    return _norm(maps, weights, f"norm{len(depths) - 1}").mean(dim=(1, 2))


def _block(maps, weights, block, heads, window, shift):
    maps = maps + _attention(
        _norm(maps, weights, f"{block}.norm1"), weights, f"{block}.attn.w_msa", heads, window, shift
    )
    hidden = F.gelu(
        _linear(_norm(maps, weights, f"{block}.norm2"), weights, f"{block}.ffn.layers.0.0")
    )
    return maps + _linear(hidden, weights, f"{block}.ffn.layers.1")


def _attention(maps, weights, name, heads, window, shift):
    """Visit each window: which positions of the padded maps it holds, and what they see."""
    height, width = maps.shape[1:3]
    padded = F.pad(maps, (0, 0, 0, -width % window, 0, -height % window))
    rows, columns = padded.shape[1:3]
    qkv = _linear(padded, weights, f"{name}.qkv")
    query, key, value = (part.unflatten(-1, (heads, -1)) for part in qkv.chunk(3, dim=-1))
    table = weights[f"{name}.relative_position_bias_table"]
    out = torch.zeros_like(value)
    for top in range(0, rows, window):
        for left in range(0, columns, window):
            inside = [(top + i, left + j) for i in range(window) for j in range(window)]
            places = [((y + shift) % rows, (x + shift) % columns) for y, x in inside]
            wrapped = [(y + shift >= rows, x + shift >= columns) for y, x in inside]
            for here, (y, x) in enumerate(places):
                scores = []
                for there, (other_y, other_x) in enumerate(places):
                    down = inside[here][0] - inside[there][0] + window - 1
                    right = inside[here][1] - inside[there][1] + window - 1
                    bias = table[down * (2 * window - 1) + right]
                    alike = (query[:, y, x] * key[:, other_y, other_x]).sum(-1)
                    apart = 0.0 if wrapped[here] == wrapped[there] else -100.0
                    scores.append(alike / math.sqrt(query.shape[-1]) + bias + apart)
                weighed = torch.stack(scores).softmax(dim=0)  # (N, B, heads)
                seen = torch.stack([value[:, a, b] for a, b in places])
                out[:, y, x] = (weighed[..., None] * seen).sum(dim=0)
    return _linear(out.flatten(3), weights, f"{name}.proj")[:, :height, :width]


def _merged(maps, weights, name):
    height, width = maps.shape[1:3]
    padded = F.pad(maps.permute(0, 3, 1, 2), (0, width % 2, 0, height % 2))
    squares = F.unfold(padded, kernel_size=2, stride=2).transpose(1, 2)
    merged = _linear(_norm(squares, weights, f"{name}.norm"), weights, f"{name}.reduction")
    return merged.unflatten(1, (padded.shape[2] // 2, padded.shape[3] // 2))


def _norm(values, weights, name):
    return F.layer_norm(
        values, values.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"]
    )


def _linear(values, weights, name):
    return F.linear(values, weights[f"{name}.weight"], weights.get(f"{name}.bias"))
