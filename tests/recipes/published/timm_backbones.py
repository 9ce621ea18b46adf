"""DINOv3 of layumi/Person_reID_baseline_pytorch 82ff40f, and TinyViT of BoxMOT 25.0.0."""

from __future__ import annotations

import math

from tests.recipes.expected import Curve, Expected, Group, Moment


def _stepped_behind_growing_loss(fall: int, warmup: int) -> Curve:
    """``StepLR`` while the loss is multiplied by what grows from 0.1 to 1, iteration by iteration.

    Args:
        fall: epochs between the falls.
        warmup: epochs of the growth.
    """

    def curve(base: float, now: Moment) -> float:
        share = min(1.0, now.iteration / (warmup * now.steps))
        return base * (0.1 + 0.9 * share) * 0.1 ** (now.epoch // fall)

    return curve


def _warmed_cosine(epochs: int, warmup: int, lr_min: float) -> Curve:
    """What the settings of BoxMOT's recipe name, from a hundredth of the rate on."""

    def curve(base: float, now: Moment) -> float:
        height = (1 + math.cos(math.pi * now.epoch / epochs)) / 2
        share = min(1.0, now.epoch / warmup)
        return (lr_min + (base - lr_min) * height) * (0.01 + 0.99 * share)

    return curve


def _decayed(lr: float, decay: float) -> list[Group]:
    """Return the groups of TinyViT-5M under a decay of rates with depth.

    It is 13 deep: the convolutions at the images, and the blocks of its stages (2, 2, 6, 2), the
    first of each with what halves the maps before it. What is new lies above.
    """
    places = ["patch_embed"]
    for stage, depth in enumerate((2, 2, 6, 2)):
        places += [rf"stages\.{stage}\.(downsample|blocks\.0)\."]
        places += [rf"stages\.{stage}\.blocks\.{block}\." for block in range(1, depth)]
    groups = [Group("", lr, 0.1)]
    for number, place in enumerate(places):
        groups.append(Group(rf"^backbone\.backbone\.{place}", lr * decay ** (13 - number), 0.1))
    return groups


ROWS = [
    Expected(
        recipe="layumi_dinov3",
        source="README.md, train.py --use_dino, model.py, circle_loss.py, random_erasing.py",
        model="timm/vit_base_patch16_dinov3.lvd1689m",
        image=(256, 128),
        optimizer="SGD",
        optimizer_options={"momentum": 0.9, "nesterov": True},
        groups=[Group("", 0.04, 5e-4), Group(r"^backbone\.", 0.004, 5e-4)],
        curve=_stepped_behind_growing_loss(40, warmup=5),
        epochs=60,
        maps=(16, 8),
        features=512,
        head={
            "embedding": 512,
            "neck": "bnneck",
            "dropout": 0.5,
        },
        metric_features="after_neck",
        test_features="after_neck",
        model_options={"drop_path_rate": 0.2, "pool_tokens": "all"},
        losses={"softmax": 1.0, "circle": 1 / 32},
        loss_options={
            "softmax": {"eps": 0.0},
            "circle": {"margin": 0.25, "scale": 32.0, "over": "pairs"},
        },
        sampler=None,
        batch=32,
        transforms={
            "random_flip": {"p": 0.5},
            "pad_crop": {"p": 1.0, "padding": 10, "fill": 0},
            "random_erase": {"p": 0.5, "area": [0.02, 0.4], "aspect": "uniform", "fill": "mean"},
        },
        metric="cosine",
        normalized=True,
        amp=False,
        settings={
            "data.resize": "pillow_bicubic",
            "train.drop_last": True,
            "settings.standard.test_time": ["flip"],
        },
    ),
    Expected(
        recipe="csl_tinyvit_7m",
        source="recipes/csl_tinyvit_7m_v20.yaml",
        model="parts/timm/tiny_vit_5m_224",
        image=(384, 128),
        optimizer="AdamW",
        groups=_decayed(7e-4, 0.95),
        curve=_warmed_cosine(200, warmup=20, lr_min=1e-7),
        epochs=200,
        maps=(12, 4),
        features=1152,
        metric_features=None,
        test_features=None,
        model_options={
            "stripes": [1, 2, 4],
            "embedding": 384,
            "activation": "gelu",
            "pool": "gem",
            "backbone": {"drop_path_rate": 0.1},
        },
        losses={"softmax": 1.0, "triplet": 1.0, "center": 0.005},
        loss_options={
            "softmax": {"eps": 0.05, "form": "k"},
            "triplet": {"soft": True, "margin": 0.3},
            "center": {"branches": 3},
        },
        sampler="RandomIdentitySampler",
        batch=96,
        instances=8,
        transforms={
            "random_flip": {"p": 0.5},
            "random_crop": {"enlarge": 1.05},
            "color_jitter": {},
            "blur": {},
            "gray_patch": {"p_whole": 0.1, "p": 0.0},
            "random_patch": {},
            "random_erase": {"p": 0.5},
        },
        metric="cosine",
        normalized=False,
        amp=False,
        settings={
            "settings.training.clip.norm": 1.0,
            "settings.training.freeze.layers": ["backbone"],
            "settings.training.freeze.epochs": 10,
        },
    ),
]
