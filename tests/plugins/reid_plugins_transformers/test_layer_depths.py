"""How deep the parameters of each network lie, and what a decay of rates with depth makes of it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch

from reidcore.models import build_model
from reidcore.optim import build_optimizer
from reidcore.registry import entries

# Patterns of whole names -> the depth, of the numbers that stand in brackets. What nothing fits is
# new, or behind the last block, and lies above all others.
Table = dict[str, Callable[..., int]]

VISION_TRANSFORMER: Table = {
    r"base\.(?:cls_token|pos_embed|part_tokens\.\d|prefix_positions\.\d|patch_embed\..*)": lambda: (
        0
    ),
    r"base\.blocks\.(\d+)\..*": lambda block: block + 1,
    # TransReID takes the last block from the trunk, and has a copy of it for the parts.
    r"global_branch\.0\..*": lambda: 12,
    r"local_branch\.0\..*": lambda: 12,
}
SMALL_OF_TRANSREID = VISION_TRANSFORMER | {
    r"global_branch\.0\..*": lambda: 8,
    r"local_branch\.0\..*": lambda: 8,
}
CLIP_TRANSFORMER: Table = {
    r"image_encoder\.(?:class_embedding|positional_embedding|conv1\..*|ln_pre\..*)": lambda: 0,
    r"image_encoder\.transformer\.resblocks\.(\d+)\..*": lambda block: block + 1,
    r"image_encoder\.(?:ln_post\..*|proj)": lambda: 13,
}
CLIP_RESNET: Table = {
    r"image_encoder\.(?:conv|bn)[123]\..*": lambda: 0,
    r"image_encoder\.layer(\d)\..*": lambda stage: stage,
    r"image_encoder\.attnpool\..*": lambda: 5,
}


def swin(*depths: int) -> Table:
    """SimMIM's depths: a merging is as deep as the block before it."""
    return {
        r"backbone\.patch_embed\..*": lambda: 0,
        r"backbone\.layers\.(\d)\.downsample\..*": lambda stage: sum(depths[:stage]),
        r"backbone\.layers\.(\d)\.blocks\.(\d+)\..*": (
            lambda stage, block: sum(depths[:stage]) + block + 1
        ),
    }


TABLES = {
    "clipreid_rn50": CLIP_RESNET,
    "clipreid_vit_b": CLIP_TRANSFORMER,
    "solider_swin_b": swin(2, 2, 18, 2),
    "solider_swin_s": swin(2, 2, 18, 2),
    "solider_swin_t": swin(2, 2, 6, 2),
    "transreid_vit_b": VISION_TRANSFORMER,
    "transreid_vit_s": SMALL_OF_TRANSREID,
    "vit_b_16": VISION_TRANSFORMER,
    "vit_b_16_ics": VISION_TRANSFORMER,
    "vit_b_16_pass": VISION_TRANSFORMER,
    "vit_s_16": VISION_TRANSFORMER,
    "vit_s_16_ics": VISION_TRANSFORMER,
    "vit_s_16_pass": VISION_TRANSFORMER,
}


def depth_of(name: str, table: Table) -> int | None:
    for pattern, depth in table.items():
        if found := re.fullmatch(pattern, name):
            return depth(*map(int, found.groups()))
    return None


def built(name: str) -> torch.nn.Module:
    with torch.device("meta"):
        options = {"jpm": True} if name.startswith("transreid") else {}
        return build_model(name, 4, pretrained=False, **options)


@pytest.mark.parametrize("name", TABLES)
def test_the_depth_of_every_parameter(name: str) -> None:
    model = built(name)
    expected = {each: depth_of(each, TABLES[name]) for each, _ in model.named_parameters()}
    known = {each: depth for each, depth in expected.items() if depth is not None}
    assert model.layer_depths() == known  # type: ignore[operator]
    deepest = max(known.values())
    assert set(known.values()) == set(range(deepest + 1))


def test_every_network_is_in_the_table() -> None:
    registered = {entry.name for entry in entries("models") if entry.plugin == "transformers"}
    assert set(TABLES) == registered


@pytest.mark.parametrize("name", ["solider_swin_t", "vit_s_16"])
def test_rates_fall_by_the_factor_from_each_block_to_the_one_before(name: str) -> None:
    model = built(name)
    optimizer = build_optimizer(model, "adamw", lr=1.0, layer_decay=0.4)
    rates = {id(each): group["lr"] for group in optimizer.param_groups for each in group["params"]}
    for each, weight in model.named_parameters():
        depth = depth_of(each, TABLES[name])
        # HAP: what is new learns at the rate, block 12 at 0.4 of it, the patches at 0.4 ** 13.
        expected = 1.0 if depth is None else 0.4 ** (13 - depth)
        assert rates[id(weight)] == pytest.approx(expected), each
